//! Predictions from the program's own threads, as ratios: what they deliver beside one thread's rate times the
//! number of cores, beside a parallel iterator, and beside one call with everything.
//!
//! `cargo bench -p typenet-benches --bench threads`
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "compare/typenet/src/nets.rs"]
#[allow(unreachable_pub, dead_code, reason = "another program's module")]
mod nets;

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Scope;
use std::time::Instant;

use nets::{LeNet5, ResNet20};
use rayon::prelude::*;
use typenet::Flat;
use typenet::prelude::*;

const ROUNDS: usize = 9;

/// The place of the parallel iterator among the ways.
const PAR_ITER: usize = 1;

/// How often each image is predicted in one measurement.
const REPEATS: usize = 10;

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    println!(
        "{cores} cores; ratios of neighbours, median of {ROUNDS} rounds (from the least to the most)"
    );
    of_net::<LeNet5>("LeNet-5", 2000, cores);
    of_net::<ResNet20>("ResNet-20", 400, cores);
}

fn of_net<N: Network<Output = [f32; 10]> + typenet::Logits>(
    name: &str,
    count: usize,
    cores: usize,
) {
    let net = N::seeded(1);
    let numbers: Vec<f32> =
        (0..count * N::Input::LEN).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
    let images = N::Input::slice_from_flat(&numbers).expect("images");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let part = &images[..count / cores];
    let predict = |x: &N::Input| {
        black_box(net.predict(x));
    };
    let predict_all = |x: &[N::Input]| drop(black_box(net.predict_batch(x)));
    let [few, many, pool] = &[cores, 64, 16 * cores].map(Crew::new);
    let on_one_thread = || one.install(|| repeat(|| part.iter().for_each(predict)));
    std::thread::scope(|scope| {
        few.start(scope, images, 1, |images| images.iter().for_each(predict));
        many.start(scope, images, 1, |images| images.iter().for_each(predict));
        pool.start(scope, images, 50, predict_all);
        let ways: [(&str, &dyn Fn()); 6] = [
            ("plain loop", &|| repeat(|| images.iter().for_each(predict))),
            ("par_iter", &|| repeat(|| images.par_iter().for_each(predict))),
            ("a thread a core", &|| few.work()),
            ("64 threads", &|| many.work()),
            ("pool of 16 a core, chunks of 50", &|| pool.work()),
            ("one call", &|| repeat(|| predict_all(images))),
        ];
        let mut rates = vec![Vec::new(); ways.len()];
        let [mut to_iterator, mut to_call] = [(); 2].map(|()| vec![Vec::new(); ways.len()]);
        for round in 0..=ROUNDS {
            let alone = seconds(&on_one_thread);
            let times: Vec<f64> = ways.iter().map(|(_, way)| seconds(way)).collect();
            // The first one brings memory.
            if round == 0 {
                continue;
            }
            for (way, time) in times.iter().enumerate() {
                rates[way].push(alone / time);
                to_iterator[way].push(times[PAR_ITER] / time);
                to_call[way].push(time / times[times.len() - 1]);
            }
        }
        println!(
            "\n{name}, {count} images | of cores × one thread's rate | of par_iter's rate | time of one call"
        );
        for (i, (way, _)) in ways.iter().enumerate() {
            let ratios =
                [&mut rates, &mut to_iterator, &mut to_call].map(|all| spread(&mut all[i]));
            println!("{way:32} | {}", ratios.join(" | "));
        }
        [few, many, pool].into_iter().for_each(Crew::end);
    });
}

fn seconds(body: &dyn Fn()) -> f64 {
    let start = Instant::now();
    body();
    start.elapsed().as_secs_f64()
}

fn repeat(body: impl Fn()) {
    (0..REPEATS).for_each(|_| body());
}

fn spread(numbers: &mut [f64]) -> String {
    numbers.sort_by(f64::total_cmp);
    let (least, most) = (numbers[0], numbers[numbers.len() - 1]);
    format!("{:.2} ({least:.2}–{most:.2})", numbers[numbers.len() / 2])
}

/// Threads of the program's own, which stay, and take one chunk of images after the other.
struct Crew {
    threads: usize,
    next: AtomicUsize,
    over: AtomicBool,
    begin: Barrier,
    done: Barrier,
}

impl Crew {
    fn new(threads: usize) -> Crew {
        let [begin, done] = [(); 2].map(|()| Barrier::new(threads + 1));
        Crew { threads, next: AtomicUsize::new(0), over: AtomicBool::new(false), begin, done }
    }

    fn start<'scope, T: Sync>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        all: &'scope [T],
        size: usize,
        each: impl Fn(&[T]) + Copy + Send + 'scope,
    ) {
        for _ in 0..self.threads {
            scope.spawn(move || {
                loop {
                    self.begin.wait();
                    if self.over.load(Ordering::Relaxed) {
                        return;
                    }
                    let chunks = all.len().div_ceil(size);
                    loop {
                        let index = self.next.fetch_add(1, Ordering::Relaxed);
                        if index >= REPEATS * chunks {
                            break;
                        }
                        let first = index % chunks * size;
                        each(&all[first..all.len().min(first + size)]);
                    }
                    self.done.wait();
                }
            });
        }
    }

    fn work(&self) {
        self.next.store(0, Ordering::Relaxed);
        self.begin.wait();
        self.done.wait();
    }

    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.begin.wait();
    }
}

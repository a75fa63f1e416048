//! What each layer of the five nets takes in each pass of a training step, beside what the machine
//! can do at most, measured in the same run: `cargo bench -p typenet-benches --bench roofline` writes `docs/roofline.md`,
//! with nets' names behind `--` it prints those.

mod layers;
mod machine;
#[path = "../compare/typenet/src/nets.rs"]
#[allow(unreachable_pub, reason = "another program's module")]
mod nets;
#[path = "../page/mod.rs"]
mod page;

use std::fmt::Write;
use std::time::{Duration, Instant};

use layers::{Group, Kind, Layer, Pass, WeightGradient, layers};
use page::Page;
use typenet::kernels::team::Team;
use typenet::kernels::{LANES, isa};
use typenet::prelude::*;
use typenet::{Flat, Logits};

/// How long each number is measured.
const TIME: Duration = Duration::from_millis(60);

struct Machine {
    /// Operations a second.
    peak: f64,
    /// Bytes a second.
    bandwidth: f64,
}

fn main() -> std::io::Result<()> {
    let Some(mut page) = Page::of_arguments() else { return Ok(()) };
    let machine = Machine { peak: machine::fma_peak(isa()), bandwidth: machine::copy_bandwidth() };
    let [within, begin] = hand_offs();
    page.begin(&format!(
        "# Roofline\n\nWritten by `cargo bench -p typenet-benches --bench roofline`: {} threads, {}, at most {:.0} GFLOP/s \
         by fused multiply-adds and {:.1} GB/s by copies (read and written), measured in the same run.\n\n\
         To hand work to the other threads within a step and to wait for them takes {:.2} µs, with the beginning \
         of a step {:.2} µs, where the threads are still awake.\n\n\
         A row is one layer with what is fused into it, one pass, all images of a batch, its kernels alone: \
         the median. Operations are those of the direct algorithm, two for each multiply-add. *Of the roof* is the \
         time that the operations need at the peak or the values and gradients at the copies' bandwidth, \
         whichever is longer, of the time taken; over 100 % where values come from a cache, or a kernel does \
         fewer multiplications. Not in the rows: transforms of weights, sums of gradients over the groups, the loss \
         and the optimiser.\n",
        rayon::current_num_threads(),
        isa().name(),
        machine.peak / 1e9,
        machine.bandwidth / 1e9,
        within * 1e6,
        begin * 1e6,
    ));
    page.add("mlp", || section::<nets::Mlp>(&machine, 128));
    page.add("lenet5", || section::<nets::LeNet5>(&machine, 128));
    page.add("vgg6", || section::<nets::Vgg6>(&machine, 64));
    page.add("resnet20", || section::<nets::ResNet20>(&machine, 64));
    page.add("separable", || section::<nets::Separable>(&machine, 64));
    page.save("roofline.md")
}

fn section<N: Network + Logits>(machine: &Machine, batch: usize) -> String {
    let step = training_step::<N>(batch);
    let mut text = format!(
        "\n## {}, batch {batch}\n\n\
         | layer | | pass | kernel | time | GFLOP/s | of peak | GB/s | of the roof | of the step |\n\
         |---|---|---|---|---:|---:|---:|---:|---:|---:|\n",
        N::GRAPH.name
    );
    let mut all = 0.0;
    for layer in layers::<N>() {
        let mut groups: Vec<Group> =
            (0..batch.div_ceil(LANES)).map(|_| Group::new(&layer, isa())).collect();
        for (i, pass) in layer.passes().into_iter().enumerate() {
            let mut time = seconds(&mut groups, |group| group.run(&layer, pass));
            if (pass, layer.kind) == (Pass::WeightGradient, Kind::Linear) {
                let mut together = WeightGradient::new(&layer, groups.len());
                time += repeated(|| together.run(isa()));
            }
            all += time * layer.count as f64;
            let [name, geometry] = if i == 0 { title(&layer) } else { Default::default() };
            let kernel = layer.transforms(pass).map_or("", |(kernel, _)| kernel.name());
            let operations = layer.operations(pass).map(|each| each * batch as f64);
            let bytes = layer.bytes(pass) * batch as f64;
            let least = (bytes / machine.bandwidth).max(operations.unwrap_or(0.0) / machine.peak);
            let speed = operations.map_or([String::new(), String::new()], |operations| {
                let speed = operations / time;
                [format!("{:.0}", speed / 1e9), percent(speed / machine.peak)]
            });
            let _ = writeln!(
                text,
                "| {name} | {geometry} | {} | {kernel} | {:.0} µs | {} | {} | {:.1} | {} | {} |",
                pass.name(),
                time * 1e6,
                speed[0],
                speed[1],
                bytes / time / 1e9,
                percent(least / time),
                percent(time * layer.count as f64 / step),
            );
        }
    }
    let _ = writeln!(
        text,
        "\nAll together {:.2} ms; a training step takes {:.2} ms.",
        all * 1e3,
        step * 1e3
    );
    text
}

fn title(layer: &Layer) -> [String; 2] {
    let times = if layer.count > 1 { format!(", {} of them", layer.count) } else { String::new() };
    [format!("`{}`{times}", layer.name), layer.geometry()]
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The time of a call.
fn repeated(mut run: impl FnMut()) -> f64 {
    run();
    let start = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < 5 || start.elapsed() < TIME {
        let start = Instant::now();
        run();
        samples.push(start.elapsed().as_secs_f64());
    }
    median(samples)
}

/// What it costs to hand work to all threads of a running step and to wait for them, and to begin a
/// step: seconds.
fn hand_offs() -> [f64; 2] {
    const COUNT: usize = 10_000;
    let share = |team: &Team| team.share(team.threads(), &|_| {});
    let within = Team::gather(usize::MAX, |team| {
        repeated(|| (0..COUNT).for_each(|_| share(team))) / COUNT as f64
    });
    let begin = repeated(|| Team::gather(usize::MAX, share));
    [within, begin]
}

/// The time of one run over all groups, which the threads share as they do in a training step.
fn seconds(groups: &mut [Group], run: impl Fn(&mut Group) + Sync) -> f64 {
    let a_thread = groups.len().div_ceil(rayon::current_num_threads()).max(1);
    let mut rounds = |count: usize| {
        let start = Instant::now();
        rayon::scope(|scope| {
            for own in groups.chunks_mut(a_thread) {
                let run = &run;
                scope.spawn(move |_| {
                    for _ in 0..count {
                        own.iter_mut().for_each(run);
                    }
                });
            }
        });
        start.elapsed().as_secs_f64() / count as f64
    };
    rounds(1);
    // Long enough that starting the threads does not count.
    let count = ((5e-3 / rounds(1)) as usize).clamp(1, 10_000);
    let start = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < 5 || start.elapsed() < TIME {
        samples.push(rounds(count));
    }
    median(samples)
}

fn training_step<N: Network + Logits>(batch: usize) -> f64 {
    let mut net = N::seeded(1);
    let numbers: Vec<f32> = (0..batch * N::Input::LEN).map(|i| (i as f32 * 0.7).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap_or_default();
    let labels: Vec<usize> = (0..batch).map(|i| i % 10).collect();
    let mut ws = N::workspace(batch);
    let mut sgd = Sgd::new(1e-3).momentum(0.9).weight_decay(5e-4).state(&net);
    let loss = CrossEntropy::new();
    let mut samples = Vec::new();
    let start = Instant::now();
    while samples.len() < 8 || start.elapsed() < 5 * TIME {
        let start = Instant::now();
        net.forward(images, &mut ws);
        let _ = loss.forward_backward(&labels, &mut ws);
        net.backward(images, &mut ws);
        sgd.step(&mut net, ws.gradients());
        samples.push(start.elapsed().as_secs_f64());
    }
    median(samples)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

//! No heap allocation in a training step after the first, nor in inference after the first image.
#![allow(clippy::unwrap_used)]

use typenet::Flat;
use typenet::own::{Along, Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

network! {
    struct LeNet: [1, 28, 28] -> [10] {
        conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2d(16, kernel = 5), relu,
        avg_pool2d(2), dropout(0.1),
        flatten,
        linear(120), tanh,
        linear(10),
    }
}

network! {
    /// Large enough that one image is shared out among threads.
    struct Residual: [3, 32, 32] -> [10] {
        conv2d(16, kernel = 3, padding = 1, bias = false), batch_norm, relu,
        residual {
            conv2d(16, kernel = 3, padding = 1, bias = false), batch_norm, relu,
            conv2d(16, kernel = 3, padding = 1, bias = false), batch_norm,
        }
        relu,
        depthwise_conv2d(kernel = 3, stride = 2, padding = 1), group_norm(4), relu,
        global_avg_pool,
        linear(10),
    }
}

network! {
    /// Two inputs, two heads.
    struct Heads: (image: [3, 16, 16], pose: [6]) -> (class: [10], bbox: [4]) {
        from(image), conv2d(8, kernel = 3, stride = 2), batch_norm, relu,
        flatten, concat(pose), linear(24), trunk: tanh,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}

/// `x³`
struct Cube;

#[typenet::layer]
impl Cube {
    const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
}

impl Layer for Cube {
    fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x * x);
    }
    fn backward(
        &self,
        _: Shape,
        _: Parameters<'_>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        _: Gradients<'_>,
    ) {
        dx.iter_mut().zip(x.iter().zip(dy)).for_each(|(dx, (x, dy))| *dx = 3.0 * x * x * dy);
    }
    fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x * x);
    }
    fn jvp(&self, _: Shape, _: Parameters<'_>, x: &[f32], along: Along<'_>, tangent: &mut [f32]) {
        tangent
            .iter_mut()
            .zip(x.iter().zip(along.x))
            .for_each(|(t, (x, tx))| *t = 3.0 * x * x * tx);
    }
}

network! {
    struct Features: [1, 12, 12] -> [8, 6, 6] {
        conv2d(8, kernel = 5, padding = 2), batch_norm, relu, max_pool2d(2), self::Cube,
    }
}

network! {
    /// Of another net and a layer of the user's own.
    struct Parts: [1, 12, 12] -> [10] {
        self::Cube, features: self::Features, conv2d(4, kernel = 1), self::Cube, flatten, linear(10),
    }
}

/// How many blocks of memory are allocated meanwhile, on all threads.
fn blocks(run: impl FnOnce()) -> u64 {
    let before = dhat::HeapStats::get().total_blocks;
    run();
    dhat::HeapStats::get().total_blocks - before
}

fn check<N: Network<Output = [f32; 10]> + typenet::Logits>(count: usize) {
    let numbers: Vec<f32> = (0..count * N::Input::LEN).map(|i| (i as f32 * 0.7).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let labels: Vec<usize> = (0..count).map(|i| i % 10).collect();
    let before = dhat::HeapStats::get().curr_bytes;
    let mut net = N::seeded(1);
    let mut ws = N::workspace(count);
    net.forward(images, &mut ws);
    net.backward(images, &mut ws);
    let (found, expected) = (dhat::HeapStats::get().curr_bytes - before, N::training_memory(count));
    let ratio = found as f64 / expected as f64;
    assert!((0.9..=1.1).contains(&ratio), "{}: {found} bytes, {expected} expected", N::GRAPH.name);
    let mut sgd = Sgd::new(0.01).momentum(0.9).weight_decay(1e-4).state(&net);
    let loss = CrossEntropy::new().label_smoothing(0.1);
    let mut outputs = vec![[0.0; 10]; count];
    let mut classes = vec![0; count];
    let (mut tangents, moves) = (vec![[0.0; 10]; count], N::Parameters::zeroed());
    for round in 0..4 {
        let training = blocks(|| {
            net.forward(images, &mut ws);
            loss.forward_backward(&labels, &mut ws).unwrap();
            net.backward(images, &mut ws);
            sgd.step(&mut net, ws.gradients());
        });
        net.predict(&images[0]);
        let one = blocks(|| {
            net.predict(&images[1]);
        });
        let with = blocks(|| {
            net.predict_with(&mut ws, &images[2]);
        });
        let many = blocks(|| net.outputs_into(&mut ws, images, &mut outputs).unwrap());
        let into = blocks(|| net.predict_into(&mut ws, images, &mut classes).unwrap());
        let along = Direction::of_inputs(images).and_parameters(&*moves);
        let slope = blocks(|| {
            net.slope(&loss, images, &labels, along, &mut ws).unwrap();
        });
        let jvp = blocks(|| {
            net.jvp_into(&mut ws, images, along, &mut outputs, &mut tangents).unwrap();
        });
        if round > 0 {
            let inference = [one, with, many, into];
            assert_eq!((training, inference), (0, [0; 4]), "{} round {round}", N::GRAPH.name);
            assert_eq!((slope, jvp), (0, 0), "{} round {round}", N::GRAPH.name);
        }
    }
}

fn check_heads() {
    let numbers: Vec<f32> = (0..40 * 774).map(|i| (i as f32 * 0.7).sin()).collect();
    let images = HeadsInput::slice_from_flat(&numbers).unwrap();
    let targets: Vec<_> =
        (0..40).map(|i| HeadsTarget { class: i % 10, bbox: [0.1, 0.2, 0.3, 0.4] }).collect();
    let before = dhat::HeapStats::get().curr_bytes;
    let mut net = Heads::seeded(1);
    let mut ws = Heads::workspace(40);
    net.forward(images, &mut ws);
    net.backward(images, &mut ws);
    let found = dhat::HeapStats::get().curr_bytes - before;
    let ratio = found as f64 / Heads::training_memory(40) as f64;
    assert!((0.9..=1.1).contains(&ratio), "{found} bytes, {ratio} of what is expected");
    let mut sgd = Sgd::new(0.01).momentum(0.9).state(&net);
    let loss = HeadsLoss { class: CrossEntropy::new(), bbox: (0.5, Huber::new(1.0)) };
    for round in 0..3 {
        let training = blocks(|| {
            net.forward(images, &mut ws);
            loss.forward_backward(&targets, &mut ws).unwrap();
            net.backward(images, &mut ws);
            sgd.step(&mut net, ws.gradients());
        });
        net.output(&images[0]);
        let one = blocks(|| {
            net.output(&images[1]);
        });
        if round > 0 {
            assert_eq!((training, one), (0, 0), "round {round}");
        }
    }
}

/// Batches of images that change at random, fetched ahead.
fn check_batches() {
    use typenet::data::{Augment, Border, Examples, Images, Prefetch, Sampler};

    type Image = [[[f32; 16]; 16]; 3];
    let bytes = (0..200 * Image::LEN).map(|i| (i * 31 % 251) as u8).collect();
    let images = Images::<Image>::from_bytes(bytes, (0..200).map(|i| i % 10).collect()).unwrap();
    let augment = Augment::new()
        .border(Border::Reflect)
        .random_crop(2)
        .alternating_flip()
        .rotation(10.0)
        .elastic(8.0, 3.0)
        .color_jitter(0.2, 0.2, 0.2, 0.1)
        .random_erasing_with(0.5, [0.1, 0.2], [0.5, 2.0])
        .cutout(4);
    let train = images.augmented(augment, 1).unwrap().mixup(0.4, 2).unwrap();
    let train = train.subset((0..150).collect()).unwrap();
    for threads in [0, 1, 2] {
        let sampler = Sampler::new(150, 16, 3);
        let prefetch = Prefetch::new::<Image, _>(&train, sampler).epochs(0..8).threads(threads);
        prefetch.run(|batches| {
            // Until every buffer and every thread has its memory: each is filled while nobody takes one.
            for _ in 0..30 {
                batches.next().unwrap().unwrap();
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            let later = blocks(|| while batches.next().unwrap().is_some() {});
            assert_eq!(later, 0, "{threads} threads");
        });
    }
}

#[test]
fn steps_and_predictions_allocate_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    // On a thread of the pool: a thread outside hands work over through a queue that grows by
    // itself, some bytes for every 60 calls.
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap().install(|| {
        check::<LeNet>(100);
        check::<Residual>(100);
        check_heads();
        check::<Parts>(100);
        // Few images, of which a step has 16 channels side by side.
        check::<Residual>(9);
        check::<Parts>(4);
    });
    check_batches();
}

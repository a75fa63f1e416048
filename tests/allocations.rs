//! No heap allocation in a training step after the first, nor in inference after the first image.
#![allow(clippy::unwrap_used)]

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

/// How many blocks of memory are allocated meanwhile, on all threads.
fn blocks(run: impl FnOnce()) -> u64 {
    let before = dhat::HeapStats::get().total_blocks;
    run();
    dhat::HeapStats::get().total_blocks - before
}

#[test]
fn steps_and_predictions_allocate_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let images: Vec<Input<LeNet>> = (0..100)
        .map(|i| {
            let mut image = [[[0.0; 28]; 28]];
            image[0][i % 28] = [1.0; 28];
            image
        })
        .collect();
    let labels: Vec<usize> = (0..100).map(|i| i % 10).collect();
    let mut net = LeNet::seeded(1);
    let mut ws = LeNet::workspace(100);
    let mut sgd = Sgd::new(0.01).momentum(0.9).weight_decay(1e-4).state(&net);
    let loss = CrossEntropy::new().label_smoothing(0.1);
    let mut outputs = vec![[0.0; 10]; 100];
    let mut classes = vec![0; 100];

    // On a thread of the pool: a thread outside hands work over through a queue that grows by
    // itself, some bytes for every 60 calls.
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap().install(|| {
        for round in 0..5 {
            let training = blocks(|| {
                net.forward(&images, &mut ws);
                loss.forward_backward(&labels, &mut ws).unwrap();
                net.backward(&images, &mut ws);
                sgd.step(&mut net, ws.gradients());
            });
            net.predict(&images[0]);
            let one = blocks(|| {
                net.predict(&images[1]);
            });
            let with = blocks(|| {
                net.predict_with(&mut ws, &images[2]);
            });
            let many = blocks(|| net.outputs_into(&mut ws, &images, &mut outputs).unwrap());
            let into = blocks(|| net.predict_into(&mut ws, &images, &mut classes).unwrap());
            let inference = [one, with, many, into];
            if round > 0 {
                assert_eq!((training, inference), (0, [0; 4]), "round {round}");
            }
        }
    });
}

//! Training steps and inference of whole nets, in images a second: `cargo bench --bench nets`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use typenet::Plain;
use typenet::prelude::*;

network! {
    struct Mlp: [1, 28, 28] -> [10] {
        flatten,
        fc1: linear(256), relu,
        fc2: linear(128), relu,
        fc3: linear(10),
    }
}

network! {
    struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

network! {
    struct Vgg6: [3, 32, 32] -> [10] {
        conv2d(32, kernel = 3, padding = 1), relu,
        conv2d(32, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        conv2d(64, kernel = 3, padding = 1), relu,
        conv2d(64, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        conv2d(128, kernel = 3, padding = 1), relu,
        conv2d(128, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        linear(128), relu,
        linear(10),
    }
}

fn bench<N: Network<Output = [f32; 10]> + typenet::Logits>(c: &mut Criterion, batch: usize) {
    let numbers: Vec<f32> = (0..batch * N::Input::LEN).map(|i| (i as f32 * 0.7).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap_or_default();
    let labels: Vec<usize> = (0..batch).map(|i| i % 10).collect();
    let mut net = N::seeded(1);
    let mut ws = N::workspace(batch);
    let mut sgd = Sgd::new(1e-3).momentum(0.9).weight_decay(5e-4).state(&net);
    let loss = CrossEntropy::new();

    let mut group = c.benchmark_group(N::GRAPH.name);
    group.sample_size(20);
    group.throughput(Throughput::Elements(batch as u64));
    group.bench_function(BenchmarkId::new("training step", batch), |b| {
        b.iter(|| {
            net.forward(images, &mut ws);
            let loss = loss.forward_backward(&labels, &mut ws);
            net.backward(images, &mut ws);
            sgd.step(&mut net, ws.gradients());
            loss
        });
    });
    let mut outputs = vec![[0.0; 10]; batch];
    group.bench_function(BenchmarkId::new("inference", batch), |b| {
        b.iter(|| net.outputs_into(&mut ws, images, &mut outputs));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("inference", 1), |b| b.iter(|| net.predict(&images[0])));
    group.finish();
}

fn nets(c: &mut Criterion) {
    bench::<Mlp>(c, 128);
    bench::<LeNet5>(c, 128);
    bench::<Vgg6>(c, 64);
}

criterion_group!(benches, nets);
criterion_main!(benches);

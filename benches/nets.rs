//! Training steps and inference of whole nets, in images a second: `cargo bench -p typenet-benches --bench nets`.

#[path = "compare/typenet/src/nets.rs"]
#[allow(unreachable_pub, reason = "another program's module")]
mod nets;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nets::{LeNet5, Mlp, ResNet20, Separable, Vgg6};
use typenet::Flat;
use typenet::prelude::*;

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

fn all(c: &mut Criterion) {
    bench::<Mlp>(c, 128);
    bench::<LeNet5>(c, 128);
    bench::<Vgg6>(c, 64);
    bench::<ResNet20>(c, 64);
    bench::<Separable>(c, 64);
}

criterion_group!(benches, all);
criterion_main!(benches);

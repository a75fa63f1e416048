//! What a source of images delivers on one core, in images a second, 3×32×32 with batches of 128:
//! `cargo bench -p typenet-benches --bench data`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use typenet::Flat;
use typenet::data::{Augment, Border, Examples, Images, Sampler, View};

type Image = [[[f32; 32]; 32]; 3];

const COUNT: usize = 5_000;
const BATCH: usize = 128;

/// Images of noise, normalised.
fn images() -> typenet::Result<Images<Image>> {
    let mut state = 1u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels = (0..COUNT * Image::LEN).map(|_| byte()).collect();
    let mut images = Images::from_bytes(pixels, (0..COUNT).map(|i| i % 10).collect())?;
    images.normalize(&images.channel_statistics()?)?;
    Ok(images)
}

/// Times an epoch's batches in random order.
fn bench<T>(c: &mut Criterion, name: &str, source: &dyn Examples<Image, T>) {
    let mut sampler = Sampler::new(COUNT, BATCH, 1);
    sampler.shuffle(0);
    let batches: Vec<&[usize]> = sampler.batches().collect();
    let mut group = c.benchmark_group("data");
    group.sample_size(20);
    group.throughput(Throughput::Elements(BATCH as u64));
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    let mut next = 0;
    group.bench_function(name, |b| {
        b.iter(|| {
            next = (next + 1) % (batches.len() - 1);
            source.batch_into(View::Epoch(0), batches[next], &mut inputs, &mut targets)
        });
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    let Ok(images) = images() else { return };
    bench(c, "bytes, normalised", &images);
    let new = || Augment::new().border(Border::Reflect);
    for (name, augment) in [
        ("crop and flip", new().random_crop(4).horizontal_flip()),
        ("crop, alternating flip, cutout", new().random_crop(4).alternating_flip().cutout(12)),
        ("colour jitter", new().color_jitter(0.4, 0.4, 0.4, 0.0)),
        ("colour jitter with hue", new().color_jitter(0.4, 0.4, 0.4, 0.1)),
        ("rotation, scale, translation", new().rotation(10.0).scale(0.9, 1.1).translation(0.1)),
        ("elastic", new().elastic(34.0, 4.0)),
    ] {
        if let Ok(source) = (&images).augmented(augment, 7) {
            bench::<usize>(c, name, &source);
        }
    }
    let augment = new().random_crop(4).horizontal_flip();
    let source = (&images).augmented(augment, 7).and_then(|source| source.mixup(1.0, 8));
    if let Ok(source) = source {
        bench(c, "crop, flip and mixup", &source);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);

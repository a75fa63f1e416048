//! Linear layers, a batch of 128 on one thread, beside the `matrixmultiply` crate:
//! `cargo bench -p typenet-benches --bench matmul`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use typenet::kernels::{Isa, LANES, Lanes, isa, linear};
use typenet_shape::Activation;

const BATCH: usize = 128;

/// Numbers between −1 and 1.
fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i as f32 * 0.7).sin()).collect()
}

/// As many images, 16 in each group.
fn lanes(features: usize) -> Vec<Vec<Lanes>> {
    let group = |g: usize| {
        (0..features).map(|i| Lanes([((g * features + i) as f32 * 0.3).sin(); LANES])).collect()
    };
    (0..BATCH / LANES).map(group).collect()
}

fn layer(c: &mut Criterion, inputs: usize, outputs: usize) {
    let isa: Isa = isa();
    let weight = numbers(inputs * outputs);
    let (x, mut y) = (lanes(inputs), lanes(outputs));
    let (mut dx, mut dw) = (lanes(inputs), vec![0.0; inputs * outputs]);
    let (a, mut b) = (numbers(BATCH * inputs), numbers(BATCH * outputs));
    let (mut da, mut dw2) = (numbers(BATCH * inputs), vec![0.0; inputs * outputs]);
    // Row and column strides of each matrix and of its transpose.
    let (x_rows, y_rows, w_rows) = ([inputs, 1], [outputs, 1], [inputs, 1]);
    let turned = |[row, column]: [usize; 2]| [column, row];

    let mut group = c.benchmark_group(format!("linear {inputs} to {outputs}"));
    group.sample_size(20);
    group.throughput(Throughput::Elements((2 * BATCH * inputs * outputs) as u64));
    group.bench_function(BenchmarkId::new("forward", "typenet"), |bench| {
        bench.iter(|| {
            for (x, y) in x.iter().zip(&mut y) {
                linear::forward(isa, x, &weight, None, Activation::Identity, y);
            }
        });
    });
    group.bench_function(BenchmarkId::new("forward", "matrixmultiply"), |bench| {
        bench.iter(|| {
            let sizes = [BATCH, inputs, outputs];
            multiply(sizes, (&a, x_rows), (&weight, turned(w_rows)), (&mut b, y_rows));
        });
    });
    group.bench_function(BenchmarkId::new("data gradient", "typenet"), |bench| {
        bench.iter(|| {
            for (dy, dx) in y.iter().zip(&mut dx) {
                linear::backward_data(isa, dy, &weight, dx);
            }
        });
    });
    group.bench_function(BenchmarkId::new("data gradient", "matrixmultiply"), |bench| {
        bench.iter(|| {
            let sizes = [BATCH, outputs, inputs];
            multiply(sizes, (&b, y_rows), (&weight, w_rows), (&mut da, x_rows));
        });
    });
    group.bench_function(BenchmarkId::new("weight gradient", "typenet"), |bench| {
        bench.iter(|| {
            dw.fill(0.0);
            for (x, dy) in x.iter().zip(&y) {
                linear::backward_weight(isa, x, dy, &mut dw, None);
            }
        });
    });
    group.bench_function(BenchmarkId::new("weight gradient", "matrixmultiply"), |bench| {
        bench.iter(|| {
            let sizes = [outputs, BATCH, inputs];
            multiply(sizes, (&b, turned(y_rows)), (&a, x_rows), (&mut dw2, w_rows));
        });
    });
    group.finish();
}

/// `c = a · b` with `[m, k, n] = sizes`, each matrix with its strides.
#[allow(unsafe_code)]
fn multiply(
    [m, k, n]: [usize; 3],
    (a, a_strides): (&[f32], [usize; 2]),
    (b, b_strides): (&[f32], [usize; 2]),
    (c, c_strides): (&mut [f32], [usize; 2]),
) {
    let inside = |rows: usize, columns: usize, [row, column]: [usize; 2], len: usize| {
        (rows - 1) * row + (columns - 1) * column < len
    };
    assert!(inside(m, k, a_strides, a.len()), "the first matrix");
    assert!(inside(k, n, b_strides, b.len()), "the second matrix");
    assert!(inside(m, n, c_strides, c.len()), "the product");
    let [ra, ca, rb, cb, rc, cc] = [a_strides, b_strides, c_strides]
        .concat()
        .try_into()
        .map_or([0; 6], |all: [usize; 6]| all.map(usize::cast_signed));
    // SAFETY: the last number of each matrix lies inside its slice, so all others do.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            ra,
            ca,
            b.as_ptr(),
            rb,
            cb,
            0.0,
            c.as_mut_ptr(),
            rc,
            cc,
        );
    }
}

fn layers(c: &mut Criterion) {
    for (inputs, outputs) in [(84, 10), (256, 120), (784, 256), (2048, 128), (4096, 1000)] {
        layer(c, inputs, outputs);
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);

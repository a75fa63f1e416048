//! Speed of the kernels for one image on one thread: microseconds and billions of multiplications
//! and additions a second.
//!
//! `cargo run --release -p typenet-kernels --example blocked_speed`

use std::hint::black_box;
use std::time::Instant;

use typenet_kernels::blocked::{self, Pixels, Rows, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::{LANES, Lanes, isa};
use typenet_shape::{Activation, Conv2d, Shape};

/// The best of many runs, in microseconds.
fn best(mut run: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..10 {
            run();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e5);
    }
    best
}

fn main() {
    let isa = isa();
    for (input, out_channels, kernel, padding, stride) in [
        ([1, 28, 28], 6, 5, 0, 1),
        ([6, 12, 12], 16, 5, 0, 1),
        ([3, 32, 32], 32, 3, 1, 1),
        ([32, 32, 32], 32, 3, 1, 1),
        ([64, 16, 16], 64, 3, 1, 1),
        ([128, 8, 8], 128, 3, 1, 1),
        ([16, 32, 32], 16, 3, 1, 1),
        ([32, 16, 16], 32, 3, 1, 1),
        ([64, 8, 8], 64, 3, 1, 1),
        ([16, 32, 32], 32, 3, 1, 2),
        ([128, 8, 8], 256, 1, 0, 1),
    ] {
        let mut g = Conv2d::new(Shape::new(&input), out_channels, [kernel, kernel]);
        g.padding = [padding, padding];
        g.stride = [stride, stride];
        let Ok(output) = g.output() else { continue };
        let x = vec![Lanes([0.5; LANES]); blocks(input[0]) * input[1] * input[2]];
        let packed = vec![Lanes([0.25; LANES]); blocked::conv2d_packed_len(&g)];
        let mut y = vec![Lanes::ZERO; blocks(out_channels) * output.dim(1) * output.dim(2)];
        let time = best(|| {
            blocked::conv2d(
                isa,
                &Team::alone(),
                &g,
                Pixels::Blocked(&x),
                &packed,
                None,
                Activation::Relu,
                &mut y,
            );
            black_box(&mut y);
        });
        let work = 2 * g.weight().elements() * output.dim(1) * output.dim(2);
        let [c, h, w] = input;
        let name = format!("conv {kernel}x{kernel} {c} to {out_channels} on {h}x{w}");
        println!("{name:34} {time:8.1} µs {:8.1} GFLOP/s", work as f64 / time / 1e3);
    }
    for (inputs, outputs) in [(784, 256), (256, 128), (256, 120), (120, 84), (84, 10), (2048, 128)]
    {
        let x = vec![0.5; inputs];
        let packed = vec![Lanes([0.25; LANES]); blocked::linear_packed_len(inputs, outputs)];
        let mut y = vec![Lanes::ZERO; blocks(outputs)];
        let time = best(|| {
            blocked::linear(
                isa,
                &Team::alone(),
                Rows::one(&x),
                &packed,
                None,
                Activation::Relu,
                &mut y,
            );
            black_box(&mut y);
        });
        let name = format!("linear {inputs} to {outputs}");
        let work = 2 * inputs * outputs;
        println!("{name:34} {time:8.1} µs {:8.1} GFLOP/s", work as f64 / time / 1e3);
    }
}

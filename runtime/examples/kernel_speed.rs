//! Speed of the heavy kernels on one thread, for each instruction set: billions of multiplications
//! and additions a second, best of many runs. A multiply-add counts as two.
//!
//! `cargo run --release -p typenet-runtime --example kernel_speed [part of a name]`

use std::hint::black_box;
use std::time::Instant;

use typenet_runtime::kernels::{Isa, LANES, Lanes, conv2d, linear};
use typenet_shape::{Activation, Conv2d, Shape};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("{:34} {:9} {:>8} {:>8} {:>8}", "", "", "forward", "data", "weight");
    for (input, out_channels, kernel, padding) in [
        ([1, 28, 28], 6, 5, 0),
        ([6, 12, 12], 16, 5, 0),
        ([3, 32, 32], 32, 3, 1),
        ([32, 32, 32], 32, 3, 1),
        ([64, 16, 16], 64, 3, 1),
        ([128, 8, 8], 128, 3, 1),
        ([128, 8, 8], 128, 1, 0),
    ] {
        let mut g = Conv2d::new(Shape::new(&input), out_channels, [kernel, kernel]);
        g.padding = [padding, padding];
        let [c, h, w] = input;
        let name = format!("conv {kernel}x{kernel} {c} to {out_channels} on {h}x{w}");
        if name.contains(&wanted) {
            convolution(&name, &g)?;
        }
    }
    for (inputs, outputs) in [(256, 120), (784, 256), (84, 10)] {
        let name = format!("linear {inputs} to {outputs}");
        if name.contains(&wanted) {
            fully_connected(&name, inputs, outputs);
        }
    }
    Ok(())
}

fn convolution(name: &str, g: &Conv2d) -> Result<(), Box<dyn std::error::Error>> {
    let output = g.output().map_err(|error| format!("{error:?}"))?;
    let x = ramp(g.input.elements());
    let mut dx = x.clone();
    let mut y = ramp(output.elements());
    let dy = y.clone();
    let weight = vec![0.01; g.weight().elements()];
    let mut dw = weight.clone();
    let bias = vec![0.1; g.out_channels];
    let mut db = bias.clone();
    let work = weight.len() * output.dim(1) * output.dim(2);
    for isa in Isa::available() {
        let f = Activation::Relu;
        let forward = rate(work, || {
            conv2d::forward(isa, g, black_box(&x), &weight, Some(&bias), f, &mut y);
        });
        let data = rate(work, || conv2d::backward_data(isa, g, black_box(&dy), &weight, &mut dx));
        let gradient = rate(work, || {
            conv2d::backward_weight(isa, g, black_box(&x), &dy, &mut dw, Some(&mut db));
        });
        println!("{name:34} {isa:9} {forward:8.1} {data:8.1} {gradient:8.1}");
    }
    Ok(())
}

fn fully_connected(name: &str, inputs: usize, outputs: usize) {
    let x = ramp(inputs);
    let mut dx = x.clone();
    let mut y = ramp(outputs);
    let dy = y.clone();
    let weight = vec![0.01; inputs * outputs];
    let mut dw = weight.clone();
    let bias = vec![0.1; outputs];
    let mut db = bias.clone();
    let work = weight.len();
    for isa in Isa::available() {
        let f = Activation::Relu;
        let forward = rate(work, || {
            linear::forward(isa, black_box(&x), &weight, Some(&bias), f, &mut y);
        });
        let data = rate(work, || linear::backward_data(isa, black_box(&dy), &weight, &mut dx));
        let gradient = rate(work, || {
            linear::backward_weight(isa, black_box(&x), &dy, &mut dw, Some(&mut db));
        });
        println!("{name:34} {isa:9} {forward:8.1} {data:8.1} {gradient:8.1}");
    }
}

fn ramp(len: usize) -> Vec<Lanes> {
    (0..len).map(|i| Lanes([(i % 17) as f32 * 0.1 - 0.8; LANES])).collect()
}

/// GFLOP/s of the fastest run within a fifth of a second.
fn rate(multiply_adds_per_image: usize, mut kernel: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 0.2 {
        let run = Instant::now();
        kernel();
        best = best.min(run.elapsed().as_secs_f64());
    }
    2.0 * (LANES * multiply_adds_per_image) as f64 / best / 1e9
}

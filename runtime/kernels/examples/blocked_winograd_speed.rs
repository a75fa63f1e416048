//! Speed of convolutions of one image, for each kernel that can run them, in microseconds; `*` is at
//! the one that is chosen. Weights come from copies that fill more than a second-level cache, as those
//! of a whole net do.
//!
//! `cargo run --release -p typenet-kernels --example blocked_winograd_speed [part of a name]`

use std::hint::black_box;
use std::time::Instant;

use typenet_kernels::blocked::{self, Pixels, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{Isa, Lanes, isa};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Shape};

/// Bytes of all copies of a weight.
const WEIGHTS: usize = 2 << 20;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let isa = isa();
    println!("{isa}, µs on 1 thread and on 2");
    println!("{:28} {:>16} {:>16} {:>16}", "", "direct", "Winograd 2×2", "Winograd 4×4");
    for (channels, out_channels, size, kernel) in [
        (16, 16, 32, 3),
        (32, 32, 32, 3),
        (32, 64, 16, 3),
        (32, 32, 16, 3),
        (64, 64, 16, 3),
        (64, 128, 8, 3),
        (64, 64, 8, 3),
        (128, 128, 8, 3),
        (128, 128, 28, 3),
        (256, 256, 14, 3),
        (512, 512, 7, 3),
        (6, 16, 8, 5),
        (16, 32, 14, 5),
        (32, 64, 16, 5),
        (32, 64, 32, 1),
        (128, 256, 8, 1),
    ] {
        let name = format!("{kernel}x{kernel} {channels} to {out_channels} on {size}x{size}");
        if !name.contains(&wanted) {
            continue;
        }
        let mut g = Conv2d::new(Shape::new(&[channels, size, size]), out_channels, [kernel; 2]);
        g.padding = [kernel / 2; 2];
        print!("{name:28}");
        for kernel in [Conv2dKernel::Direct, Conv2dKernel::Winograd2, Conv2dKernel::Winograd4] {
            if kernel.runs(&g) {
                let [one, two] = [1, 2].map(|threads| time(isa, &g, kernel, threads));
                let chosen = if Conv2dKernel::choose_for_one(&g) == kernel { '*' } else { ' ' };
                print!(" {one:7.1} {two:7.1}{chosen}");
            }
        }
        println!();
    }
}

/// Microseconds of a call, the median.
fn time(isa: Isa, g: &Conv2d, kernel: Conv2dKernel, threads: usize) -> f64 {
    let plane = g.input.dim(1) * g.input.dim(2);
    let weight = vec![0.01; g.weight().elements()];
    let mut packed = Vec::new();
    let direct = kernel == Conv2dKernel::Direct;
    let mut scratch = Vec::new();
    if direct {
        packed.resize(blocked::conv2d_packed_len(g), Lanes::ZERO);
        blocked::pack_conv2d(g, &weight, None, &mut packed);
    } else {
        packed.resize(blocked_winograd::packed_len(kernel, g), Lanes::ZERO);
        blocked_winograd::pack(isa, kernel, g, &weight, None, &mut packed);
        scratch.resize(blocked_winograd::scratch_len(kernel, g, threads), Lanes::ZERO);
    }
    let copies = vec![packed.clone(); WEIGHTS.div_ceil(size_of_val(&packed[..]))];
    let x = vec![Lanes([0.5; 16]); blocks(g.input.dim(0)) * plane];
    let mut y = vec![Lanes::ZERO; blocks(g.out_channels) * plane];
    let (f, mut times) = (Activation::Relu, Vec::new());
    Team::gather(threads, |team| {
        let start = Instant::now();
        while start.elapsed().as_millis() < 300 {
            for packed in &copies {
                let x = black_box(&x[..]);
                let start = Instant::now();
                if direct {
                    blocked::conv2d(isa, team, g, Pixels::Blocked(x), packed, None, f, &mut y);
                } else {
                    let (y, room) = (&mut y, &mut scratch);
                    blocked_winograd::forward(isa, team, kernel, g, x, packed, None, f, y, room);
                }
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
    });
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

//! Speed of the heavy kernels on one thread, for each instruction set: billions of multiplications
//! and additions a second, best of many runs. A multiply-add counts as two. Where a convolution has
//! several kernels, all rates are by the direct one's operations, and `*` is at the one that is chosen.
//!
//! `cargo run --release -p typenet-kernels --example kernel_speed [part of a name]`

use std::hint::black_box;
use std::time::Instant;

use typenet_kernels::team::Team;
use typenet_kernels::{
    Epilogue, Isa, LANES, Lanes, activation, batch_norm, blocked, conv2d, dropout, group_norm, isa,
    linear, pack, pointwise, pool2d, softmax, unpack, winograd,
};
use typenet_shape::{Activation, Approximate, Conv2d, Conv2dKernel, Conv2dPass, Pool2d, Shape};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("{:34} {:9} {:>8} {:>8} {:>8}", "", "", "forward", "data", "weight");
    for (input, out_channels, kernel, padding, stride, groups) in [
        ([1, 28, 28], 6, 5, 0, 1, 1),
        ([6, 12, 12], 16, 5, 0, 1, 1),
        ([16, 14, 14], 32, 5, 2, 1, 1),
        ([32, 16, 16], 64, 5, 2, 1, 1),
        ([3, 32, 32], 32, 3, 1, 1, 1),
        ([16, 32, 32], 16, 3, 1, 1, 1),
        ([32, 16, 16], 32, 3, 1, 1, 1),
        ([64, 8, 8], 64, 3, 1, 1, 1),
        ([32, 32, 32], 32, 3, 1, 1, 1),
        ([64, 16, 16], 64, 3, 1, 1, 1),
        ([128, 8, 8], 128, 3, 1, 1, 1),
        ([64, 56, 56], 64, 3, 1, 1, 1),
        ([256, 14, 14], 256, 3, 1, 1, 1),
        ([512, 7, 7], 512, 3, 1, 1, 1),
        ([512, 4, 4], 512, 3, 1, 1, 1),
        ([32, 32, 32], 64, 3, 1, 2, 1),
        ([32, 32, 32], 64, 1, 0, 1, 1),
        ([64, 16, 16], 128, 1, 0, 1, 1),
        ([128, 16, 16], 128, 1, 0, 1, 1),
        ([128, 8, 8], 128, 1, 0, 1, 1),
        ([256, 8, 8], 256, 1, 0, 1, 1),
        ([16, 32, 32], 96, 1, 0, 1, 1),
        ([144, 14, 14], 24, 1, 0, 1, 1),
        ([512, 4, 4], 512, 1, 0, 1, 1),
        ([16, 32, 32], 32, 1, 0, 2, 1),
        ([32, 16, 16], 64, 1, 0, 2, 1),
        ([8, 16, 16], 8, 1, 0, 1, 1),
        ([64, 32, 32], 64, 3, 1, 1, 64),
        ([256, 8, 8], 256, 3, 1, 1, 256),
        ([128, 16, 16], 128, 3, 1, 2, 128),
        ([96, 14, 14], 96, 5, 2, 1, 96),
    ] {
        let mut g = Conv2d::new(Shape::new(&input), out_channels, [kernel, kernel]);
        g.padding = [padding, padding];
        g.stride = [stride, stride];
        g.groups = groups;
        let [c, h, w] = input;
        let mut name = format!("conv {kernel}x{kernel} {c} to {out_channels} on {h}x{w}");
        if stride > 1 {
            name += ", stride 2";
        }
        if groups > 1 {
            name += ", depthwise";
        }
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
    if wanted.is_empty() || wanted == "values" {
        values();
    }
    if wanted.is_empty() || wanted == "norms" {
        norms(16, 32 * 32);
        norms(64, 8 * 8);
        norms(64, 32 * 32);
        norms(256, 1);
    }
    Ok(())
}

/// Nanoseconds for a number of all 16 images.
fn values() {
    const LEN: usize = 6 * 24 * 24;
    let x = ramp(LEN);
    let mut y = ramp(LEN);
    let mut small = ramp(LEN / 4);
    let pool = Pool2d::new(Shape::new(&[6, 24, 24]), [2, 2]);
    let key = dropout::Key { seed: 1, pass: 2, node: 3, group: 4 };
    let mut rows = vec![0.5; LEN * LANES];
    println!("\nnanoseconds for a number of 16 images");
    for isa in Isa::available() {
        // A rate of 2·16 a call for LEN multiply-adds: turned over, a time for each number.
        let time = |kernel: &mut dyn FnMut()| 2.0 * LANES as f64 / rate(LEN, kernel);
        println!(
            "relu               {isa:9} {:6.2}",
            time(&mut || {
                activation::forward(isa, Activation::Relu, black_box(&x), &mut y);
            })
        );
        println!(
            "relu's gradient    {isa:9} {:6.2}",
            time(&mut || {
                activation::backward_in_place(isa, Activation::Relu, black_box(&x), &mut y);
            })
        );
        println!(
            "sigmoid            {isa:9} {:6.2}",
            time(&mut || {
                activation::forward(isa, Activation::Sigmoid, black_box(&x), &mut y);
            })
        );
        println!(
            "tanh               {isa:9} {:6.2}",
            time(&mut || {
                activation::forward(isa, Activation::Tanh, black_box(&x), &mut y);
            })
        );
        for (name, f) in [
            ("gelu", Activation::Gelu { approximate: Approximate::None }),
            ("gelu of tanh", Activation::Gelu { approximate: Approximate::Tanh }),
            ("silu", Activation::Silu),
            ("hardswish", Activation::Hardswish),
        ] {
            println!(
                "{name:18} {isa:9} {:6.2}",
                time(&mut || activation::forward(isa, f, black_box(&x), &mut y))
            );
            println!(
                "{:18} {isa:9} {:6.2}",
                format!("{name}'s gradient"),
                time(&mut || activation::backward_from_input(isa, f, black_box(&x), &mut y))
            );
        }
        println!(
            "softmax            {isa:9} {:6.2}",
            time(&mut || {
                softmax::forward(isa, 6, black_box(&x), &mut y);
            })
        );
        println!(
            "dropout            {isa:9} {:6.2}",
            time(&mut || {
                dropout::forward(isa, 0.5, key, black_box(&x), &mut y);
            })
        );
        println!(
            "max pool           {isa:9} {:6.2}",
            time(&mut || {
                pool2d::max_forward(isa, &pool, black_box(&x), &mut small);
            })
        );
        let dy = small.clone();
        println!(
            "max pool gradient  {isa:9} {:6.2}",
            time(&mut || {
                pool2d::max_backward(isa, &pool, black_box(&x), &small, &dy, &mut y);
            })
        );
        println!(
            "avg pool           {isa:9} {:6.2}",
            time(&mut || {
                pool2d::avg_forward(isa, &pool, black_box(&x), &mut small);
            })
        );
        println!(
            "avg pool gradient  {isa:9} {:6.2}",
            time(&mut || {
                pool2d::avg_backward(isa, &pool, black_box(&dy), &mut y);
            })
        );
    }
    let time = |kernel: &mut dyn FnMut()| 2.0 * LANES as f64 / rate(LEN, kernel);
    println!("pack               {:9} {:6.2}", isa(), time(&mut || pack(black_box(&rows), &mut y)));
    println!(
        "unpack             {:9} {:6.2}",
        isa(),
        time(&mut || unpack(&y, black_box(&mut rows)))
    );
}

/// The bytes of memory that each pass reads and writes, a second, beside those of a plain copy.
fn norms(channels: usize, pixels: usize) {
    let len = channels * pixels;
    let mut x = ramp(len);
    let other = ramp(len);
    let (mut y, mut dx) = (ramp(len), ramp(len));
    let mut numbers = vec![0.5; 2 * channels];
    let (mean, rstd) = (vec![0.1; channels], vec![1.1; channels]);
    let layer = batch_norm::BatchNorm {
        mean: &mean,
        spread: batch_norm::Spread::Rstd(&rstd),
        weight: Some(&rstd),
        bias: Some(&mean),
        f: Activation::Relu,
    };
    println!("\nGB/s, normalising {channels} channels of {pixels}, {} kB", len * 64 / 1000);
    for isa in Isa::available() {
        // Values read and written by each call; a rate counts two for each number.
        let row = |name: &str, values: usize, kernel: &mut dyn FnMut()| {
            let speed = rate(len, kernel) / 2.0 * (values * size_of::<f32>()) as f64;
            println!("{name:34} {isa:9} {speed:8.1}");
        };
        row("copy", 2, &mut || black_box(&mut y).copy_from_slice(&x));
        row("batch norm: gather", 1, &mut || {
            batch_norm::gather(isa, LANES, black_box(&x), &mut numbers);
        });
        row("batch norm: apply", 2, &mut || {
            batch_norm::apply(isa, &layer, black_box(&x), None, &mut y);
        });
        row("batch norm: apply and add", 3, &mut || {
            batch_norm::apply(isa, &layer, black_box(&x), Some(&other), &mut y);
        });
        row("batch norm: gather backward", 2, &mut || {
            batch_norm::gather_backward(isa, LANES, &layer, &x, &y, &mut numbers);
        });
        row("batch norm: gather backward and mask", 4, &mut || {
            batch_norm::gather_backward_masked(isa, LANES, &layer, &x, &y, &mut dx, &mut numbers);
        });
        row("batch norm: apply backward", 3, &mut || {
            batch_norm::apply_backward(isa, LANES, &layer, black_box(&x), &y, &numbers, &mut dx);
        });
        row("batch norm: apply backward in place", 3, &mut || {
            batch_norm::apply_backward_in_place(isa, LANES, &layer, &x, &numbers, &mut dx);
        });
        // Here every pass over memory counts, also where it finds the value in a cache.
        for (kind, groups, pieces) in [("group", 8, channels), ("layer", 1, len)] {
            let parameters = vec![1.1; pieces];
            let mut gradient = parameters.clone();
            let weight = Some(&parameters[..]);
            let norm = group_norm::GroupNorm { groups, eps: 1e-5, weight, bias: weight };
            row(&format!("{kind} norm: forward"), 3, &mut || {
                group_norm::forward(isa, &norm, black_box(&x), Activation::Relu, &mut y);
            });
            row(&format!("{kind} norm: backward"), 6, &mut || {
                let weight = Some(&mut gradient[..]);
                let gradients = group_norm::Gradients { weight, bias: None };
                group_norm::backward(isa, LANES, &norm, black_box(&x), &y, gradients, &mut dx);
            });
        }
        let channels = len * LANES;
        let norm = blocked::LayerNorm { channels, eps: 1e-5, weight: None, bias: None };
        row("layer norm of one image: forward", 3, &mut || {
            blocked::layer_norm(isa, &norm, black_box(&x), Activation::Relu, &mut y);
        });
        let (scale, shift) = (ramp(len / pixels), ramp(len / pixels));
        row("affine of one image", 2, &mut || {
            let x = black_box(&x);
            let f = Activation::Relu;
            blocked::affine(isa, &Team::alone(), pixels, x, [&scale, &shift], None, f, &mut y);
        });
        black_box(&mut x);
    }
}

const PASSES: [Conv2dPass; 3] =
    [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight];

/// What the kernels of one convolution work on.
struct Operands {
    x: Vec<Lanes>,
    dx: Vec<Lanes>,
    y: Vec<Lanes>,
    dy: Vec<Lanes>,
    weight: Vec<f32>,
    dw: Vec<f32>,
    bias: Vec<f32>,
    db: Vec<f32>,
    /// For each of [`PASSES`].
    scratch: [Vec<Lanes>; 3],
    /// Multiplications of the direct kernel; the taps that lie in the padding count too.
    work: usize,
}

impl Operands {
    fn new(g: &Conv2d, kernel: Conv2dKernel) -> Operands {
        let (x, weight, bias) = (
            ramp(g.input.elements()),
            vec![0.01; g.weight().elements()],
            vec![0.1; g.out_channels],
        );
        let y = ramp(g.output().map_or(0, |output| output.elements()));
        Operands {
            dx: x.clone(),
            dy: y.clone(),
            dw: weight.clone(),
            db: bias.clone(),
            scratch: PASSES.map(|pass| ramp(kernel.scratch_len(g, pass))),
            work: weight.len() * y.len() / g.out_channels,
            x,
            y,
            weight,
            bias,
        }
    }
}

fn epilogue(bias: &[f32]) -> Epilogue<'_> {
    Epilogue { bias: Some(bias), activation: Activation::Relu, ..Epilogue::default() }
}

fn convolution(name: &str, g: &Conv2d) -> Result<(), Box<dyn std::error::Error>> {
    g.output().map_err(|error| format!("{error:?}"))?;
    for isa in Isa::available() {
        directly(name, isa, g);
        if Conv2dKernel::Gemm.runs(g) {
            as_gemm(isa, g);
        }
        for kernel in [Conv2dKernel::Winograd2, Conv2dKernel::Winograd4] {
            if kernel.runs(g) {
                by_winograd(isa, g, kernel);
            }
        }
    }
    Ok(())
}

fn directly(name: &str, isa: Isa, g: &Conv2d) {
    let kernel = Conv2dKernel::Direct;
    let mut o = Operands::new(g, kernel);
    let forward = rate(o.work, || {
        conv2d::forward(isa, g, black_box(&o.x), &o.weight, epilogue(&o.bias), &mut o.y);
    });
    let data = rate(o.work, || {
        conv2d::backward_data(isa, g, black_box(&o.dy), &o.weight, &mut o.dx);
    });
    let gradient = rate(o.work, || {
        conv2d::backward_weight(isa, g, black_box(&o.x), &o.dy, &mut o.dw, Some(&mut o.db));
    });
    print_rates(name, isa, g, kernel, [forward, data, gradient]);
    println!();
}

fn as_gemm(isa: Isa, g: &Conv2d) {
    let kernel = Conv2dKernel::Gemm;
    let mut o = Operands::new(g, kernel);
    let [forward_room, data_room, weight_room] = &mut o.scratch;
    let forward = rate(o.work, || {
        let (x, epilogue) = (black_box(&o.x), epilogue(&o.bias));
        pointwise::forward(isa, g, x, &o.weight, epilogue, &mut o.y, forward_room);
    });
    let mut data = 0.0;
    if kernel.runs_pass(g, Conv2dPass::BackwardData) {
        data = rate(o.work, || {
            let dy = black_box(&o.dy);
            pointwise::backward_data(isa, g, dy, &o.weight, false, &mut o.dx, data_room);
        });
    }
    let gradient = rate(o.work, || {
        let (x, db) = (black_box(&o.x), Some(&mut o.db[..]));
        pointwise::backward_weight(isa, g, x, &o.dy, &mut o.dw, db, weight_room);
    });
    print_rates("    as GEMM", isa, g, kernel, [forward, data, gradient]);
    println!();
}

/// Behind the rates: microseconds to transform the weight for two passes, and its gradient back.
fn by_winograd(isa: Isa, g: &Conv2d, kernel: Conv2dKernel) {
    let mut o = Operands::new(g, kernel);
    let [forward_room, data_room, weight_room] = &mut o.scratch;
    let mut transformed = vec![0.0; kernel.transformed_len(g)];
    let mut sums = vec![Lanes::ZERO; kernel.weight_sums_len(g)];
    // A rate of one multiply-add for 16 images, turned over.
    let microseconds = |kernel: &mut dyn FnMut()| 2e-3 * LANES as f64 / rate(1, kernel);

    let before = microseconds(&mut || {
        let pass = Conv2dPass::Forward;
        winograd::transform_weight(isa, kernel, g, pass, &o.weight, &mut transformed);
    });
    let forward = rate(o.work, || {
        let (x, epilogue) = (black_box(&o.x), epilogue(&o.bias));
        winograd::forward(isa, kernel, g, x, &transformed, epilogue, &mut o.y, forward_room);
    });
    let before_data = microseconds(&mut || {
        let pass = Conv2dPass::BackwardData;
        winograd::transform_weight(isa, kernel, g, pass, &o.weight, &mut transformed);
    });
    let data = rate(o.work, || {
        let dy = black_box(&o.dy);
        winograd::backward_data(isa, kernel, g, dy, &transformed, false, &mut o.dx, data_room);
    });
    let gradient = rate(o.work, || {
        let (x, db) = (black_box(&o.x), Some(&mut o.db[..]));
        winograd::backward_weight(isa, kernel, g, x, &o.dy, true, &mut sums, db, weight_room);
    });
    let after = microseconds(&mut || {
        winograd::add_weight_gradient(isa, kernel, g, &sums, &mut o.dw);
    });
    let name = format!("    {kernel:?}");
    print_rates(&name, isa, g, kernel, [forward, data, gradient]);
    println!(" {before:9.1} {before_data:9.1} {after:9.1} us");
}

fn print_rates(name: &str, isa: Isa, g: &Conv2d, kernel: Conv2dKernel, rates: [f64; 3]) {
    print!("{name:34} {isa:9}");
    for (pass, rate) in PASSES.into_iter().zip(rates) {
        let choices = [Conv2dKernel::Gemm, Conv2dKernel::Winograd2];
        let several = choices.iter().any(|kernel| kernel.runs(g));
        let chosen = several && Conv2dKernel::choose(g, pass) == kernel;
        print!(" {rate:7.1}{}", if chosen { "*" } else { " " });
    }
}

fn fully_connected(name: &str, inputs: usize, outputs: usize) {
    let x = ramp(inputs);
    let mut dx = x.clone();
    let mut y = ramp(outputs);
    let dy = y.clone();
    let weight = vec![0.01; inputs * outputs];
    // The nets' gradients stand in one struct that starts at a multiple of 64 bytes.
    let mut dw = vec![0.01; inputs * outputs + LANES];
    let start = dw.as_ptr().align_offset(64).min(LANES);
    let dw = &mut dw[start..start + inputs * outputs];
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
            linear::backward_weight(isa, black_box(&x), &dy, dw, Some(&mut db));
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

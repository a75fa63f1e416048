//! What several threads compute of a task has the bits of what one does, on every instruction set.

use crate::support::*;
use typenet_kernels::team::{Crew, Team, chunks_mut, equal_mut};
use typenet_kernels::{Epilogue, Isa, Lanes, Statistics, conv2d, linear, pointwise, winograd};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, Shape};

/// Runs a task for whose parts there are so many threads, each with so much poisoned memory. They are imagined, so
/// that all parts are cut, or taken from a pool.
pub(crate) fn by_crew<R: Send>(
    (threads, are_real): (usize, bool),
    scratch: usize,
    task: impl Fn(&mut Crew<'_>) -> R + Sync,
) -> R {
    let run = || {
        let mut result = None;
        Team::gather(threads, |team| {
            let mut rooms = poison(threads * scratch);
            let mut rooms = equal_mut(&mut rooms, threads);
            team.for_each_crew(
                &mut rooms,
                chunks_mut(std::slice::from_mut(&mut result), 1),
                |crew, _, to| {
                    for _ in 0..if are_real { 100_000 } else { 0 } {
                        if crew.threads() == threads {
                            break;
                        }
                        std::thread::yield_now();
                    }
                    to[0] = Some(task(&mut crew.sharing_all()));
                },
            );
        });
        result.unwrap()
    };
    if are_real {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
    } else {
        Team::rehearse(threads, run).0
    }
}

/// The bits that all crews agree on.
fn same(scratch: usize, what: &str, task: impl Fn(&mut Crew<'_>) -> Vec<u32> + Sync) {
    let expected = task(&mut Crew::alone(&mut poison(scratch)));
    for crew in [(2, false), (3, false), (7, false), (2, true), (4, true)] {
        let found = by_crew(crew, scratch, &task);
        assert!(found == expected, "{what}: {crew:?}");
    }
}

pub(crate) fn bits_of(lanes: &[Lanes], numbers: &[&[f32]]) -> Vec<u32> {
    let lanes = lanes.iter().flat_map(|lanes| lanes.0);
    let numbers = numbers.iter().flat_map(|numbers| numbers.iter().copied());
    lanes.chain(numbers).map(|n| if n.is_nan() { !0 } else { n.to_bits() }).collect()
}

fn check(g: &Conv2d, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let images = 1 + seed as usize % 16;
    let x = without_images(&random.lanes(g.input.elements()), images);
    let dy = without_images(&random.lanes(output.elements()), images);
    let full_dy = random.lanes(output.elements());
    let full_x = random.lanes(g.input.elements());
    let weight = random.numbers(g.weight().elements());
    let bias = random.numbers(g.out_channels);
    let kernels = [
        Conv2dKernel::Direct,
        Conv2dKernel::Gemm,
        Conv2dKernel::Winograd2,
        Conv2dKernel::Winograd4,
    ];
    for (isa, kernel) in Isa::available().flat_map(|isa| kernels.map(|kernel| (isa, kernel))) {
        let runs = |pass| kernel == Conv2dKernel::Direct || kernel.runs_pass(g, pass);
        let transformed = |pass| {
            let mut to = vec![f32::NAN; kernel.transformed_len(g)];
            if matches!(kernel, Conv2dKernel::Winograd2 | Conv2dKernel::Winograd4) {
                winograd::transform_weight(isa, kernel, g, pass, &weight, &mut to);
            }
            to
        };
        let pass = Conv2dPass::Forward;
        if runs(pass) {
            let transformed = transformed(pass);
            for (activation, add, gathers) in [
                (Activation::Identity, None, true),
                (Activation::Relu, Some(&dy[..]), true),
                (Activation::Tanh, None, true),
                (Activation::Tanh, Some(&dy[..]), false),
            ] {
                let what = format!("{isa} {kernel:?} forward {activation:?} {gathers} {g:?}");
                same(kernel.scratch_len(g, pass), &what, |crew| {
                    let (mut y, mut numbers) =
                        (poison(dy.len()), vec![f32::NAN; 2 * g.out_channels]);
                    let statistics =
                        gathers.then_some(Statistics { images, numbers: &mut numbers });
                    let bias = Some(&bias[..]);
                    let behind =
                        Epilogue { bias, add, activation, statistics, ..Epilogue::default() };
                    match kernel {
                        Conv2dKernel::Direct => {
                            conv2d::forward_by(isa, crew, g, x[..].into(), &weight, behind, &mut y);
                        }
                        Conv2dKernel::Gemm => {
                            pointwise::forward_by(
                                isa,
                                crew,
                                g,
                                x[..].into(),
                                &weight,
                                behind,
                                &mut y,
                            );
                        }
                        _ => {
                            let (w, y) = (&transformed, &mut y);
                            winograd::forward_by(isa, crew, kernel, g, &x, w, behind, y);
                        }
                    }
                    bits_of(&y, &[&numbers])
                });
            }
        }
        let pass = Conv2dPass::BackwardData;
        if runs(pass) {
            let transformed = transformed(pass);
            for adds in [false, true] {
                let what = format!("{isa} {kernel:?} data gradient {adds} {g:?}");
                same(kernel.scratch_len(g, pass), &what, |crew| {
                    let mut dx = if adds { full_x.clone() } else { poison(x.len()) };
                    match kernel {
                        Conv2dKernel::Direct => {
                            conv2d::backward_data_by(isa, crew, g, &dy, &weight, adds, &mut dx);
                        }
                        Conv2dKernel::Gemm => {
                            pointwise::backward_data_by(isa, crew, g, &dy, &weight, adds, &mut dx);
                        }
                        _ => {
                            let (w, dx) = (&transformed, &mut dx);
                            winograd::backward_data_by(isa, crew, kernel, g, &dy, w, adds, dx);
                        }
                    }
                    bits_of(&dx, &[])
                });
            }
        }
        let pass = Conv2dPass::BackwardWeight;
        for adds in [false, true].into_iter().filter(|_| runs(pass)) {
            let what = format!("{isa} {kernel:?} weight gradient {adds} {g:?}");
            same(kernel.scratch_len(g, pass), &what, |crew| {
                let (mut dw, mut db) = (vec![0.5; weight.len()], vec![0.25; g.out_channels]);
                let mut sums = Vec::new();
                let to = Some(&mut db[..]);
                let (x, dy) = (&full_x, &full_dy);
                match kernel {
                    Conv2dKernel::Direct => {
                        conv2d::backward_weight_by(isa, crew, g, x[..].into(), dy, &mut dw, to);
                    }
                    Conv2dKernel::Gemm => {
                        pointwise::backward_weight_by(isa, crew, g, x[..].into(), dy, &mut dw, to);
                    }
                    _ => {
                        let before = if adds { 0.125 } else { f32::NAN };
                        sums = vec![Lanes([before; 16]); kernel.weight_sums_len(g)];
                        let sums = &mut sums;
                        winograd::backward_weight_by(isa, crew, kernel, g, x, dy, adds, sums, to);
                    }
                }
                bits_of(&sums, &[&dw, &db])
            });
        }
    }
}

fn conv(input: [usize; 3], out_channels: usize, kernel: usize) -> Conv2d {
    Conv2d {
        padding: [kernel / 2; 2],
        ..Conv2d::new(Shape::new(&input), out_channels, [kernel; 2])
    }
}

#[test]
fn convolutions_with_many_channels() {
    check(&conv([20, 13, 9], 37, 3), 1);
    check(&conv([33, 6, 6], 32, 3), 2);
    check(&conv([5, 18, 18], 7, 5), 3);
    check(&conv([40, 9, 7], 52, 1), 4);
    check(&Conv2d { stride: [2, 2], ..conv([36, 9, 9], 33, 1) }, 5);
}

#[test]
fn convolutions_with_strides_and_gaps() {
    check(&Conv2d { stride: [2, 2], ..conv([9, 15, 11], 10, 3) }, 6);
    check(&Conv2d { stride: [2, 3], dilation: [2, 1], ..conv([6, 17, 14], 5, 3) }, 7);
    check(&Conv2d { padding: [0, 2], ..conv([3, 8, 8], 4, 4) }, 8);
    check(&conv([1, 1, 1], 1, 1), 9);
}

#[test]
fn convolutions_in_groups() {
    for (seed, kernel) in [(10, 3), (11, 5), (12, 7)] {
        check(&Conv2d { groups: 21, ..conv([21, 10, 8], 21, kernel) }, seed);
        check(&Conv2d { groups: 13, stride: [2, 2], ..conv([13, 9, 12], 13, kernel) }, seed);
        check(&Conv2d { groups: 6, ..conv([6, 7, 7], 18, kernel) }, seed);
        check(&Conv2d { groups: 3, ..conv([12, 7, 7], 21, kernel) }, seed);
    }
}

#[test]
fn linear_layers() {
    for (seed, [ins, outs]) in [[1, 1], [7, 30], [130, 5], [64, 97]].into_iter().enumerate() {
        let mut random = Random::new(seed as u64);
        let (x, dy) = (random.lanes(ins), random.lanes(outs));
        let (weight, bias) = (random.numbers(ins * outs), random.numbers(outs));
        for isa in Isa::available() {
            for (f, other) in [(Activation::Relu, None), (Activation::Tanh, Some(&dy[..]))] {
                same(0, &format!("{isa} linear {f:?} {ins} {outs}"), |crew| {
                    let mut y = poison(outs);
                    linear::forward_by(isa, crew, &x, &weight, Some(&bias), other, f, &mut y);
                    bits_of(&y, &[])
                });
            }
            for adds in [false, true] {
                same(0, &format!("{isa} linear data gradient {adds} {ins} {outs}"), |crew| {
                    let mut dx = if adds { x.clone() } else { poison(ins) };
                    linear::backward_data_by(isa, crew, &dy, &weight, adds, &mut dx);
                    bits_of(&dx, &[])
                });
            }
        }
    }
}

//! Inference and training with 16 channels side by side: every layer, in every order in which its input may
//! stand, alone and in batches, against the f64 reference.
#![allow(clippy::unwrap_used)]

mod nets;

use std::mem::discriminant;

use typenet::Flat;
use typenet::loss::{Accepts, Compares};
use typenet::prelude::*;
use typenet::reference::{self, gradcheck_with};

use nets::*;

/// The outputs of so many images against the reference, alone and in batches, with weights that change.
fn check<N: Network>(seed: u64)
where
    N::Output: Copy,
{
    let mut net = N::seeded(seed);
    let number = |i: usize| ((i as f32 + seed as f32) * 0.37).sin();
    let numbers: Vec<f32> = (0..20 * N::Input::LEN).map(number).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let mut ws = N::workspace(4);
    for round in 0..2 {
        // Statistics as training would leave them: variances are not negative.
        let parameters: Vec<f64> = net.parameters_flat().iter().map(|&w| w.into()).collect();
        let expected: Vec<Vec<f64>> = (images.iter())
            .map(|image| {
                let wide: Vec<f64> = image.as_flat().iter().map(|&x| x.into()).collect();
                let values = reference::evaluate::<N>(&parameters, &wide).values;
                let outputs = (0..N::GRAPH.output_count()).map(|k| N::GRAPH.output_node(k));
                outputs.flat_map(|node| values[node].clone()).collect()
            })
            .collect();
        for batch in [1, 2, 3, 7, 19, 20] {
            let images = &images[..batch];
            let mut with = vec![*N::Output::zeroed(); batch];
            net.outputs_into(&mut ws, images, &mut with).unwrap();
            for outputs in [net.outputs(images), with] {
                for (found, expected) in outputs.iter().zip(&expected) {
                    let norm: f64 = expected.iter().map(|y| y * y).sum::<f64>().sqrt();
                    let error = (found.as_flat().iter().zip(expected))
                        .map(|(&found, expected)| (f64::from(found) - expected).powi(2))
                        .sum::<f64>()
                        .sqrt();
                    let name = N::GRAPH.name;
                    assert!(error <= 2e-5 * norm, "{name} round {round}, {batch}: {error:e}");
                }
            }
        }
        for (i, weight) in net.parameters_flat_mut().iter_mut().enumerate() {
            *weight += 0.05 * (1.0 + (i as f32).cos());
        }
    }
}

/// The same bits, however many threads there are.
fn check_threads<N: Network>()
where
    N::Output: Copy,
{
    let net = N::seeded(1);
    let numbers: Vec<f32> = (0..20 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    for batch in [1, 2, 5, 16, 20] {
        let bits = || -> Vec<u32> {
            let outputs = net.outputs(&images[..batch]);
            outputs.iter().flat_map(|output| output.as_flat().iter().map(|y| y.to_bits())).collect()
        };
        let expected = bits();
        for threads in [1, 2, 3, 8, 16] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(bits);
            assert_eq!(found, expected, "{}: {batch} images, {threads} threads", N::GRAPH.name);
        }
    }
}

/// Gradients of batches that fill no group against central differences.
fn check_gradients<N: Network, T, L>(
    loss: &L,
    samples: usize,
    batches: &[usize],
    target: impl Fn(usize) -> T,
) where
    L: Compares<N::Output, T> + Accepts<N>,
{
    let numbers: Vec<f32> = (0..5 * N::Input::LEN).map(|i| (i as f32 * 0.37).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let targets: Vec<T> = (0..5).map(target).collect();
    for &batch in batches {
        let net = N::seeded(batch as u64);
        let (images, targets) = (&images[..batch], &targets[..batch]);
        let check = gradcheck_with(&net, loss, images, targets, samples, 1).unwrap();
        assert!(check.worst() <= 1e-3, "{} of {batch}:\n{check}", N::GRAPH.name);
    }
}

/// A forward pass, and gradients as if all outputs should be a half; returns the outputs.
fn forward<N: Network>(net: &mut N, images: &[N::Input], ws: &mut Workspace<N>) -> Vec<f32> {
    net.forward(images, ws);
    let (outputs, gradient) = ws.output_rows();
    gradient.iter_mut().zip(outputs).for_each(|(g, y)| *g = 0.5 - y);
    outputs.to_vec()
}

/// What the environment forces on every process of these tests but the first.
fn forced() -> Option<String> {
    std::env::var("TYPENET_LAYOUT").ok()
}

/// Steps whose last images run beside full groups against steps in groups alone.
fn check_left_over<N: Network>() {
    let numbers: Vec<f32> = (0..35 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let name = N::GRAPH.name;
    for batch in [17, 19, 31, 35] {
        let images = &images[..batch];
        let step = |is_interleaved: bool, accumulates: bool, trains_all: bool| -> [Vec<f32>; 3] {
            let mut net = N::seeded(1);
            if !trains_all {
                for node in N::LAYOUT.tensors.iter().map(|tensor| tensor.node).step_by(3) {
                    net.set_trainable(N::GRAPH.nodes[node].name, false).unwrap();
                }
            }
            let mut ws = N::workspace(batch);
            ws.set_dropout(false);
            if is_interleaved {
                ws.set_interleaved();
            }
            let mut all = Vec::new();
            for round in 0..if accumulates { 2 } else { 1 } {
                all = forward(&mut net, images, &mut ws);
                if round == 0 {
                    net.backward(images, &mut ws);
                } else {
                    net.backward_accumulate(images, &mut ws);
                }
            }
            [all, ws.gradients().as_flat().to_vec(), net.parameters_flat().to_vec()]
        };
        for (accumulates, trains_all) in [(false, true), (true, true), (false, false)] {
            let [found, expected] =
                [false, true].map(|interleaved| step(interleaved, accumulates, trains_all));
            for (what, (found, expected)) in
                ["outputs", "gradients", "parameters"].iter().zip(found.iter().zip(&expected))
            {
                let size = expected.iter().map(|y| y * y).sum::<f32>().sqrt();
                let error =
                    found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(error <= 2e-5 * size, "{name}, {what} of {batch}: {error:e} of {size:e}");
            }
        }
        // Not the same steps: of a net with many layers the layouts differ in their last bits.
        if name == "Dense" && forced().as_deref() == Some("mixed") {
            assert!(step(false, false, true)[1] != step(true, false, true)[1], "{name}: {batch}");
        }
    }
}

/// Layers that are trained no longer have no gradients, and a step of no images changes nothing.
fn check_untrained<N: Network>()
where
    N::Output: Copy,
{
    let numbers: Vec<f32> = (0..19 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let name = N::GRAPH.name;
    for batch in [3, 16, 19] {
        let images = &images[..batch];
        let mut net = N::seeded(1);
        let mut ws = N::workspace(batch);
        let step = |net: &mut N, ws: &mut Workspace<N>| {
            forward(net, images, ws);
            net.backward(images, ws);
        };
        step(&mut net, &mut ws);
        let tensors = N::LAYOUT.tensors;
        let first = &tensors[0];
        let own = |ws: &Workspace<N>, node: usize| -> Vec<f32> {
            let own = tensors.iter().filter(|tensor| tensor.node == node);
            let range = |t: &typenet::shape::Tensor| t.offset..t.offset + t.shape.elements();
            own.flat_map(|tensor| ws.gradients().as_flat()[range(tensor)].to_vec()).collect()
        };
        assert!(own(&ws, first.node).iter().any(|&g| g != 0.0), "{name}: {batch}");
        net.set_trainable(N::GRAPH.nodes[first.node].name, false).unwrap();
        step(&mut net, &mut ws);
        assert!(own(&ws, first.node).iter().all(|&g| g == 0.0), "{name}: {batch}");

        let before = net.parameters_flat().to_vec();
        net.forward(&[], &mut ws);
        net.backward(&[], &mut ws);
        assert!(ws.gradients().as_flat().iter().all(|&g| g == 0.0), "{name}: {batch}");
        assert!(net.parameters_flat() == before, "{name}: {batch}");
        // What inference leaves in a workspace is no step.
        net.outputs_into(&mut ws, images, &mut vec![*N::Output::zeroed(); batch]).unwrap();
        net.backward(&[], &mut ws);
    }
}

/// Two steps have the same bits, however many threads there are, and so has the second where gradients are
/// added to those of the first.
fn check_training_threads<N: Network>() {
    let numbers: Vec<f32> = (0..20 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    for batch in [1, 3, 8, 20] {
        let bits = || -> Vec<u32> {
            let mut net = N::seeded(1);
            let mut ws = N::workspace(batch);
            let mut all = Vec::new();
            for round in 0..3 {
                all.extend(forward(&mut net, &images[..batch], &mut ws));
                if round == 2 {
                    net.backward_accumulate(&images[..batch], &mut ws);
                } else {
                    net.backward(&images[..batch], &mut ws);
                }
                all.extend_from_slice(ws.gradients().as_flat());
                all.extend_from_slice(net.parameters_flat());
            }
            all.iter().map(|number| number.to_bits()).collect()
        };
        let expected = bits();
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(bits);
            assert!(found == expected, "{}: {batch} images, {threads} threads", N::GRAPH.name);
        }
    }
}

/// Steps of many images and of few in one workspace have the bits that they have in workspaces of their own.
fn check_workspace<N: Network>()
where
    N::Output: Copy,
{
    let numbers: Vec<f32> = (0..50 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let mut shared = N::workspace(3);
    let mut net = N::seeded(1);
    for batch in [50, 3, 50, 1, 9, 3] {
        let images = &images[..batch];
        let mut step = |ws: &mut Workspace<N>| -> Vec<u32> {
            // The running statistics move, which these bits do not depend on.
            forward(&mut net, images, ws);
            net.backward(images, ws);
            ws.gradients().as_flat().iter().map(|number| number.to_bits()).collect()
        };
        shared.reseed(1);
        let found = step(&mut shared);
        let mut fresh = N::workspace(batch);
        fresh.reseed(1);
        assert!(found == step(&mut fresh), "{}: {batch} images", N::GRAPH.name);
        net.outputs_into(&mut shared, images, &mut vec![*N::Output::zeroed(); batch]).unwrap();
    }
}

/// Does the same for every net.
macro_rules! all {
    ($function:ident($($argument:expr),*)) => {
        $function::<Concats>($($argument),*);
        $function::<Dense>($($argument),*);
        $function::<Squeezed>($($argument),*);
        $function::<Orders>($($argument),*);
        $function::<Turned>($($argument),*);
        $function::<Added>($($argument),*);
        $function::<Outer>($($argument),*);
        $function::<Groups>($($argument),*);
        $function::<Divided>($($argument),*);
        $function::<Heavy>($($argument),*);
        $function::<Small>($($argument),*);
        $function::<Applied>($($argument),*);
    };
}

#[test]
fn every_net_agrees_with_the_reference() {
    all!(check(1));
    all!(check(2));
}

#[test]
fn strided_convolutions_agree_with_the_reference() {
    check::<Strided>(1);
    check_threads::<Strided>();
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    all!(check_threads());
}

#[test]
fn every_gradient_agrees_with_the_reference() {
    if !matches!(forced().as_deref(), Some("interleaved" | "blocked")) {
        return; // Each layout by itself is checked below, and both together against one.
    }
    let loss = SumSquaredError::new();
    check_gradients::<Concats, _, _>(&loss, 8, &[3, 5], wanted::<36>);
    check_gradients::<Dense, _, _>(&loss, 8, &[3, 5], wanted::<10>);
    check_gradients::<Squeezed, _, _>(&loss, 8, &[3, 5], wanted::<6>);
    check_gradients::<Orders, _, _>(&loss, 8, &[3, 5], wanted::<20>);
    check_gradients::<Turned, _, _>(&loss, 8, &[3, 5], wanted::<9>);
    check_gradients::<Groups, _, _>(&loss, 8, &[3, 5], wanted::<5>);
    check_gradients::<Divided, _, _>(&loss, 8, &[3, 5], wanted::<5>);
    check_gradients::<Heavy, _, _>(&loss, 4, &[3], wanted::<40>);
    check_gradients::<Small, _, _>(&loss, 8, &[3, 5], wanted::<10>);
    check_gradients::<Applied, _, _>(&loss, 2, &[3], wanted::<7>);
    let added = AddedLoss { map: loss, flat: loss, again: loss };
    check_gradients::<Added, _, _>(&added, 8, &[3, 5], |i| AddedTarget {
        map: [[wanted(i); 8]; 3],
        flat: wanted(i),
        again: wanted(i + 1),
    });
    let outer = OuterLoss { map: loss, pose_again: loss, flat: loss, class: loss };
    check_gradients::<Outer, _, _>(&outer, 8, &[3, 5], |i| OuterTarget {
        map: [[wanted(i); 6]; 13],
        pose_again: wanted(i),
        flat: wanted(i),
        class: wanted(i),
    });
}

fn wanted<const K: usize>(image: usize) -> [f32; K] {
    std::array::from_fn(|k| ((image * 7 + k * 3) % 11) as f32 / 10.0)
}

#[test]
fn any_number_of_threads_gives_the_same_steps() {
    all!(check_training_threads());
}

#[test]
fn images_left_over_give_the_same_gradients() {
    if matches!(forced().as_deref(), Some("interleaved" | "blocked")) {
        return; // No images are left over.
    }
    all!(check_left_over());
}

#[test]
fn what_is_not_trained_has_no_gradients() {
    all!(check_untrained());
}

#[test]
fn a_workspace_serves_batches_of_all_sizes() {
    all!(check_workspace());
}

#[test]
fn every_built_in_layer_is_in_one_of_the_nets() {
    let mut met = Vec::new();
    macro_rules! meet {
        ($($net:ident),*) => {
            $(met.extend($net::GRAPH.nodes.iter().map(|node| discriminant(&node.op)));)*
        };
    }
    meet!(Concats, Dense, Squeezed, Orders, Turned, Outer, Groups, Divided, Heavy, Small);
    for op in &typenet::shape::Op::EVERY {
        assert!(met.contains(&discriminant(op)), "no net has {op:?}");
    }
}

#[test]
fn a_batch_may_run_in_both_layouts() {
    let costs = Small::summary().costs;
    let shares = costs.shares(19);
    assert_eq!((shares.grouped, shares.blocked), (16, 3), "{costs:?}");
    assert_eq!(costs.shares(31).grouped, 31, "{costs:?}");
    let costs = Heavy::summary().costs;
    assert_eq!(costs.shares(20).grouped, 0, "{costs:?}");
}

/// Sizes decide how a step runs, or the environment.
#[test]
fn a_step_runs_in_one_layout() {
    let (small, heavy) = (Small::summary().blocked_steps, Heavy::summary().blocked_steps);
    match forced().as_deref() {
        Some("interleaved" | "mixed") => assert!(small.is_empty() && heavy.is_empty()),
        Some("blocked") => assert_eq!((small, heavy), (vec![1..=64], vec![1..=64])),
        _ => {
            assert!(small.len() == 1 && small[0].contains(&2) && !small[0].contains(&8));
            assert!(heavy[0].contains(&16) && !heavy.iter().any(|range| range.contains(&49)));
        }
    }
}

/// In groups of 16 images; with 16 channels side by side every norm's value is stored.
#[test]
fn convolutions_apply_norms() {
    let steps = Applied::LAYOUT.steps;
    let readers: Vec<usize> = steps.iter().filter_map(|step| step.normalizes).collect();
    let norms: Vec<&str> = readers
        .iter()
        .map(|&norm| {
            assert!(steps[norm].is_applied_by_reader);
            Applied::GRAPH.nodes[steps[norm].node].name
        })
        .collect();
    // The other values are read twice, or by another net.
    let expected = [
        "batch_norm_1",
        "batch_norm_3",
        "batch_norm_4",
        "batch_norm_5",
        "thin_1.batch_norm_1",
        "thin_1.batch_norm_2",
        "batch_norm_8",
        "early",
    ];
    assert_eq!(norms, expected);
}

/// Every test again with each layout for all.
#[test]
fn each_layout_can_be_forced() {
    if forced().is_some() {
        return;
    }
    for layout in ["interleaved", "blocked", "mixed"] {
        let tests = std::process::Command::new(std::env::current_exe().unwrap())
            .env("TYPENET_LAYOUT", layout)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&tests.stdout);
        assert!(tests.status.success() && text.contains("13 passed"), "{layout}: {text}");
    }
}

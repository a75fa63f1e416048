//! Steps of SGD against PyTorch's numbers, its groups, and what a run keeps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::excessive_precision)]

#[path = "common/bare.rs"]
mod bare;
#[path = "common/tiny.rs"]
mod tiny;

use tiny::{Tiny, TinyParameters};
use typenet_engine::Flat;
use typenet_engine::parameters::WeightBias;
use typenet_runtime::Network;
use typenet_runtime::optim::{Schedule, Sgd};
use typenet_shape::{Node, Op, Shape};

typenet_engine::__parameter_struct! {
    pub(crate) struct WideParameters {
        /// Large enough to be shared out among threads.
        pub fc1: WeightBias<[[f32; 300]; 300], [f32; 300]>,
        pub fc10: WeightBias<[[f32; 300]; 2], [f32; 2]>,
    }
}

bare::bare_net!(Wide, [f32; 300], [f32; 2], WideParameters, 3, {
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[300]) }, inputs: &[] },
        Node { name: "fc1", op: Op::Linear { out_features: 300, bias: true }, inputs: &[0] },
        Node { name: "fc10", op: Op::Linear { out_features: 2, bias: true }, inputs: &[1] },
    ]
});

/// Five steps on three weights of `Tiny`: the weights and the velocity behind them.
fn five_steps(sgd: &Sgd) -> ([f32; 3], Option<[f32; 3]>) {
    let mut net = Tiny::seeded(0);
    net.fc.bias[..3].copy_from_slice(&[1.0, -2.0, 0.5]);
    let mut state = sgd.state(&net);
    for step in 0..5u8 {
        let mut gradients = TinyParameters::zeroed();
        for (i, pull) in [0.5, -0.25, 1.0].into_iter().enumerate() {
            gradients.fc.bias[i] = pull * f32::from(step + 1) - 0.5 * net.fc.bias[i];
        }
        state.step(&mut net, &gradients);
    }
    assert_eq!(state.steps(), 5);
    let three = |parameters: &TinyParameters| {
        [parameters.fc.bias[0], parameters.fc.bias[1], parameters.fc.bias[2]]
    };
    (three(net.model().parameters()), state.buffer("momentum_buffer").map(three))
}

#[track_caller]
fn close(found: [f32; 3], expected: [f32; 3]) {
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-6 * e.abs(), "{found:?}, not {expected:?}");
    }
}

// import torch
// for kw in [dict(), dict(weight_decay=0.1), dict(momentum=0.9), dict(momentum=0.9, weight_decay=0.1),
//            dict(momentum=0.9, dampening=0.5, weight_decay=0.1),
//            dict(momentum=0.9, nesterov=True, weight_decay=0.1)]:
//     w = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
//     sgd = torch.optim.SGD([w], lr=0.1, **kw)
//     for step in range(5):
//         w.grad = torch.tensor([0.5, -0.25, 1.0]) * (step + 1) - 0.5 * w.detach()
//         sgd.step()
//     print(w, sgd.state[w].get("momentum_buffer"))
#[test]
fn five_steps_are_pytorchs() {
    let plain = Sgd::new(0.1);
    let (w, v) = five_steps(&plain);
    close(w, [0.474_368_7, -2.151_606_8, -0.965_684_83]);
    assert_eq!(v, None);

    let (w, v) = five_steps(&plain.clone().weight_decay(0.1));
    close(w, [0.425_433_6, -2.037_696_4, -0.974_112_27]);
    assert_eq!(v, None);

    let momentum = plain.momentum(0.9);
    let (w, v) = five_steps(&momentum);
    close(w, [0.022_006_206, -2.617_975_5, -2.562_96]);
    close(v.unwrap(), [4.878_688, 1.312_348_4, 13.509_068]);

    let decay = momentum.weight_decay(0.1);
    let (w, v) = five_steps(&decay);
    close(w, [-0.112_088_67, -2.309_512_9, -2.589_734]);
    close(v.unwrap(), [5.287_788_4, 0.243_884_89, 13.463_355]);

    let (w, v) = five_steps(&decay.clone().dampening(0.5));
    close(w, [0.435_028_73, -2.264_139, -1.176_567]);
    close(v.unwrap(), [2.595_604, 0.283_390_46, 6.772_401]);

    let (w, v) = five_steps(&decay.nesterov(true));
    close(w, [-0.639_925_5, -2.365_678_8, -3.965_492_7]);
    close(v.unwrap(), [5.496_248_7, 0.346_531_72, 14.087_154]);
}

/// The weights that one step with gradients of 1 leaves of weights of 1, one a tensor of `Wide`.
fn one_step(sgd: &Sgd, epoch: f64) -> [f32; 4] {
    let mut net = Wide::seeded(0);
    net.parameters_flat_mut().fill(1.0);
    let mut gradients = WideParameters::zeroed();
    gradients.as_flat_mut().fill(1.0);
    let mut state = sgd.state(&net);
    state.set_epoch(epoch);
    state.step(&mut net, &gradients);
    let w = net.model().parameters();
    for tensor in Wide::LAYOUT.tensors {
        let numbers = &w.as_flat()[tensor.offset..tensor.offset + tensor.shape.elements()];
        assert!(numbers.iter().all(|&x| x == numbers[0]), "all numbers of a tensor move alike");
    }
    [w.fc1.weight[0][0], w.fc1.bias[0], w.fc10.weight[0][0], w.fc10.bias[0]]
}

#[test]
fn a_group_is_a_layer_or_a_tensor_and_later_ones_win() {
    let sgd = Sgd::new(0.5);
    assert_eq!(one_step(&sgd, 0.0), [0.5; 4]);
    let layer = sgd.clone().group("fc1", |group| group.learning_rate(0.25));
    assert_eq!(one_step(&layer, 0.0), [0.75, 0.75, 0.5, 0.5]);
    let tensor = layer.clone().group("fc1.bias", |group| group.learning_rate(0.0));
    assert_eq!(one_step(&tensor, 0.0), [0.75, 1.0, 0.5, 0.5]);
    // A later group sets only what it names; the rest stays as the earlier one has it.
    let decay = tensor.group("fc1", |group| group.weight_decay(1.0));
    assert_eq!(one_step(&decay, 0.0), [0.5, 1.0, 0.5, 0.5]);
    // Settings behind a group hold for it as well.
    let behind = layer.weight_decay(1.0);
    assert_eq!(one_step(&behind, 0.0), [0.5, 0.5, 0.0, 0.0]);
}

#[test]
fn a_group_has_its_own_momentum_and_schedule() {
    let sgd = Sgd::new(0.5)
        .schedule(Schedule::step(1, 0.5))
        .group("fc10", |group| group.schedule(Schedule::constant()).momentum(0.5).nesterov(true));
    assert_eq!(one_step(&sgd, 0.0), [0.5, 0.5, 0.25, 0.25]);
    assert_eq!(one_step(&sgd, 1.0), [0.75, 0.75, 0.25, 0.25]);
    let mut state = sgd.state(&Wide::seeded(0));
    assert_eq!(state.learning_rate(), 0.5);
    state.set_epoch(2.5);
    assert_eq!(state.learning_rate(), 0.125);
    let mut net = Wide::seeded(0);
    let mut gradients = WideParameters::zeroed();
    gradients.as_flat_mut().fill(1.0);
    state.step(&mut net, &gradients);
    let velocity = state.buffer("momentum_buffer").expect("one group has momentum");
    assert_eq!((velocity.fc1.bias[0], velocity.fc10.bias[0]), (0.0, 1.0));
}

#[test]
fn large_tensors_take_the_same_steps_as_small_ones() {
    let rule = |sgd: Sgd| sgd.weight_decay(0.01).momentum(0.9).dampening(0.25);
    for sgd in [rule(Sgd::new(0.1)), Sgd::new(0.1).weight_decay(0.01)] {
        let mut net = Wide::seeded(3);
        let mut state = sgd.state(&net);
        let mut expected = net.parameters_flat().to_vec();
        let mut velocity = vec![0.0; expected.len()];
        let momentum = state.buffer("momentum_buffer").is_some();
        for step in 0..2 {
            let mut gradients = WideParameters::zeroed();
            for (i, g) in gradients.as_flat_mut().iter_mut().enumerate() {
                *g = (i % 13) as f32 - 6.0;
            }
            state.step(&mut net, &gradients);
            for ((w, v), g) in expected.iter_mut().zip(&mut velocity).zip(gradients.as_flat()) {
                let g = g + 0.01 * *w;
                let share = if step == 0 { 1.0 } else { 0.75 };
                *v = if momentum { 0.9 * *v + share * g } else { g };
                *w -= 0.1 * *v;
            }
        }
        assert_eq!(net.parameters_flat(), expected);
    }
}

#[test]
fn a_stopped_run_goes_on_with_the_same_bits() {
    let sgd = Sgd::new(0.1).momentum(0.9).dampening(0.5);
    let mut gradients = TinyParameters::zeroed();
    gradients.as_flat_mut().fill(0.3);
    let mut net = Tiny::seeded(1);
    let mut state = sgd.state(&net);
    state.step(&mut net, &gradients);

    let mut other = net.clone();
    let mut resumed = sgd.state(&other);
    let velocity = state.buffer("momentum_buffer").unwrap().as_flat();
    resumed.resume(state.steps(), &[("momentum_buffer", velocity)]).unwrap();
    let mut copied = state.clone();
    let mut third = net.clone();
    state.step(&mut net, &gradients);
    resumed.step(&mut other, &gradients);
    copied.step(&mut third, &gradients);
    assert_eq!(net.parameters_flat(), other.parameters_flat());
    assert_eq!(net.parameters_flat(), third.parameters_flat());
    assert_eq!(
        resumed.resume(1, &[("momentum_buffer", &[0.0; 3])]).unwrap_err().to_string(),
        "numbers of `momentum_buffer`: expected 410, found 3"
    );
    assert_eq!(
        resumed.resume(1, &[]).unwrap_err().to_string(),
        "numbers of `momentum_buffer`: expected 410, found 0"
    );
    assert_eq!(resumed.steps(), 2);
    let mut plain = Sgd::new(0.1).state(&net);
    plain.resume(7, &[]).unwrap();
    assert_eq!(
        plain.resume(1, &[("exp_avg", &[])]).unwrap_err().to_string(),
        "`buffer` = exp_avg: a buffer that this state has"
    );
    assert_eq!(plain.steps(), 7);
}

#[track_caller]
fn refused(sgd: &Sgd, message: &str) {
    assert_eq!(sgd.check().unwrap_err().to_string(), message);
    assert!(sgd.try_state(&Tiny::seeded(0)).is_err());
}

#[test]
fn wrong_arguments_are_refused() {
    let range = "a finite number, 0 or more, is needed";
    for value in [-0.1, f32::NAN, f32::INFINITY] {
        refused(&Sgd::new(value), &format!("`learning_rate` = {value}: {range}"));
        let sgd = Sgd::new(0.1);
        refused(&sgd.clone().weight_decay(value), &format!("`weight_decay` = {value}: {range}"));
        refused(
            &sgd.clone().momentum(value),
            &format!("`momentum` = {value}: 0 or more, below 1, is allowed"),
        );
        refused(
            &sgd.clone().dampening(value),
            &format!("`dampening` = {value}: 0 to 1 is allowed"),
        );
        refused(
            &sgd.group("fc", |group| group.learning_rate(value)),
            &format!("`learning_rate` = {value}: {range}"),
        );
    }
    refused(&Sgd::new(0.1).momentum(1.0), "`momentum` = 1: 0 or more, below 1, is allowed");
    let nesterov = Sgd::new(0.1).nesterov(true);
    refused(&nesterov, "`nesterov` = true: it needs momentum, and dampening 0");
    refused(
        &nesterov.momentum(0.9).dampening(0.1),
        "`nesterov` = true: it needs momentum, and dampening 0",
    );
    refused(
        &Sgd::new(0.1).schedule(Schedule::cosine(0)),
        "`epochs` = 0: 1 epoch or more is needed",
    );
}

#[test]
fn a_group_that_names_nothing_is_refused() {
    for path in ["fc1", "conv", "f", "fc.", "fc.weights", "fc.bias.x", "relu", ""] {
        let sgd = Sgd::new(0.1).group(path, |group| group.learning_rate(0.0));
        assert!(sgd.check().is_ok());
        let error = sgd.check_against(&Tiny::GRAPH, Tiny::LAYOUT.tensors).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("`Tiny` has no layer `{path}`: ")), "{text}");
        let help = match path {
            "fc1" | "f" | "fc." => "did you mean `fc`?",
            "conv" => "did you mean `conv1`?",
            "fc.weights" => "did you mean `fc.weight`?",
            "fc.bias.x" => "did you mean `fc.bias`?",
            _ => "the layers with parameters are conv1, fc",
        };
        assert!(text.ends_with(help), "{text}");
    }
}

#[test]
fn groups_that_are_wrong_only_together_are_refused() {
    let sgd = Sgd::new(0.1)
        .momentum(0.9)
        .group("fc", |group| group.nesterov(true))
        .group("fc.bias", |group| group.momentum(0.0));
    assert!(sgd.check().is_ok());
    assert!(sgd.try_state(&Tiny::seeded(0)).is_err());
}

#[test]
#[should_panic(expected = "`learning_rate` = -1")]
fn the_state_of_a_wrong_optimiser_panics() {
    let _ = Sgd::new(-1.0).state(&Tiny::seeded(0));
}

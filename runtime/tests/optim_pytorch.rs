//! Twenty steps of every optimiser against PyTorch's, which `tests/fixtures/optimizers.py` wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/fixtures/reader.rs"]
mod reader;
#[path = "common/tiny.rs"]
mod tiny;

use reader::{Fixture, relative_error};
use tiny::{Tiny, TinyParameters};
use typenet_engine::Flat;
use typenet_runtime::Network;
use typenet_runtime::optim::{Adam, AdamW, Lion, Muon, Optimizer, RmsProp, Sgd};

const STEPS: usize = 20;
const TOLERANCE: f64 = 2e-6;

#[track_caller]
fn check_within<O: Optimizer>(case: &str, optimizer: O, tolerance: f64) {
    let fixture = Fixture::read(include_bytes!("../../tests/fixtures/optimizers.safetensors"));
    let pull = fixture.f32("pull");
    let mut net = Tiny::seeded(0);
    net.parameters_flat_mut().copy_from_slice(&fixture.f32("start"));
    let mut state = optimizer.state(&net);
    let mut gradients = TinyParameters::zeroed();
    for pull in pull.chunks_exact(pull.len() / STEPS) {
        let numbers = gradients.as_flat_mut().iter_mut();
        for ((g, p), w) in numbers.zip(pull).zip(net.parameters_flat()) {
            *g = p + 0.3 * w;
        }
        state.step(&mut net, &gradients);
    }
    assert_eq!(state.steps(), STEPS as u64);
    let error = relative_error(net.parameters_flat(), fixture.f64(&format!("{case}.weights")));
    assert!(error <= tolerance, "{case}: the weights are off by {error:.1e}");
    let mut buffers = 0;
    for (name, buffer) in state.buffers() {
        let expected = fixture.f64(&format!("{case}.{name}"));
        let error = relative_error(buffer.as_flat(), expected);
        assert!(error <= tolerance, "{case}: {name} is off by {error:.1e}");
        buffers += 1;
    }
    let start = format!("{case}.");
    let expected = fixture.names().filter(|name| name.starts_with(&start)).count() - 1;
    assert_eq!(buffers, expected, "{case}: the buffers that are kept");
}

#[track_caller]
fn check<O: Optimizer>(case: &str, optimizer: O) {
    check_within(case, optimizer, TOLERANCE);
}

#[test]
fn sgd() {
    check("sgd", Sgd::new(0.05));
    check("sgd_nesterov", Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(0.1));
    check("sgd_dampening", Sgd::new(0.05).momentum(0.8).dampening(0.5));
}

#[test]
fn adam() {
    check("adam", Adam::new(0.05));
    check("adam_decay", Adam::new(0.05).betas(0.8, 0.95).eps(1e-3).weight_decay(0.1));
    check("adam_amsgrad", Adam::new(0.05).betas(0.9, 0.9).amsgrad(true));
}

#[test]
fn adamw() {
    check("adamw", AdamW::new(0.05));
    let amsgrad = AdamW::new(0.05).betas(0.9, 0.9).weight_decay(0.5).amsgrad(true);
    check("adamw_amsgrad", amsgrad);
}

#[test]
fn rmsprop() {
    check("rmsprop", RmsProp::new(0.02));
    check("rmsprop_decay", RmsProp::new(0.02).alpha(0.9).eps(1e-3).weight_decay(0.1));
    check("rmsprop_momentum", RmsProp::new(0.02).momentum(0.9));
    // The first steps divide by a root of a difference of almost equal numbers.
    let centered = RmsProp::new(0.02).centered(true);
    check_within("rmsprop_centered", centered.clone(), 2e-5);
    let all = centered.alpha(0.95).momentum(0.5).weight_decay(0.1);
    check_within("rmsprop_all", all, 2e-5);
}

#[test]
fn lion() {
    check("lion", Lion::new(0.01));
    check("lion_decay", Lion::new(0.01).betas(0.95, 0.98).weight_decay(1.0));
}

#[test]
fn muon() {
    check_within("muon", Muon::new(0.02), 2e-5);
    let other = Muon::new(0.05).weight_decay(0.1).momentum(0.9).nesterov(false).ns_steps(3);
    check_within("muon_decay", other.adamw_learning_rate(0.01), 2e-5);
}

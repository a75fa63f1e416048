//! What holds for all optimisers: threads, groups, tensors that are not trained, wrong arguments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/bare.rs"]
mod bare;

use typenet_engine::Flat;
use typenet_engine::parameters::WeightBias;
use typenet_runtime::optim::{
    Adam, AdamW, Lion, Muon, Optimizer, RmsProp, Rule, Schedule, Sgd, State, TensorStep,
    clip_grad_norm, clip_grad_value,
};
use typenet_runtime::{Network, Result};
use typenet_shape::{Graph, Node, Op, Shape, Tensor};

typenet_engine::__parameter_struct! {
    pub(crate) struct WideParameters {
        /// Large enough to be shared out among threads.
        pub fc1: WeightBias<[[f32; 300]; 310], [f32; 310]>,
        pub fc2: WeightBias<[[f32; 310]; 2], [f32; 2]>,
    }
}

bare::bare_net!(Wide, [f32; 300], [f32; 2], WideParameters, 3, {
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[300]) }, inputs: &[] },
        Node { name: "fc1", op: Op::Linear { out_features: 310, bias: true }, inputs: &[0] },
        Node { name: "fc2", op: Op::Linear { out_features: 2, bias: true }, inputs: &[1] },
    ]
});

/// One step with gradients that depend on the step and the weights.
fn step<O: Optimizer>(net: &mut Wide, state: &mut State<Wide, O>) {
    let step = state.steps() as usize;
    let mut gradients = WideParameters::zeroed();
    for ((i, g), w) in gradients.as_flat_mut().iter_mut().enumerate().zip(net.parameters_flat()) {
        *g = ((i * 31 + step * 17) % 103) as f32 / 103.0 - 0.5 + 0.1 * w;
    }
    state.step(net, &gradients);
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// That the bits do not depend on threads, that a resumed state goes on with the same ones, and that
/// all weights move.
#[track_caller]
fn sound<O: Optimizer>(optimizer: &O) {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut net = Wide::seeded(3);
            let mut state = optimizer.state(&net);
            (0..3).for_each(|_| step(&mut net, &mut state));
            let mut resumed = optimizer.state(&net);
            let buffers: Vec<_> = state.buffers().map(|(name, b)| (name, b.as_flat())).collect();
            resumed.resume(state.steps(), &buffers).unwrap();
            let mut other = net.clone();
            step(&mut other, &mut resumed);
            step(&mut net, &mut state);
            assert_eq!(bits(net.parameters_flat()), bits(other.parameters_flat()));
            bits(net.parameters_flat())
        })
    };
    let one = run(1);
    for threads in [2, 3, 5] {
        assert!(run(threads) == one, "{}: {threads} threads give other bits", O::NAME);
    }
    let start = bits(Wide::seeded(3).parameters_flat());
    let moved = start.iter().zip(&one).filter(|(a, b)| a != b).count();
    assert_eq!(moved, start.len(), "{}: weights that stay", O::NAME);
    assert!(one.iter().all(|&bits| f32::from_bits(bits).is_finite()));
}

#[test]
fn bits_do_not_depend_on_threads_and_states_go_on() {
    sound(&Sgd::new(0.1).momentum(0.9).dampening(0.1));
    sound(&Adam::new(0.01).amsgrad(true));
    sound(&AdamW::new(0.01));
    sound(&RmsProp::new(0.01).momentum(0.9).centered(true));
    sound(&RmsProp::new(0.01).momentum(0.9));
    sound(&Lion::new(0.01).weight_decay(0.1));
    sound(&Muon::new(0.02).weight_decay(0.1));
}

#[test]
fn a_tensor_that_joins_later_starts_with_its_own_first_step() {
    // PyTorch counts steps by tensor too: Adam's first step is by the learning rate whatever the
    // gradient.
    let mut net = Wide::seeded(3);
    net.set_trainable("fc2", false).unwrap();
    let mut state = Adam::new(0.01).state(&net);
    (0..5).for_each(|_| step(&mut net, &mut state));
    net.set_trainable("fc2", true).unwrap();
    let before = net.fc2_bias();
    assert_eq!(before, Wide::seeded(3).fc2_bias());
    step(&mut net, &mut state);
    for (after, before) in net.fc2_bias().iter().zip(before) {
        let moved = (after - before).abs();
        assert!((moved - 0.01).abs() <= 1e-5, "{moved}");
    }
    // And SGD's first step is not dampened.
    let mut net = Wide::seeded(3);
    net.set_trainable("fc2", false).unwrap();
    let mut state = Sgd::new(1.0).momentum(0.5).dampening(0.75).state(&net);
    step(&mut net, &mut state);
    net.set_trainable("fc2", true).unwrap();
    let mut gradients = WideParameters::zeroed();
    gradients.as_flat_mut().fill(1.0);
    let before = net.fc2_bias();
    state.step(&mut net, &gradients);
    assert_eq!(net.fc2_bias(), before.map(|bias| bias - 1.0));
}

impl Wide {
    fn fc2_bias(&self) -> [f32; 2] {
        self.model().parameters().fc2.bias
    }
}

/// How far one step with gradients of 1 moves weights of 0: the weight and bias of both layers.
fn moved<O: Optimizer>(optimizer: &O) -> [f32; 4] {
    let mut net = Wide::seeded(0);
    net.parameters_flat_mut().fill(0.0);
    let mut gradients = WideParameters::zeroed();
    gradients.as_flat_mut().fill(1.0);
    let mut state = optimizer.state(&net);
    state.step(&mut net, &gradients);
    let w = net.model().parameters();
    [w.fc1.weight[0][0], w.fc1.bias[0], w.fc2.weight[0][0], w.fc2.bias[0]].map(|w| -w)
}

#[track_caller]
fn close(found: [f32; 4], expected: [f32; 4]) {
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-5 * e.abs().max(1e-6), "{found:?}, not {expected:?}");
    }
}

#[test]
fn groups_have_their_own_settings() {
    let adamw = AdamW::new(0.01)
        .group("fc1", |group| group.learning_rate(0.02))
        .group("fc1.bias", |group| group.learning_rate(0.0))
        .group("fc2", |group| group.schedule(Schedule::constant().warmup(1.0)));
    close(moved(&adamw), [0.02, 0.0, 1e-4, 1e-4]);
    close(
        moved(&Lion::new(0.5).group("fc2.bias", |g| g.learning_rate(0.25))),
        [0.5, 0.5, 0.5, 0.25],
    );
}

#[test]
fn muon_takes_matrices_and_adamw_the_rest() {
    let muon = Muon::new(0.5).adamw_learning_rate(0.01);
    // A matrix of equal numbers has rank 1: its orthogonal form has all numbers alike, of about 1 /
    // √(rows · columns), times the root of rows over columns where that is more than 1.
    let [w1, b1, w2, b2] = moved(&muon);
    let expected = 0.5 / (310.0_f32 * 300.0).sqrt() * (310.0_f32 / 300.0).sqrt();
    assert!((0.6..1.3).contains(&(w1 / expected)), "{w1} {expected}");
    let expected = 0.5 / 620.0_f32.sqrt();
    assert!((0.6..1.3).contains(&(w2 / expected)), "{w2} {expected}");
    close([b1, b2, 0.0, 0.0], [0.01, 0.01, 0.0, 0.0]);
    // The last layer to AdamW, at its rate or one of its own.
    let last = muon.clone().group("fc2", |group| group.use_muon(false));
    close(moved(&last), [w1, 0.01, 0.01, 0.01]);
    let own = last.group("fc2.weight", |group| group.learning_rate(0.03));
    close(moved(&own), [w1, 0.01, 0.03, 0.01]);
    let none = Muon::new(0.5).use_muon(false);
    assert_eq!(none.state(&Wide::seeded(0)).buffers().count(), 2);
    close(moved(&none), [3e-4; 4]);
}

#[test]
fn rates_are_scaled_beside_the_schedule() {
    let optimizer = Sgd::new(0.5)
        .schedule(Schedule::step(1, 0.5))
        .group("fc2", |group| group.learning_rate(0.25).schedule(Schedule::constant()));
    let mut state = optimizer.state(&Wide::seeded(0));
    state.scale_learning_rate(0.5);
    assert_eq!(state.learning_rate(), 0.25);
    state.set_epoch(1.0);
    assert_eq!(state.learning_rate(), 0.125);
    let mut net = Wide::seeded(0);
    net.parameters_flat_mut().fill(0.0);
    let mut gradients = WideParameters::zeroed();
    gradients.as_flat_mut().fill(1.0);
    state.step(&mut net, &gradients);
    assert_eq!(net.model().parameters().fc1.bias[0], -0.125);
    assert_eq!(net.fc2_bias()[0], -0.125);
}

#[test]
fn gradients_are_clipped_by_their_norm_and_by_value() {
    let mut net = Wide::seeded(0);
    let mut gradients = WideParameters::zeroed();
    let numbers = gradients.as_flat().len();
    let fill = |gradients: &mut WideParameters| {
        for (i, g) in gradients.as_flat_mut().iter_mut().enumerate() {
            *g = (i % 7) as f32 - 3.0;
        }
    };
    fill(&mut gradients);
    let exact: f64 = (0..numbers).map(|i| ((i % 7) as f64 - 3.0).powi(2)).sum::<f64>().sqrt();
    let norm = clip_grad_norm(&net, &mut gradients, 2.0);
    assert!((norm - exact).abs() <= 1e-9 * exact, "{norm} {exact}");
    let factor = (2.0 / (norm + 1e-6)) as f32;
    assert_eq!(gradients.as_flat()[8], -2.0 * factor);
    let norm = clip_grad_norm(&net, &mut gradients, 2.1);
    assert!((norm - 2.0).abs() <= 1e-4, "{norm}");
    assert_eq!(gradients.as_flat()[8], -2.0 * factor, "nothing to clip");

    // What is not trained counts for nothing, and stays.
    net.set_trainable("fc1", false).unwrap();
    fill(&mut gradients);
    gradients.fc2.weight[0][0] = 30.0;
    gradients.fc2.bias = [40.0, 0.0];
    gradients.fc2.weight[0][1..].fill(0.0);
    gradients.fc2.weight[1].fill(0.0);
    assert_eq!(clip_grad_norm(&net, &mut gradients, 5.0), 50.0);
    assert!((gradients.fc2.bias[0] - 4.0).abs() <= 1e-5);
    assert_eq!(gradients.fc1.weight[0][0], -3.0);
    clip_grad_value(&net, &mut gradients, 3.5);
    assert_eq!(gradients.fc2.bias[0], 3.5);
    assert_eq!(gradients.fc1.weight[0][0], -3.0);

    gradients.fc2.bias[1] = f32::NAN;
    assert!(clip_grad_norm(&net, &mut gradients, 1.0).is_nan());
    assert_eq!(gradients.fc2.bias[0], 3.5);
    clip_grad_value(&net, &mut gradients, 1.0);
    assert!(gradients.fc2.bias[1].is_nan() && gradients.fc2.bias[0] == 1.0);
}

#[track_caller]
fn refused<O: Optimizer>(optimizer: &O, message: &str) {
    assert_eq!(optimizer.check().unwrap_err().to_string(), message);
    assert!(optimizer.try_state(&Wide::seeded(0)).is_err());
}

#[test]
fn wrong_arguments_are_refused() {
    let number = "a finite number, 0 or more, is needed";
    let share = "0 or more, below 1, is allowed";
    for value in [-1.0_f32, f32::NAN, f32::INFINITY] {
        let rate = format!("`learning_rate` = {value}: {number}");
        refused(&Adam::new(value), &rate);
        refused(&AdamW::new(value), &rate);
        refused(&RmsProp::new(value), &rate);
        refused(&Lion::new(value), &rate);
        refused(&Muon::new(value), &rate);
        let decay = format!("`weight_decay` = {value}: {number}");
        refused(&Adam::new(0.1).weight_decay(value), &decay);
        refused(&AdamW::new(0.1).weight_decay(value), &decay);
        refused(&RmsProp::new(0.1).weight_decay(value), &decay);
        refused(&Lion::new(0.1).weight_decay(value), &decay);
        refused(&Muon::new(0.1).weight_decay(value), &decay);
        let eps = format!("`eps` = {value}: {number}");
        refused(&Adam::new(0.1).eps(value), &eps);
        refused(&RmsProp::new(0.1).eps(value), &eps);
        let beta = format!("`beta2` = {value}: {share}");
        refused(&AdamW::new(0.1).betas(0.9, f64::from(value)), &beta);
        refused(&Lion::new(0.1).betas(0.9, f64::from(value)), &beta);
        refused(&Adam::new(0.1).group("fc1", |g| g.betas(0.9, f64::from(value))), &beta);
    }
    refused(&Adam::new(0.1).betas(1.0, 0.9), &format!("`beta1` = 1: {share}"));
    refused(&RmsProp::new(0.1).alpha(1.0), &format!("`alpha` = 1: {share}"));
    refused(&RmsProp::new(0.1).momentum(1.5), &format!("`momentum` = 1.5: {share}"));
    refused(&Muon::new(0.1).momentum(1.0), &format!("`momentum` = 1: {share}"));
    refused(&Muon::new(0.1).ns_steps(0), "`ns_steps` = 0: 1 step or more is needed");
    refused(
        &Lion::new(0.1).schedule(Schedule::cosine(0)),
        "`epochs` = 0: 1 epoch or more is needed",
    );
    let unknown = AdamW::new(0.1).group("fc3", |group| group);
    assert!(unknown.check().is_ok());
    let error = unknown.try_state(&Wide::seeded(0)).unwrap_err().to_string();
    assert!(error.contains("no layer `fc3`: did you mean `fc"), "{error}");
}

/// Descent by the sign alone, with a count of its own.
#[derive(Clone, Debug)]
struct SignSgd(f32, Schedule);

impl Optimizer for SignSgd {
    type Rule = SignSgd;
    const NAME: &'static str = "SignSGD";
    const BUFFERS: &'static [&'static str] = &["count"];

    fn base(&self) -> SignSgd {
        self.clone()
    }

    fn rule(&self, _: &Graph<'_>, _: &Tensor) -> SignSgd {
        self.clone()
    }
}

impl Rule for SignSgd {
    fn learning_rate(&self) -> f32 {
        self.0
    }

    fn schedule(&self) -> &Schedule {
        &self.1
    }

    fn step(&self, tensor: TensorStep<'_>) {
        let rate = tensor.learning_rate;
        tensor.each_with_1(|w, g, count| {
            *w -= rate * g.signum() + 0.01 * *w;
            *count += 1.0;
        });
    }
}

#[test]
fn an_optimiser_of_ones_own() -> Result<()> {
    let own = SignSgd(0.25, Schedule::default());
    close(moved(&own), [0.25; 4]);
    sound(&own);
    assert!(SignSgd(-1.0, Schedule::default()).check().is_err());
    let mut net = Wide::seeded(0);
    let mut state = own.try_state(&net)?;
    step(&mut net, &mut state);
    step(&mut net, &mut state);
    assert!(state.buffer("count").unwrap().as_flat().iter().all(|&count| count == 2.0));
    assert!(format!("{state:?}").contains("SignSGD"));
    Ok(())
}

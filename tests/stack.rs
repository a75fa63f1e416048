//! Nothing that a program calls puts a net's input, output or parameters on the stack: nets that are
//! many times as large as the stack of the thread that uses them.
//!
//! A thread whose stack is too small ends the whole program; its name says which call it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::thread;

use typenet::data::{Prefetch, Sampler};
use typenet::loss::{Accepts, Compares};
use typenet::optim::{clip_grad_norm, clip_grad_value};
use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;
use typenet::reference::{self, gradcheck_with};
use typenet::report::Report;
use typenet::train::update_bn;
use typenet::{Flat, Normalization, SingleInput, SingleOutput};

/// What each thread of this test has; that of Windows' first thread is four times as large.
const STACK: usize = 256 << 10;

/// Inputs, outputs and parameters are at least this large, in bytes.
const LARGE: usize = 2 * STACK;

network! {
    /// 768 kB in, 2 MB out, 1.5 MB of parameters.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Large: [3, 256, 256] -> [2, 512, 512] {
        conv1: conv2d(1, kernel = 3, padding = 1), batch_norm, relu, max_pool2d(16),
        flatten,
        fc: linear(1536), reshape([6, 16, 16]),
        conv2: conv2d(2, kernel = 1), upsample(32),
    }
}

network! {
    /// 768 kB in, 768 kB of features out.
    pub struct Features: [3, 256, 256] -> [196608] {
        conv1: conv2d(3, kernel = 1), flatten,
    }
}

network! {
    /// An output that is as large as one can be without a box.
    pub struct Border: [4] -> [16384] {
        fc: linear(16384),
    }
}

network! {
    /// Two inputs and two heads.
    pub struct Named: (image: [3, 256, 256], more: [2, 256, 256]) -> (mask: [2, 512, 512], class: [1000]) {
        from(image), max_pool2d(16), flatten,
        fc: linear(512), reshape([2, 16, 16]), coarse: relu,
        mask: upsample(32),
        from(more), max_pool2d(16), flatten, class: linear(1000),
    }
}

/// The size of [`Scaled`].
const SIDE: usize = 256;

network! {
    /// Sizes that the compiler alone knows.
    pub struct Scaled: [3, self::SIDE, self::SIDE] -> [3, self::SIDE, self::SIDE] {
        scale(0.5),
    }
}

network! {
    /// A size that is chosen where the net is used.
    pub struct Chosen<const C: usize, const M: usize>: [C, 256, 256] -> [C, 256, 256] {
        residual {
            conv1: conv2d(C, kernel = 1), max_pool2d(16), flatten, fc: linear(256 * M),
            reshape([M, 16, 16]), conv2: conv2d(C, kernel = 1), upsample(16),
        }
    }
}

network! {
    /// Features whose number is chosen where the net is used: no type can box them.
    pub struct Wide<const N: usize>: [N] -> [N] {
        norm: layer_norm, relu,
    }
}

network! {
    /// Parameters in a tuple.
    pub struct Rounds: [512] -> [512] {
        rounds: repeat(2) { fc: linear(512), relu, }
    }
}

network! {
    /// As [`Rounds`], of any size.
    pub struct RoundsOf<const N: usize>: [N] -> [N] {
        rounds: repeat(2) { fc: linear(N), relu, }
    }
}

/// A factor of its own for each number.
#[derive(Debug)]
pub struct Gain;

#[typenet::layer]
impl Gain {
    const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
    const fn weight(self, input: Shape) -> Shape {
        input
    }
}

impl Layer for Gain {
    fn forward(&self, _: Shape, parameters: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).zip(parameters.weight).for_each(|((y, x), w)| *y = w * x);
    }

    fn backward(
        &self,
        _: Shape,
        parameters: Parameters<'_>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        gradients: Gradients<'_>,
    ) {
        for (i, dy) in dy.iter().enumerate() {
            dx[i] = parameters.weight[i] * dy;
            gradients.weight[i] += x[i] * dy;
        }
    }

    fn reference(&self, _: Shape, parameters: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
        y.iter_mut().zip(x).zip(parameters.weight).for_each(|((y, x), w)| *y = w * x);
    }
}

network! {
    /// A net and a layer of this program as layers.
    pub struct Parted: [3, 256, 256] -> [2, 512, 512] {
        gain: self::Gain, body: self::Large, end: self::Gain,
    }
}

/// Runs a call on a small stack, in a thread of this name.
fn small<T: Send>(name: &str, call: impl FnOnce() -> T + Send) -> T {
    small_helpers();
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    thread::scope(|scope| thread.spawn_scoped(scope, call).unwrap().join().unwrap())
}

/// Numbers between −1 and 1.
fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i % 4001 * 7919 % 4001) as f32 / 2000.0 - 1.0).collect()
}

/// The same as values.
fn values<T: Flat>(count: usize) -> Vec<T> {
    Flat::vec_from_flat(numbers(count * T::LEN)).unwrap()
}

fn large<T>() -> bool {
    size_of::<T>() >= LARGE
}

/// The threads that help have small stacks too.
fn small_helpers() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).num_threads(4);
        pool.build_global().unwrap();
    });
}

/// The output of a net, returned by value or in a box.
fn output<N: Network>() {
    let (net, images): (_, Vec<N::Input>) = (N::seeded(1), values(1));
    small(&format!("{}: output", N::GRAPH.name), || {
        let mut output = net.output(&images[0]);
        assert!(typenet::OutputValue::get_mut(&mut output).as_flat().len() == N::Output::LEN);
    });
}

/// What every net does, whatever it is.
fn network<N: Network>() {
    let name = N::GRAPH.name;
    let images: Vec<N::Input> = values(3);
    let (image, bytes) = (&images[0], numbers(N::Input::LEN));
    let mut net = small(&format!("{name}: seeded"), || N::seeded(1));
    let net2 = small(&format!("{name}: seeded_with"), || N::seeded_with(Scheme::default(), 2));
    small(&format!("{name}: drop"), || drop(net2));
    small(&format!("{name}: input"), || N::input(&bytes).unwrap());

    let mut ws = small(&format!("{name}: workspace"), || N::workspace(2));
    let outputs = small(&format!("{name}: outputs"), || net.outputs(&images));
    let mut same: Vec<N::Output> = N::Output::zeroed_vec(3);
    small(&format!("{name}: outputs_into"), || {
        net.outputs_into(&mut ws, &images, &mut same).unwrap();
        net.outputs_into(&mut ws, &images[..1], &mut same[..1]).unwrap();
    });
    assert_eq!(outputs[2].as_flat(), same[2].as_flat());
    small(&format!("{name}: trace"), || net.trace(image));
    small(&format!("{name}: summary"), || N::summary().to_string());
    small(&format!("{name}: diagram"), || N::diagram().to_mermaid());
    small(&format!("{name}: reference"), || {
        let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        reference::evaluate::<N>(&wide(net.parameters_flat()), &wide(image.as_flat()))
    });

    small(&format!("{name}: forward"), || net.forward(&images, &mut ws));
    small(&format!("{name}: output of a workspace"), || {
        assert_eq!(ws.output().len(), 3);
        ws.output_gradient_mut()[0].as_flat_mut().fill(1e-3);
        ws.output_rows().1.fill(1e-3);
    });
    small(&format!("{name}: backward"), || net.backward(&images, &mut ws));
    small(&format!("{name}: backward_accumulate"), || net.backward_accumulate(&images, &mut ws));
    small(&format!("{name}: optimiser"), || {
        let sgd = Sgd::new(0.01).momentum(0.9).weight_decay(1e-4);
        let mut state = sgd.state(&net);
        state.step(&mut net, ws.gradients());
        ws.gradients_mut().as_flat_mut().fill(0.0);
        let mut other = state.clone();
        let momentum = state.buffer("momentum_buffer").unwrap().as_flat();
        other.resume(1, &[("momentum_buffer", momentum)]).unwrap();
        let penalty = Regularizer::l2(0.1).and(Regularizer::l1(0.1));
        assert!(penalty.value_of(&net).is_finite());
        penalty.add_gradient_of(&net, ws.gradients_mut());
    });
    small(&format!("{name}: copies of parameters"), || {
        let mut kept = ws.gradients().to_boxed();
        kept.as_mut().clone_from(net.model().parameters());
        kept.as_mut().clone_from(ws.gradients());
        assert!(*kept == *ws.gradients());
    });

    small(&format!("{name}: trainable"), || {
        net.set_all_trainable(false);
        net.set_all_trainable(true);
    });
    small(&format!("{name}: clone, eq, debug"), || {
        let mut copy = net.clone();
        copy.clone_from(&net);
        assert!(copy.model() == net.model());
        assert!(!format!("{:?}", net.model()).is_empty());
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    small(&format!("{name}: save"), || net.save(&path).unwrap());
    let loaded = small(&format!("{name}: load"), || N::load(&path).unwrap());
    assert!(loaded.model() == net.model());
    small(&format!("{name}: load_with"), || N::load_with(&path, &LoadOptions::new()).unwrap());
    let bytes = small(&format!("{name}: to_bytes"), || net.to_bytes().unwrap());
    small(&format!("{name}: from_bytes"), || N::from_bytes(&bytes).unwrap());
    small(&format!("{name}: parameters_flat"), || {
        net.parameters_flat_mut()[0] = 0.25;
        net.metadata_mut().class_names.push("a".to_owned());
        assert!(net.parameters_flat()[0] == 0.25 && N::training_memory(2) > 0);
    });
}

/// What nets with one output do besides.
fn predict<N: Network + SingleOutput>() {
    let name = N::GRAPH.name;
    let images: Vec<N::Input> = values(3);
    let (net, image) = (N::seeded(1), &images[0]);
    let mut ws = N::workspace(1);
    small(&format!("{name}: predict"), || net.predict(image));
    small(&format!("{name}: predict_with"), || net.predict_with(&mut ws, image));
    small(&format!("{name}: predict_batch"), || net.predict_batch(&images));
    small(&format!("{name}: predict_into"), || {
        net.predict_into(&mut ws, &images, &mut [0; 3]).unwrap();
    });
    small(&format!("{name}: top_k"), || net.top_k(image, 2));
}

/// The probabilities, returned by value or in a box.
fn probabilities<N: Network + SingleOutput>() {
    let (name, net, images): (_, _, Vec<N::Input>) = (N::GRAPH.name, N::seeded(1), values(1));
    let image = &images[0];
    small(&format!("{name}: probabilities"), || {
        typenet::OutputValue::get_mut(&mut net.probabilities(image)).as_flat().len()
    });
}

/// What nets whose input is an image do besides.
fn images<N: Network + SingleInput>() {
    let name = N::GRAPH.name;
    let mut net = N::seeded(1);
    let dims = N::SHAPES[0].dims();
    let pixels = vec![100; N::Input::LEN];
    net.metadata_mut().normalization =
        Some(Normalization { mean: vec![0.5; dims[0]], std: vec![0.5; dims[0]] });
    small(&format!("{name}: input_from_u8"), || net.input_from_u8(&pixels).unwrap());
    small(&format!("{name}: input_from_image"), || {
        let picture = typenet::image::DynamicImage::new_rgb8(30, 20);
        let resize = Resize::Stretch(typenet::image::imageops::FilterType::Nearest);
        net.input_from_image(&picture, &ImageOptions::new(resize, Channels::Rgb)).unwrap()
    });
}

/// Data sets, by-hand loops and the trainer with targets of some type.
fn training<N, T, L>(loss: &L, targets: &[T])
where
    N: Network<Input: Clone + PartialEq>,
    T: typenet::train::Target + PartialEq + std::fmt::Debug,
    L: Compares<N::Output, T> + Accepts<N>,
{
    let name = N::GRAPH.name;
    let count = targets.len();
    let images: Vec<N::Input> = values(count);
    let mut data = small(&format!("{name}: from_inputs"), || {
        Dataset::from_inputs(&images, targets.to_vec()).unwrap()
    });
    small(&format!("{name}: from_flat"), || {
        Dataset::<N::Input, T>::from_flat(numbers(count * N::Input::LEN), targets.to_vec()).unwrap()
    });
    small(&format!("{name}: a data set"), || {
        let statistics = data.channel_statistics(1).unwrap();
        data.normalize(&statistics).unwrap();
        assert_eq!(data.inputs().len(), data.targets().len());
        assert!(data.clone() == data && !format!("{data:?}").is_empty());
        let (some, others) = data.split(0.5, 1).unwrap();
        assert_eq!(some.len() + others.len(), count);
        assert_eq!(data.split_at(1, 1).unwrap().0.len(), 1);
        assert_eq!(data.take(2).len(), 2);
    });
    small(&format!("{name}: gather"), || {
        let (mut inputs, mut gathered) = (Vec::new(), Vec::new());
        let mut sampler = Sampler::new(data.len(), 2, 1);
        sampler.shuffle(0);
        for indices in sampler.batches() {
            data.gather(indices, &mut inputs, &mut gathered);
            assert!(gathered[0] == data.targets()[indices[0]]);
        }
    });
    let mut net = N::seeded(1);
    small(&format!("{name}: minibatches"), || {
        for mut batch in data.minibatches(2, 1) {
            for input in batch.inputs.iter_mut() {
                input.as_flat_mut().reverse();
            }
            let copy = batch.clone();
            assert!(copy == batch && batch.inputs.len() == batch.labels.len());
        }
    });
    small(&format!("{name}: fit"), || {
        let trainer = Trainer::new(Sgd::new(1e-4).momentum(0.9)).loss(loss.clone());
        let mut trainer = trainer.batch(3).workspace(2).epochs(1).progress(false).validation(0.3);
        trainer.fit(&mut net, &data, Some(&data)).unwrap();
    });
    small(&format!("{name}: evaluate"), || evaluate(&net, loss, &data).unwrap());
    small(&format!("{name}: gradcheck"), || {
        gradcheck_with(&net, loss, &images[..1], &targets[..1], 1, 0).unwrap()
    });
}

/// What stands around a run: other optimisers, averages, clipping, checkpoints, callbacks, other sources
/// of examples, reports.
fn runs<N, T, L>(loss: &L, targets: &[T])
where
    N: Network,
    T: typenet::train::Target,
    L: Compares<N::Output, T> + Accepts<N>,
{
    let name = N::GRAPH.name;
    let images: Vec<N::Input> = values(targets.len());
    let data = Dataset::from_inputs(&images, targets.to_vec()).unwrap();
    let (mut net, mut ws) = (N::seeded(1), N::workspace(2));
    small(&format!("{name}: other optimisers"), || {
        Adam::new(1e-4).state(&net).step(&mut net, ws.gradients());
        let mut state = Muon::new(1e-4).state(&net);
        state.step(&mut net, ws.gradients());
        let copy = state.clone();
        assert!(copy.buffers().all(|(_, buffer)| buffer.as_flat().iter().all(|x| x.is_finite())));
        clip_grad_norm(&net, ws.gradients_mut(), 1.0);
        clip_grad_value(&net, ws.gradients_mut(), 0.5);
    });
    small(&format!("{name}: average"), || {
        let mut mean = Averaging::ema(0.9).state::<N>();
        mean.update(&net);
        assert!(mean.clone().net(&net).parameters_flat().len() == net.parameters_flat().len());
    });
    small(&format!("{name}: update_bn"), || update_bn(&mut net, &data, 2).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let trainer = || {
        let trainer = Trainer::new(Adam::new(1e-4)).loss(loss.clone()).batch(3).epochs(1);
        let trainer = trainer.average(Averaging::ema(0.5)).clip_grad_norm(1.0).progress(false);
        trainer.checkpoint(&path).restore_best(Metric::Loss)
    };
    small(&format!("{name}: a run"), || {
        let mut trainer = trainer().after_epoch(|moment| {
            let first = moment.names().next().unwrap();
            assert!(moment.parameter(&first).is_some());
        });
        trainer.fit(&mut net, &data, None).unwrap();
    });
    small(&format!("{name}: resume"), || {
        let mut trainer = trainer();
        assert!(trainer.resume(&mut net).unwrap());
        trainer.fit(&mut net, &(&data).subset(vec![2, 0, 1]).unwrap(), None).unwrap();
    });
    small(&format!("{name}: prefetch"), || {
        let prefetch = Prefetch::new(&data, Sampler::new(data.len(), 2, 1)).epochs(0..1).threads(1);
        prefetch.run(|batches| {
            while let Some(batch) = batches.next().unwrap() {
                assert!(batch.inputs.len() == batch.targets.len() * N::Input::LEN);
            }
        });
    });
    small(&format!("{name}: report"), || {
        let report = Report::new(&net).test(loss, &data).unwrap();
        report.save(folder.path().join("report")).unwrap();
    });
}

#[test]
fn the_nets_are_larger_than_the_stack() {
    assert!(large::<Input<Large>>() && large::<Output<Large>>() && large::<LargeParameters>());
    assert!(large::<Input<Named>>() && large::<Output<Named>>() && large::<NamedParameters>());
    assert!(large::<Input<Features>>() && large::<Output<Features>>());
    assert!(large::<Input<Scaled>>() && large::<Output<Scaled>>());
    assert!(large::<Input<Chosen<2, 2>>>() && large::<ChosenParameters<2, 2>>());
    assert!(large::<ParametersOf<Parted>>());
}

#[test]
fn several_heads() {
    type Mask = [[[f32; 512]; 512]; 2];
    let masks: Vec<Box<Mask>> = values::<Mask>(4).iter().map(Flat::to_boxed).collect();
    let targets = small("zip", || NamedTarget::zip(&masks, &[1, 2, 3, 0]).unwrap());
    assert!(targets[3].mask == masks[3] && targets[3].class == 0);
    let images: Vec<Input<Features>> = values(4);
    let more: Vec<[[[f32; 256]; 256]; 2]> = values(4);
    let data = small("dataset", || NamedInput::dataset(&images, &more, targets).unwrap());
    let loss = NamedLoss { mask: MeanSquaredError::new(), class: CrossEntropy::new() };
    training::<Named, _, _>(&loss, data.targets());
    small("forward_backward", || {
        let (mut net, mut ws) = (Named::seeded(1), Named::workspace(2));
        for batch in data.minibatches(2, 1) {
            net.forward(&batch.inputs, &mut ws);
            loss.forward_backward(&batch.labels, &mut ws).unwrap();
        }
        let output: Box<NamedOutput> = net.output(&data.inputs()[0]);
        assert!(output.class.largest() < 1000 && output.class.top_k(2).len() == 2);
        let copy = output.clone();
        assert!(copy == output);
    });
}

#[test]
fn parameters_are_copied_in_place() {
    let (mut net, other) = (Parted::seeded(1), Parted::seeded(2));
    small("clone_from", || {
        net.body.clone_from(&other.body);
        net.gain.clone_from(&other.gain);
        net.end.weight.clone_from(&other.end.weight);
    });
    assert_eq!(net.parameters_flat(), other.parameters_flat());
    let (mut net, other) = (Chosen::<2, 2>::seeded(1), Chosen::<2, 2>::seeded(2));
    small("clone_from of a generic net", || {
        net.conv2.clone_from(&other.conv2);
        net.fc.clone_from(&other.fc);
        net.deref_mut().clone_from(&other);
    });
    assert_eq!(net.parameters_flat(), other.parameters_flat());
    let (mut net, other) = (Rounds::seeded(1), Rounds::seeded(2));
    let (mut generic, others) = (RoundsOf::<512>::seeded(1), RoundsOf::<512>::seeded(2));
    small("clone_from of rounds", || {
        net.rounds.clone_from(&other.rounds);
        generic.rounds.clone_from(&others.rounds);
    });
    assert_eq!(net.parameters_flat(), other.parameters_flat());
    assert_eq!(generic.parameters_flat(), others.parameters_flat());
}

type ParametersOf<N> = <N as Network>::Parameters;

#[test]
fn what_every_net_does() {
    network::<Large>();
    network::<Features>();
    network::<Border>();
    network::<Named>();
    network::<Chosen<2, 2>>();
    network::<Parted>();
    network::<Wide<200_000>>();
    output::<Large>();
    output::<Features>();
    output::<Border>();
    output::<Named>();
    output::<Scaled>();
    output::<Chosen<2, 2>>();
    output::<Parted>();
}

#[test]
fn predictions() {
    predict::<Large>();
    predict::<Features>();
    predict::<Border>();
    predict::<Scaled>();
    predict::<Chosen<2, 2>>();
    predict::<Parted>();
    predict::<Wide<200_000>>();
    probabilities::<Large>();
    probabilities::<Features>();
    probabilities::<Border>();
    probabilities::<Scaled>();
    probabilities::<Chosen<2, 2>>();
    probabilities::<Parted>();
}

#[test]
fn images_of_other_libraries() {
    images::<Large>();
    images::<Scaled>();
    images::<Parted>();
}

#[test]
fn training_of_values_and_classes() {
    training::<Large, _, _>(&MeanSquaredError::new(), &values::<Output<Large>>(5));
    training::<Rounds, _, _>(&CrossEntropy::new(), &[0, 1, 2, 3, 4]);
    training::<Features, _, _>(&Huber::new(1.0), &values::<Output<Features>>(5));
    training::<Parted, _, _>(&SumSquaredError::new(), &values::<Output<Parted>>(5));
}

#[test]
fn runs_of_values_and_classes() {
    runs::<Large, _, _>(&MeanSquaredError::new(), &values::<Output<Large>>(4));
    runs::<Rounds, _, _>(&CrossEntropy::new(), &[0, 1, 2, 3]);
    runs::<Parted, _, _>(&Huber::new(1.0), &values::<Output<Parted>>(3));
}

#[test]
fn images_that_change_while_training() {
    let augment = Augment::new().random_crop(4).horizontal_flip().rotation(5.0);
    let images: Vec<Input<Large>> = values(3);
    let targets: Vec<Output<Large>> = values(3);
    let data = Dataset::from_inputs(&images, targets).unwrap();
    small("augmented", || {
        let train = data.augmented(augment, 1).unwrap();
        let mut trainer = Trainer::new(Sgd::new(1e-4)).loss(MeanSquaredError::new()).epochs(1);
        trainer = trainer.batch(2).progress(false);
        trainer.fit(&mut Large::seeded(1), &train, None).unwrap();
    });
}

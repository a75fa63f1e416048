//! Nets with several inputs and several heads: gradients, inference, training, files, pictures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet::loss::{Accepts, Compares, Reduction};
use typenet::prelude::*;
use typenet::reference::{self, gradcheck_with};
use typenet::shape::Shape;
use typenet::{Flat, LayerValue};

network! {
    /// Two inputs, two heads.
    pub struct Pose: (image: [2, 6, 6], pose: [5]) -> (class: [4], bbox: [3]) {
        from(image),
        conv1: conv2d(4, kernel = 3, padding = 1), relu, max_pool2d(2), flatten,
        concat(pose),
        shared: linear(12), tanh,
        linear(9), trunk: relu,
        class: linear(4),
        from(trunk), bbox: linear(3),
    }
}

network! {
    /// One input; a head is read by the next one, another ends in a softmax, a third is the same
    /// numbers as one before it, and one has nothing that is trained before it.
    pub struct Chain: [2, 4, 4] -> (map: [3, 4, 4], flat: [48], p: [5], plain: [32]) {
        map: conv2d(3, kernel = 3, padding = 1),
        flat: flatten, relu,
        hidden: linear(5, bias = false), p: softmax,
        from(input), plain: flatten,
    }
}

network! {
    /// Two inputs that are added, one output; batch norms, dropout.
    struct Siblings: (left: [3, 4, 4], right: [3, 4, 4]) -> [3] {
        from(left),
        a: conv2d(4, kernel = 3, padding = 1), bn1: batch_norm, relu,
        one: dropout(0.3),
        from(right),
        b: conv2d(4, kernel = 3, padding = 1), bn2: batch_norm,
        add(one), relu,
        global_avg_pool, fc: linear(3),
    }
}

network! {
    /// Heads in the middle and at the end, with a norm between, gradients that meet in a head.
    struct Deep: (x: [7]) -> (early: [6], late: [6], last: [2]) {
        fc1: linear(6), early: layer_norm, relu,
        fc2: linear(6), add(early),
        late: gelu,
        mul(early), last: linear(2),
    }
}

/// How many classes there are.
const CLASSES: usize = 3;

network! {
    /// Sizes of the program; heads that are activated, summed, pooled and normed; large outputs.
    struct Wide: (a: [2, 8, 8], b: [self::CLASSES]) -> (
        early: [self::CLASSES, 8, 8], map: [self::CLASSES, 8, 8], sum: [2, 8, 8], pooled: [2], large: [60, 17, 17], class: [self::CLASSES],
    ) {
        from(b), linear(self::CLASSES), b2: sigmoid,
        from(a), early: conv2d(self::CLASSES, kernel = 1), batch_norm, map: relu,
        mul(b2), conv2d(2, kernel = 3, padding = 1), add(a), sum: relu,
        pooled: global_avg_pool,
        flatten, linear(60), reshape([60, 1, 1]), upsample(17), large: conv2d(60, kernel = 1, bias = false),
        from(pooled), class: linear(self::CLASSES),
    }
}

network! {
    /// What one image alone has kernels for; a head is a structure.
    struct Quick: (pose: [3], image: [2, 6, 6], more: [3, 6, 6]) -> (
        map: [3, 6, 6], flat: [108], class: [3], less: [4, 3, 3],
    ) {
        from(image), conv2d(3, kernel = 3, padding = 1), add(more), map: relu,
        flat: flatten, linear(3), here: tanh,
        from(pose), linear(3), add(here), class: residual { linear(3) }
        from(more), conv2d(4, kernel = 3, padding = 1), batch_norm, less: max_pool2d(2),
    }
}

network! {
    /// Sizes that are chosen where the net is used.
    struct Chosen<const CHANNELS: usize, const CLASSES: usize>:
        (image: [CHANNELS, 4, 4], pose: [3]) -> (class: [CLASSES], map: [CHANNELS, 4, 4])
    {
        from(image), map: conv2d(CHANNELS, kernel = 3, padding = 1), relu,
        global_avg_pool, concat(pose), class: linear(CLASSES),
    }
}

network! {
    /// A part of the next one.
    struct Part: [3, 4, 4] -> [5] { conv2d(2, kernel = 3), relu, flatten, linear(5), softmax }
}

network! {
    /// Heads that are other nets, and layers behind some.
    struct Parted: (image: [3, 4, 4], pose: [5]) -> (part: [5], sum: [5]) {
        from(image), conv1: conv2d(3, kernel = 3, padding = 1), relu,
        part: self::Part,
        add(pose), sum: linear(5),
    }
}

fn number(n: usize) -> f32 {
    ((n * 7919 + 13) % 1009) as f32 / 600.0 - 0.8
}

fn inputs<N: Network>(count: usize) -> Vec<f32> {
    (0..count * N::Input::LEN).map(number).collect()
}

fn label(i: usize) -> usize {
    (i * i + i / 3) % 4
}

fn values<const K: usize>(i: usize) -> [f32; K] {
    std::array::from_fn(|k| number(31 * i + 7 * k))
}

fn pose_target(i: usize) -> PoseTarget<usize, [f32; 3]> {
    PoseTarget { class: label(i), bbox: values::<3>(i) }
}

fn pose_loss() -> PoseLoss<CrossEntropy, (f64, MeanSquaredError)> {
    PoseLoss { class: CrossEntropy::new(), bbox: (0.5, MeanSquaredError::new()) }
}

fn check<N: Network, T, O: Compares<N::Output, T> + Accepts<N>>(
    loss: &O,
    target: impl Fn(usize) -> T,
) {
    for (count, seed) in [(1, 0), (19, 0), (19, 1)] {
        compare::<N, T, O>(loss, &target, count, 40, seed);
    }
}

fn compare<N: Network, T, O: Compares<N::Output, T> + Accepts<N>>(
    loss: &O,
    target: &impl Fn(usize) -> T,
    count: usize,
    samples: usize,
    seed: u64,
) {
    let numbers = inputs::<N>(count);
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let targets: Vec<T> = (0..count).map(target).collect();
    let check = gradcheck_with(&N::seeded(seed), loss, images, &targets, samples, seed).unwrap();
    assert!(check.worst() <= 1e-4, "{}, {count} images:\n{check}", N::GRAPH.name);
}

#[test]
fn gradients_are_those_of_the_reference() {
    check::<Pose, _, _>(&pose_loss(), pose_target);
    let sums = PoseLoss {
        class: CrossEntropy::new().class_weights(&[0.5, 2.0, 1.0, 0.1]).label_smoothing(0.1),
        bbox: Huber::new(0.3).reduction(Reduction::Sum),
    };
    check::<Pose, _, _>(&sums, pose_target);
    let chain = ChainLoss {
        map: MeanSquaredError::new(),
        flat: (0.3, Huber::new(0.2)),
        p: MeanSquaredError::new(),
        plain: SumSquaredError::new(),
    };
    let target = |i| ChainTarget {
        map: [values::<4>(i); 12].as_flattened().try_into().map(cube).unwrap(),
        flat: values::<48>(i + 1),
        p: values::<5>(i + 2),
        plain: values::<32>(i + 3),
    };
    check::<Chain, _, _>(&chain, target);
    check::<Siblings, _, _>(&CrossEntropy::new(), |i| label(i) % 3);
    let wide = WideLoss {
        early: MeanSquaredError::new(),
        map: MeanSquaredError::new(),
        sum: SumSquaredError::new(),
        pooled: MeanSquaredError::new(),
        large: MeanSquaredError::new(),
        class: CrossEntropy::new(),
    };
    let target = |i| WideTarget {
        early: *<[[[f32; 8]; 8]; 3]>::from_flat(&values::<192>(i + 5)).unwrap(),
        map: *<[[[f32; 8]; 8]; 3]>::from_flat(&values::<192>(i)).unwrap(),
        sum: *<[[[f32; 8]; 8]; 2]>::from_flat(&values::<128>(i)).unwrap(),
        pooled: values::<2>(i),
        large: [values::<17>(i); 17 * 60],
        class: label(i) % 3,
    };
    compare::<Wide, _, _>(&wide, &target, 3, 5, 0);
    let quick = QuickLoss {
        map: (0.1, SumSquaredError::new()),
        flat: MeanSquaredError::new(),
        class: CrossEntropy::new(),
        less: MeanSquaredError::new(),
    };
    let target = |i| QuickTarget {
        map: *<[[[f32; 6]; 6]; 3]>::from_flat(&values::<108>(i)).unwrap(),
        flat: values::<108>(i + 9),
        class: label(i) % 3,
        less: *<[[[f32; 3]; 3]; 4]>::from_flat(&values::<36>(i)).unwrap(),
    };
    check::<Quick, _, _>(&quick, target);
    let chosen = ChosenLoss { class: CrossEntropy::new(), map: (2.0, MeanSquaredError::new()) };
    let target = |i| ChosenTarget {
        class: label(i) % 3,
        map: *<[[[f32; 4]; 4]; 2]>::from_flat(&values::<32>(i)).unwrap(),
    };
    check::<Chosen<2, 3>, _, _>(&chosen, target);
    let parted = PartedLoss { part: MeanSquaredError::new(), sum: CrossEntropy::new() };
    let target = |i| PartedTarget { part: values::<5>(i), sum: label(i) };
    check::<Parted, _, _>(&parted, target);
    let deep = DeepLoss {
        early: SumSquaredError::new(),
        late: (2.0, MeanSquaredError::new()),
        last: BinaryCrossEntropy::new(),
    };
    let target = |i| DeepTarget {
        early: values::<6>(i),
        late: values::<6>(2 * i),
        last: values::<2>(i).map(f32::abs),
    };
    check::<Deep, _, _>(&deep, target);
}

fn cube(numbers: [f32; 48]) -> [[[f32; 4]; 4]; 3] {
    *Flat::from_flat(&numbers).unwrap()
}

/// One image, many images, a step's forward pass, the trace and the reference agree.
fn agree<N: Network>()
where
    N::Output: Copy,
{
    let numbers = inputs::<N>(21);
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let net = N::seeded(3);
    let many = net.outputs(images);
    let parameters: Vec<f64> = net.parameters_flat().iter().map(|&x| f64::from(x)).collect();
    let mut alone = vec![0.0; N::Output::LEN];
    for (i, image) in images.iter().enumerate() {
        let wide: Vec<f64> = image.as_flat().iter().map(|&x| f64::from(x)).collect();
        let expected = reference::evaluate::<N>(&parameters, &wide);
        let expected = expected.output();
        let mut ws = N::workspace(1);
        alone.fill(f32::NAN);
        let one = N::Output::slice_from_flat_mut(&mut alone).unwrap();
        net.outputs_into(&mut ws, std::slice::from_ref(image), one).unwrap();
        for (found, what) in [(many[i].as_flat(), "many"), (&alone, "one")] {
            assert_eq!(found.len(), expected.len());
            for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= 1e-5, "{} {what} {i} {k}: {found} {expected}", N::GRAPH.name);
            }
        }
        let trace = net.trace(image);
        let heads: Vec<&LayerValue> =
            N::GRAPH.heads.iter().map(|head| &trace.layers()[head.node]).collect();
        let traced: Vec<f32> = heads.iter().flat_map(|head| head.numbers.clone()).collect();
        for (found, expected) in traced.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() <= 1e-5);
        }
    }
}

#[test]
fn one_image_and_many_give_the_same() {
    agree::<Pose>();
    agree::<Chain>();
    agree::<Siblings>();
    agree::<Deep>();
    agree::<Parted>();
    agree::<Chosen<3, 5>>();
    agree::<Quick>();
    agree::<Wide>();
}

#[test]
fn sizes_are_chosen_where_a_net_is_used() {
    let data = ChosenInput::<1, 2>::dataset(
        &[[[[0.5; 4]; 4]; 1]; 4],
        &[[0.0, 1.0, 2.0]; 4],
        ChosenTarget::zip(&[0, 1, 0, 1], &[[[[0.0; 4]; 4]; 1]; 4]).unwrap(),
    );
    let loss = ChosenLoss { class: CrossEntropy::new(), map: MeanSquaredError::new() };
    let mut net = Chosen::<1, 2>::seeded(1);
    let mut trainer = Trainer::new(Sgd::new(0.05)).loss(loss).epochs(40).progress(false);
    let history = trainer.fit(&mut net, &data.unwrap(), None).unwrap();
    let loss = |epoch: usize| history.epochs[epoch].head("map").unwrap().loss;
    assert!(loss(39) < 0.5 * loss(0), "{} {}", loss(0), loss(39));
    let output: ChosenOutput<1, 2> =
        *net.output(&ChosenInput { image: [[[0.5; 4]; 4]], pose: [0.0; 3] });
    assert_eq!(output.class.len(), 2);
}

#[test]
fn a_training_pass_gives_the_outputs() {
    let numbers = inputs::<Pose>(18);
    let images = <Input<Pose>>::slice_from_flat(&numbers).unwrap();
    let mut net = Pose::seeded(1);
    let mut ws = Pose::workspace(2);
    net.forward(images, &mut ws);
    let outputs = net.outputs(images);
    assert_eq!(ws.output().len(), 18);
    for (found, expected) in ws.output().iter().zip(&outputs) {
        for (found, expected) in found.as_flat().iter().zip(expected.as_flat()) {
            assert!((found - expected).abs() <= 1e-5);
        }
    }
    let output: PoseOutput =
        net.output(&PoseInput { image: images[3].image, pose: images[3].pose });
    assert!(output.class.iter().zip(outputs[3].class).all(|(a, b)| (a - b).abs() <= 1e-5));
    assert!(output.class.largest() < 4);
}

/// The share of each loss is what the loss gives on its head alone.
#[test]
fn losses_are_added() {
    let numbers = inputs::<Pose>(5);
    let images = <Input<Pose>>::slice_from_flat(&numbers).unwrap();
    let mut net = Pose::seeded(2);
    let mut ws = Pose::workspace(5);
    net.forward(images, &mut ws);
    let targets: Vec<_> = (0..5).map(pose_target).collect();
    ws.output_gradient_mut().iter_mut().for_each(|row| row.as_flat_mut().fill(f32::NAN));
    let whole = pose_loss().forward_backward(&targets, &mut ws).unwrap();
    let (mut sum, rows) = (0.0, ws.output().to_vec());
    for (i, row) in rows.iter().enumerate() {
        let mut gradient = [0.0; 4];
        sum += CrossEntropy::new().image(&row.class, &label(i), 0.2, &mut gradient);
        assert_eq!(ws.output_gradient_mut()[i].class, gradient);
        let mut gradient = [0.0; 3];
        let loss = MeanSquaredError::new();
        sum += 0.5 * loss.image(&row.bbox, &values::<3>(i), 0.1, &mut gradient);
        let found = ws.output_gradient_mut()[i].bbox;
        assert!(found.iter().zip(gradient).all(|(a, b)| (a - b).abs() <= 1e-7));
    }
    assert!((whole - sum / 5.0).abs() <= 1e-6);

    let wrong = [PoseTarget { class: 4, bbox: [0.0; 3] }; 5];
    let error = pose_loss().forward_backward(&wrong, &mut ws).unwrap_err().to_string();
    assert_eq!(error, "target 0 of the batch, `class`: label 4 is outside the 4 classes 0..=3");
    let negative = PoseLoss { class: (-1.0, CrossEntropy::new()), bbox: MeanSquaredError::new() };
    let error = negative.forward_backward(&targets, &mut ws).unwrap_err().to_string();
    assert!(error.contains("-1"), "{error}");
}

/// Which of two bars an image has, and where, told apart only by the second input.
fn bars() -> Dataset<PoseInput, PoseTarget<usize, [f32; 3]>> {
    let (mut images, mut poses, mut labels, mut boxes) = (vec![], vec![], vec![], vec![]);
    for i in 0..96 {
        let (at, upright, side) = (i % 6, i / 6 % 2 == 0, i / 12 % 2);
        let mut image = [[[0.1 * number(i); 6]; 6]; 2];
        for k in 0..6 {
            if upright { image[0][k][at] = 1.0 } else { image[1][at][k] = 1.0 }
        }
        let mut pose = [0.0; 5];
        pose[side] = 1.0;
        images.push(image);
        poses.push(pose);
        labels.push(2 * usize::from(upright) + side);
        boxes.push([at as f32 / 5.0, side as f32, f32::from(u8::from(upright))]);
    }
    let targets = PoseTarget::zip(&labels, &boxes).unwrap();
    PoseInput::dataset(&images, &poses, targets).unwrap()
}

#[test]
fn two_inputs_and_two_heads_are_trained() {
    let (train, test) = bars().split(0.25, 3).unwrap();
    let mut net = Pose::seeded(4);
    let mut trainer = Trainer::new(Sgd::new(0.02).momentum(0.9))
        .loss(PoseLoss { class: CrossEntropy::new(), bbox: (2.0, MeanSquaredError::new()) })
        .batch(8)
        .workspace(5)
        .epochs(60)
        .progress(false);
    let history = trainer.fit(&mut net, &train, Some(&test)).unwrap();
    let last = history.epochs.last().unwrap();
    let (class, bbox) = (last.head("class").unwrap(), last.head("bbox").unwrap());
    assert!(last.loss < 0.05, "{last}");
    assert!((class.loss + bbox.loss - last.loss).abs() < 1e-9, "{last}");
    assert_eq!((class.accuracy, bbox.accuracy, last.accuracy), (Some(1.0), None, None), "{last}");
    let test = last.test.as_ref().unwrap();
    assert!(test.head("class").unwrap().accuracy() > Some(0.9), "{last}");
    assert!(
        test.head("bbox").unwrap().loss < 0.1 && test.head("bbox").unwrap().accuracy().is_none()
    );
    assert!(last.to_string().contains("  class ") && test.accuracy().is_none());

    let loss = pose_loss();
    let found = evaluate(&net, &loss, &train).unwrap();
    assert!((found.heads.iter().map(|head| head.loss).sum::<f64>() - found.loss).abs() < 1e-9);
    assert_eq!(found.head("class").unwrap().top_k(2), Some(1.0));
    assert_eq!(found.head("class").unwrap().confusion.as_ref().unwrap().classes(), 4);

    // By hand, the same loss goes on down.
    let mut ws = Pose::workspace(train.len());
    let mut sgd = Sgd::new(0.01).state(&net);
    let mut losses = Vec::new();
    for _ in 0..3 {
        net.forward(train.inputs(), &mut ws);
        losses.push(loss.forward_backward(train.targets(), &mut ws).unwrap());
        net.backward(train.inputs(), &mut ws);
        sgd.step(&mut net, ws.gradients());
    }
    assert!(losses[2] < losses[0], "{losses:?}");
}

#[test]
fn data_of_different_lengths_is_refused() {
    let error = PoseTarget::zip(&[1, 2], &[[0.0; 3]]).unwrap_err().to_string();
    assert_eq!(error, "`bbox`: expected 2, found 1");
    let images = [[[[0.0; 6]; 6]; 2]; 2];
    let error = PoseInput::dataset(&images, &[[0.0; 5]; 3], vec![0, 1]).unwrap_err().to_string();
    assert_eq!(error, "`pose`: expected 2, found 3");
}

#[test]
fn threads_do_not_change_what_is_learned() {
    let data = bars();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut trainer = Trainer::new(Sgd::new(0.05)).loss(pose_loss()).epochs(2).progress(false);
        let mut net = Pose::seeded(9);
        pool.install(|| trainer.fit(&mut net, &data, None)).unwrap();
        net
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn weights_come_back_from_a_file() {
    let net = Pose::seeded(6);
    let again = Pose::from_bytes(&net.to_bytes().unwrap()).unwrap();
    assert_eq!(again, net);
}

#[test]
fn what_is_known_of_such_a_net() {
    let names: Vec<&str> = Pose::LAYERS.iter().map(|layer| layer.name).collect();
    assert_eq!(names[..3], ["image", "pose", "conv1"]);
    assert_eq!(Pose::LAYERS[0].kind, "input");
    assert_eq!(Pose::LAYERS[1].output, Shape::new(&[5]));
    let heads: Vec<(&str, &str)> = Pose::GRAPH
        .heads
        .iter()
        .map(|head| (head.name, Pose::GRAPH.nodes[head.node].name))
        .collect();
    assert_eq!(heads, [("class", "class"), ("bbox", "bbox")]);
    assert_eq!((Pose::LAYOUT.input_len, Pose::LAYOUT.output_len), (77, 7));
    let summary = Pose::summary().to_string();
    assert!(
        summary.contains("image: input") && summary.contains("class: linear(4), head"),
        "{summary}"
    );
    assert!(Pose::training_memory(16) > Pose::training_memory(1));
}

/// What is off has no gradients, and what a head alone trains has none of the others.
#[test]
fn parts_can_be_switched_off() {
    let numbers = inputs::<Pose>(17);
    let images = <Input<Pose>>::slice_from_flat(&numbers).unwrap();
    let targets: Vec<_> = (0..17).map(pose_target).collect();
    let mut net = Pose::seeded(8);
    for off in ["class", "bbox", "conv1", "linear_2"] {
        net.set_trainable(off, false).unwrap();
        let check = gradcheck(&net, &pose_loss(), images, &targets).unwrap();
        assert!(check.worst() <= 1e-4, "without {off}:\n{check}");
        assert!(check.tensors.iter().all(|tensor| !tensor.name.starts_with(off)));
    }
    net.set_all_trainable(true);
    let mut ws = Pose::workspace(17);
    net.forward(images, &mut ws);
    let only = PoseLoss { class: CrossEntropy::new(), bbox: (0.0, MeanSquaredError::new()) };
    only.forward_backward(&targets, &mut ws).unwrap();
    net.backward(images, &mut ws);
    assert_eq!(ws.gradients().bbox.weight, [[0.0; 9]; 3]);
    assert_ne!(ws.gradients().class.weight, [[0.0; 9]; 4]);
}

network! {
    /// A whitening first layer of the second input.
    struct Whitened: (pose: [5], image: [2, 6, 6]) -> (class: [2]) {
        from(image),
        #[init(whitening)]
        conv1: conv2d(16, kernel = 2),
        flatten, concat(pose), class: linear(2),
    }
}

#[test]
fn a_layer_is_whitened_by_its_own_input() {
    let numbers = inputs::<Whitened>(40);
    let images: Vec<f32> = numbers.chunks_exact(77).flat_map(|row| &row[5..]).copied().collect();
    network! {
        struct Alone: [2, 6, 6] -> [16, 5, 5] {
            #[init(whitening)]
            conv1: conv2d(16, kernel = 2),
        }
    }
    let (mut net, mut alone) = (Whitened::seeded(1), Alone::seeded(1));
    let data = Dataset::from_flat(numbers, vec![0; 40]).unwrap();
    net.init_from_data::<usize>(&data).unwrap();
    alone.init_from_data::<usize>(&Dataset::from_flat(images, vec![0; 40]).unwrap()).unwrap();
    assert_eq!(net.conv1.weight, alone.conv1.weight);
    // One head is an objective like any other.
    let loss = WhitenedLoss { class: CrossEntropy::new() };
    let targets: Vec<_> = (0..40).map(|i| WhitenedTarget { class: i % 2 }).collect();
    let check = gradcheck(&net, &loss, data.inputs(), &targets).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
    let data = Dataset::from_inputs(data.inputs(), targets).unwrap();
    assert!(evaluate(&net, &loss, &data).unwrap().accuracy().is_some());
}

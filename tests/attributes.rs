//! Attributes of layers, and `set_trainable`: what they do to training, and to nothing else.
#![allow(clippy::unwrap_used)]

use typenet::Error;
use typenet::Logits;
use typenet::prelude::*;

network! {
    /// Everything is trained.
    struct Plain: [2, 6, 6] -> [3] {
        stem: residual { conv1: conv2d(4, kernel = 3, padding = 1), bn1: batch_norm, relu }
            shortcut { conv2: conv2d(4, kernel = 1) }
        residual { conv3: conv2d(4, kernel = 3, padding = 1), bn2: batch_norm }
        relu,
        mid: residual { conv4: conv2d(4, kernel = 1), bn3: batch_norm(affine = false) }
            shortcut { conv5: conv2d(4, kernel = 1, bias = false), gn: group_norm(2) }
        tanh,
        up: conv_transpose2d(4, kernel = 3, padding = 1), relu,
        flatten, fc1: linear(5), ln: layer_norm, sigmoid,
        fc2: linear(3),
    }
}

network! {
    /// The twin: the stem has nothing below it that is trained, the others have.
    struct Frozen: [2, 6, 6] -> [3] {
        #[frozen]
        stem: residual { conv1: conv2d(4, kernel = 3, padding = 1), bn1: batch_norm, relu }
            shortcut { conv2: conv2d(4, kernel = 1) }
        residual { conv3: conv2d(4, kernel = 3, padding = 1), bn2: batch_norm }
        relu,
        #[frozen]
        mid: residual { conv4: conv2d(4, kernel = 1), bn3: batch_norm(affine = false) }
            shortcut { conv5: conv2d(4, kernel = 1, bias = false), gn: group_norm(2) }
        tanh,
        #[frozen] up: conv_transpose2d(4, kernel = 3, padding = 1), relu,
        flatten, #[frozen] fc1: linear(5), #[frozen] ln: layer_norm, sigmoid,
        fc2: linear(3),
    }
}

const FROZEN: [&str; 5] = ["stem", "mid", "up", "fc1", "ln"];

fn number(n: usize) -> f32 {
    ((n * 7919 + 13) % 1009) as f32 / 504.5 - 1.0
}

fn data<N: Network>(count: usize) -> Dataset<N::Input> {
    let numbers = (0..count * N::SHAPES[0].elements()).map(|n| number(n) + 0.3).collect();
    Dataset::from_flat(numbers, (0..count).map(|i| i % 3).collect()).unwrap()
}

/// A net whose parameters and running statistics are no round numbers.
fn net<N: Network>() -> N {
    let mut net = N::seeded(3);
    for (n, x) in net.parameters_flat_mut().iter_mut().enumerate() {
        *x = 0.5 * *x + 0.2 * number(n).abs() + 0.05;
    }
    net
}

fn steps<N: Network + Logits>(net: &mut N, ws: &mut Workspace<N>, count: usize) {
    let data = data::<N>(40);
    let mut sgd = Sgd::new(0.05).momentum(0.9).weight_decay(0.01).state(net);
    for _ in 0..count {
        net.forward(data.inputs(), ws);
        CrossEntropy::new().forward_backward(data.targets(), ws).unwrap();
        net.backward(data.inputs(), ws);
        sgd.step(net, ws.gradients());
    }
}

/// The numbers of the tensors below these paths, and of all others.
fn below<N: Network>(numbers: &[f32], paths: &[&str]) -> [Vec<f32>; 2] {
    let mut parts = [Vec::new(), Vec::new()];
    for tensor in N::LAYOUT.tensors {
        let layer = N::GRAPH.nodes[tensor.node].name;
        let inside = paths.iter().any(|path| {
            layer.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let range = tensor.offset..tensor.offset + tensor.shape.elements();
        parts[usize::from(!inside)].extend_from_slice(&numbers[range]);
    }
    parts
}

#[test]
fn frozen_layers_stay_as_they_are_and_all_others_train() {
    let mut frozen: Frozen = net();
    let before = frozen.parameters_flat().to_vec();
    let mut ws = Frozen::workspace(40);
    steps(&mut frozen, &mut ws, 3);
    let [kept, changed] = below::<Frozen>(frozen.parameters_flat(), &FROZEN);
    let [kept_before, changed_before] = below::<Frozen>(&before, &FROZEN);
    assert_eq!(kept, kept_before);
    assert!(changed.iter().zip(&changed_before).all(|(a, b)| a != b));
    let [gradients, _] = below::<Frozen>(typenet::Flat::as_flat(ws.gradients()), &FROZEN);
    assert!(gradients.iter().all(|&gradient| gradient == 0.0));
}

#[test]
fn gradients_around_frozen_layers_are_right() {
    let data = data::<Frozen>(21);
    let (inputs, targets) = (data.inputs(), data.targets());
    let check = gradcheck(&net::<Frozen>(), &CrossEntropy::new(), inputs, targets).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
    let names: Vec<&str> = check.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    // At run time any of the parts may be off.
    for off in [&FROZEN[..], &["conv3", "bn2"], &["stem.conv1", "mid.gn", "fc2"], &["mid.conv5"]] {
        let mut plain: Plain = net();
        off.iter().for_each(|path| plain.set_trainable(path, false).unwrap());
        let check = gradcheck(&plain, &CrossEntropy::new(), inputs, targets).unwrap();
        assert!(check.worst() <= 1e-3, "{off:?}\n{check}");
    }
}

/// The attribute and the method are the same, to the bit.
#[test]
fn what_is_switched_off_is_as_if_it_were_frozen() {
    let (mut plain, mut frozen): (Plain, Frozen) = (net(), net());
    assert_eq!(plain.parameters_flat(), frozen.parameters_flat());
    FROZEN.iter().for_each(|path| plain.set_trainable(path, false).unwrap());
    // The choice is kept by clones.
    let mut plain = plain.clone();
    let (mut ws, mut frozen_ws) = (Plain::workspace(40), Frozen::workspace(40));
    steps(&mut plain, &mut ws, 3);
    steps(&mut frozen, &mut frozen_ws, 3);
    assert_eq!(plain.parameters_flat(), frozen.parameters_flat());
    let image = data::<Plain>(1).inputs()[0];
    assert_eq!(plain.output(&image), frozen.output(&image));
    let [trained, less] = [Plain::LAYOUT, Frozen::LAYOUT].map(|layout| layout.training_len);
    assert!(less < trained, "{less} {trained}");
    assert_eq!(Frozen::LAYOUT.inference_len, Plain::LAYOUT.inference_len);
}

#[test]
fn training_can_be_switched_off_and_on_again() {
    let mut plain: Plain = net();
    assert!(plain.is_trainable("stem").unwrap());
    let mut ws = Plain::workspace(40);
    let data = data::<Plain>(40);
    let mut sgd = Sgd::new(0.05).momentum(0.9).weight_decay(0.01).state(&plain);
    let mut step = |plain: &mut Plain, ws: &mut Workspace<Plain>| {
        plain.forward(data.inputs(), ws);
        CrossEntropy::new().forward_backward(data.targets(), ws).unwrap();
        plain.backward(data.inputs(), ws);
        sgd.step(plain, ws.gradients());
        sgd.buffer("momentum_buffer").unwrap().stem.conv1.weight
    };
    let velocity = step(&mut plain, &mut ws);
    assert_ne!(ws.gradients().stem.conv1.bias, [0.0; 4]);
    plain.set_trainable("stem", false).unwrap();
    assert!(!plain.is_trainable("stem").unwrap() && plain.is_trainable("fc1").unwrap());
    let stem = plain.stem.clone();
    assert_eq!(step(&mut plain, &mut ws), velocity);
    assert!(plain.stem == stem);
    // What an earlier step left is gone.
    assert_eq!(ws.gradients().stem.conv1.bias, [0.0; 4]);
    plain.set_trainable("stem.conv1", true).unwrap();
    assert!(!plain.is_trainable("stem").unwrap());
    assert_ne!(step(&mut plain, &mut ws), velocity);
    assert!(plain.stem.conv1 != stem.conv1 && plain.stem.bn1 == stem.bn1);
    // One tensor of a layer.
    plain.set_trainable("fc1.weight", false).unwrap();
    let fc1 = plain.fc1.clone();
    step(&mut plain, &mut ws);
    assert!(plain.fc1.weight == fc1.weight && plain.fc1.bias != fc1.bias);
    plain.set_all_trainable(true);
    assert!(plain.is_trainable("stem").unwrap());
}

#[test]
fn a_net_of_which_nothing_is_trained_stays() {
    let mut plain: Plain = net();
    plain.set_all_trainable(false);
    let before = plain.clone();
    let mut trainer = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).epochs(1);
    trainer.fit(&mut plain, &data::<Plain>(20), None).unwrap();
    assert_eq!(plain, before);
}

#[test]
fn wrong_paths_are_errors_and_change_nothing() {
    let mut frozen: Frozen = net();
    let message = |result: typenet::Result<()>| result.unwrap_err().to_string();
    assert_eq!(
        message(frozen.set_trainable("stem.conf1", false)),
        "`Frozen` has no layer `stem.conf1`: did you mean `stem.conv1`?"
    );
    assert_eq!(
        message(frozen.set_trainable("sterm", false)),
        "`Frozen` has no layer `sterm`: did you mean `stem`?"
    );
    assert!(matches!(frozen.is_trainable("relu"), Err(Error::UnknownLayer { .. })));
    let error = frozen.set_trainable("stem", true).unwrap_err();
    assert!(matches!(error, Error::Frozen { .. }), "{error}");
    assert!(error.to_string().starts_with("`stem` of `Frozen` is `#[frozen]`"), "{error}");
    assert!(!frozen.is_trainable("stem").unwrap() && frozen.is_trainable("fc2").unwrap());
    frozen.set_all_trainable(true);
    assert!(!frozen.is_trainable("fc1").unwrap());
}

network! {
    /// Weight decay skips some of it.
    struct Decay: [3] -> [2] {
        block head(out) { fc2: linear(out), fc3: linear(2) }

        #[no_decay(bias)] fc1: linear(4),
        #[no_decay] ln: layer_norm,
        #[no_decay(weight)] head: head(4),
    }
}

#[test]
fn weight_decay_and_regularisers_skip_what_is_marked() {
    let ones = || {
        let mut net = Decay::seeded(1);
        net.parameters_flat_mut().fill(1.0);
        net
    };
    let zeros = typenet::Flat::zeroed();
    let mut net = ones();
    let sgd = Sgd::new(1.0).weight_decay(0.25);
    sgd.state(&net).step(&mut net, &zeros);
    assert_eq!((net.fc1.weight[0], net.fc1.bias), ([0.75; 3], [1.0; 4]));
    assert_eq!((net.ln.weight, net.ln.bias), ([1.0; 4], [1.0; 4]));
    assert_eq!((net.head.fc2.weight[0], net.head.fc2.bias), ([1.0; 4], [0.75; 4]));
    assert_eq!((net.head.fc3.weight[0], net.head.fc3.bias), ([1.0; 4], [0.75; 2]));
    // A group says what it means.
    let mut net = ones();
    let sgd = sgd.group("ln", |group| group.weight_decay(0.5)).group("fc1", |group| group);
    sgd.state(&net).step(&mut net, &zeros);
    assert_eq!((net.ln.bias, net.fc1.bias), ([0.5; 4], [1.0; 4]));

    let l2 = Regularizer::l2(1.0);
    assert_eq!(l2.value_of(&ones()), 12.0);
    assert_eq!(l2.clone().biases(true).value_of(&ones()), 12.0 + 4.0 + 2.0);
    let mut net = ones();
    net.set_trainable("fc1", false).unwrap();
    let l2 = l2.biases(true);
    assert_eq!(l2.value_of(&net), 6.0);
    let mut gradients: Box<DecayGradients> = typenet::Flat::zeroed();
    l2.add_gradient_of(&net, &mut gradients);
    assert_eq!((gradients.fc1.weight[0], gradients.head.fc2.bias), ([0.0; 3], [2.0; 4]));
}

network! {
    /// One layer for each scheme.
    struct Schemes: [3, 9, 9] -> [20] {
        #[init(dirac)]
        conv1: conv2d(4, kernel = 3, padding = 1),
        #[init(dirac)]
        conv2: conv2d(4, kernel = (3, 1), padding = (1, 0), groups = 2),
        #[init(dirac)]
        depth: depthwise_conv2d(kernel = 3, padding = 1, multiplier = 2),
        #[init(orthogonal(gain = 2), bias = constant(-0.5))]
        wide: conv2d(6, kernel = 3),
        #[init(zeros)]
        bn: batch_norm,
        #[init(orthogonal)]
        tall: conv2d(60, kernel = 1),
        #[init(kaiming_normal(mode = fan_out))]
        fans: conv2d(256, kernel = 3),
        global_avg_pool,
        #[init(ones, bias = uniform(2, 3))]
        fc1: linear(30),
        #[init(trunc_normal(std = 2, a = -1, b = 3))]
        fc2: linear(400),
        #[init(xavier_uniform(gain = 3))]
        fc3: linear(400),
        #[init(pytorch_default)]
        fc4: linear(100),
        fc5: linear(20),
    }
}

fn mean_and_variance(numbers: &[f32]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    (mean, numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count)
}

#[test]
fn layers_start_as_their_attributes_say() {
    use typenet::Flat;
    let net = Schemes::seeded_with(Scheme::Constant { val: 7.0 }, 5);
    // Layers without an attribute start as the whole net does.
    assert_eq!((net.fc5.weight[3], net.fc5.bias), ([7.0; 100], [0.0; 20]));

    let image = [[[0.25; 9]; 9], [[0.5; 9]; 9], [[-1.0; 9]; 9]];
    let trace = net.trace(&image);
    let channel = |layer: &str, index: usize| trace.get(layer).unwrap().channel(index).to_vec();
    for (layer, values) in [
        ("conv1", vec![0.25, 0.5, -1.0, 0.0]),
        ("conv2", vec![0.25, 0.5, -1.0, 0.0]),
        ("depth", vec![0.25, 0.0, 0.5, 0.0, -1.0, 0.0, 0.0, 0.0]),
    ] {
        for (index, value) in values.into_iter().enumerate() {
            assert_eq!(channel(layer, index), vec![value; 81], "{layer} {index}");
        }
    }

    let product = |one: &[f32], other: &[f32]| -> f64 {
        one.iter().zip(other).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    for i in 0..6 {
        for j in 0..6 {
            let expected = if i == j { 4.0 } else { 0.0 };
            let rows = product(net.wide.weight[i].as_flat(), net.wide.weight[j].as_flat());
            assert!((rows - expected).abs() <= 1e-5, "{rows}");
            let column = |c: usize| net.tall.weight.map(|row| row[c][0][0]);
            let columns = product(&column(i), &column(j));
            assert!((columns - expected / 4.0).abs() <= 1e-5, "{columns}");
        }
    }
    assert_eq!(net.wide.bias, [-0.5; 6]);
    assert_eq!((net.bn.weight, net.bn.bias, net.bn.running_var), ([0.0; 6], [0.0; 6], [1.0; 6]));

    let (mean, variance) = mean_and_variance(net.fans.weight.as_flat());
    let expected = 2.0 / (256.0 * 9.0);
    assert!(mean.abs() <= 1e-3 && (variance / expected - 1.0).abs() <= 0.02, "{mean} {variance}");
    assert_eq!(net.fc1.weight[7], [1.0; 256]);
    let (low, high) = net.fc1.bias.iter().fold((3.0f32, 2.0f32), |(a, b), &x| (a.min(x), b.max(x)));
    assert!((2.0..2.2).contains(&low) && (2.8..3.0).contains(&high), "{low} {high}");
    let numbers = net.fc2.weight.as_flat();
    assert!(numbers.iter().all(|x| (-1.0..=3.0).contains(x)));
    // Of the standard normal between −½ and 1½.
    let (mean, _) = mean_and_variance(numbers);
    assert!((mean - 2.0 * 0.355_6).abs() <= 0.03, "{mean}");
    let bound = 3.0 * (6.0f32 / 800.0).sqrt();
    let largest = net.fc3.weight.as_flat().iter().fold(0.0f32, |a, x| a.max(x.abs()));
    assert!(largest <= bound && largest >= 0.99 * bound);
    let largest = net.fc4.bias.iter().fold(0.0f32, |a, x| a.max(x.abs()));
    assert!((0.045..=0.05).contains(&largest), "{largest}");
    assert_eq!(net, Schemes::seeded_with(Scheme::Constant { val: 7.0 }, 5));
}

network! {
    /// A first convolution from data: twelve directions with both signs, and six random outputs.
    struct White: [3, 8, 8] -> [2] {
        #[init(whitening(eps = 1e-6))] #[frozen]
        conv1: conv2d(30, kernel = 2), relu,
        global_avg_pool,
        fc: linear(2),
    }
}

/// Smooth images, whose pixels and channels go together.
fn images(count: usize) -> Dataset<Input<White>> {
    let images: Vec<Input<White>> = (0..count)
        .map(|i| {
            std::array::from_fn(|c| {
                std::array::from_fn(|y| {
                    std::array::from_fn(|x| {
                        let wave = ((i * (c + 2)) as f32 + 0.7 * (x + 2 * y) as f32).sin();
                        wave + 0.3 * number(i * 192 + c * 64 + y * 8 + x) + 0.2
                    })
                })
            })
        })
        .collect();
    Dataset::from_inputs(&images, vec![0; count]).unwrap()
}

#[test]
fn a_whitening_layer_makes_patches_uncorrelated() {
    let data = images(100);
    let mut net = White::seeded(2);
    net.conv1.bias.fill(3.0);
    let random = net.clone();
    net.init_from_data(&data).unwrap();
    assert_eq!(net.conv1.bias, [0.0; 30]);
    assert!(net.conv1.weight[24..] == random.conv1.weight[24..]);
    // The second moments of the first twelve outputs, which have no relu before them.
    let mut moments = [[0.0; 24]; 24];
    let mut positions = 0.0;
    for image in data.inputs() {
        let trace = net.trace(image);
        let value = trace.get("conv1").unwrap();
        let channels: Vec<&[f32]> = (0..24).map(|c| value.channel(c)).collect();
        for (i, one) in channels.iter().enumerate() {
            for (j, other) in channels.iter().enumerate() {
                let products = one.iter().zip(*other).map(|(x, y)| f64::from(*x) * f64::from(*y));
                moments[i][j] += products.sum::<f64>();
            }
        }
        positions += channels[0].len() as f64;
    }
    for (i, row) in moments.iter().enumerate() {
        for (j, moment) in row.iter().enumerate() {
            let expected = match (i == j, i % 12 == j % 12) {
                (true, _) => 1.0,
                (false, true) => -1.0,
                _ => 0.0,
            };
            assert!(
                (moment / positions - expected).abs() <= 1e-3,
                "{i} {j} {}",
                moment / positions
            );
        }
    }
}

#[test]
fn whitening_does_not_depend_on_threads() {
    let data = images(70);
    let weights = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut net = White::seeded(2);
        pool.install(|| net.init_from_data(&data)).unwrap();
        net
    };
    assert_eq!(weights(1), weights(3));
}

#[test]
fn whitening_says_what_it_lacks() {
    let mut net = White::seeded(2);
    let before = net.clone();
    let none: Dataset<Input<White>> = Dataset::from_flat(vec![], vec![]).unwrap();
    let error = net.init_from_data(&none).unwrap_err().to_string();
    assert_eq!(error, "images to take patches from: expected at least 1, found 0");
    let mut bad = images(3).inputs().to_vec();
    bad[1][0][0][0] = f32::NAN;
    let bad = Dataset::from_inputs(&bad, vec![0; 3]).unwrap();
    let error = net.init_from_data(&bad).unwrap_err().to_string();
    assert_eq!(error, "`images` = image 1: every number is finite");
    let error = Plain::seeded(1).init_from_data(&data::<Plain>(3)).unwrap_err().to_string();
    assert!(error.contains("a layer marked `#[init(whitening)]` is needed"), "{error}");
    assert_eq!(net, before);
}

network! {
    /// Names as torchvision has them.
    struct Named: [1, 8, 8] -> [2] {
        block pair(out) {
            #[name("0")] conv: conv2d(out, kernel = 3, padding = 1), #[name("1")] bn: batch_norm, relu,
        }
        #[name("features.0")] conv2d(2, kernel = 1), relu,
        #[name("features.{1}")] stage: repeat(2) { #[name("")] pair(4) }
        flatten,
        #[name("classifier.6")] fc: linear(2),
    }
}

#[test]
fn weight_files_have_the_names_of_attributes() {
    let net = Named::seeded(3);
    let bytes = net.to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort();
    assert_eq!(
        names,
        [
            "classifier.6.bias",
            "classifier.6.weight",
            "features.0.bias",
            "features.0.weight",
            "features.1.0.bias",
            "features.1.0.weight",
            "features.1.1.bias",
            "features.1.1.running_mean",
            "features.1.1.running_var",
            "features.1.1.weight",
            "features.2.0.bias",
            "features.2.0.weight",
            "features.2.1.bias",
            "features.2.1.running_mean",
            "features.2.1.running_var",
            "features.2.1.weight",
        ]
    );
    assert_eq!(Named::from_bytes(&bytes).unwrap(), net);
    // Fields, and names at run time, are those of the declaration; paths go by either.
    assert_eq!(net.stage.1.pair_1.conv.bias, [0.0; 4]);
    assert_eq!(Named::LAYERS[1].name, "conv2d_1");
    let mut net = net;
    net.set_trainable("features.2", false).unwrap();
    assert!(!net.is_trainable("stage.1").unwrap() && net.is_trainable("stage.0").unwrap());
    assert!(Sgd::new(0.1).group("classifier", |group| group).try_state(&net).is_ok());
}

#[test]
fn summaries_say_what_is_frozen() {
    let summary = Frozen::summary();
    let text = summary.to_string();
    assert!(text.contains("#[frozen] stem.conv1: conv2d(4, kernel = 3, padding = 1)"), "{text}");
    assert_eq!(summary.rows.iter().filter(|row| row.frozen).count(), 10);
    let weights = text.lines().find(|line| line.starts_with("weights")).unwrap();
    assert!(weights.ends_with("of them frozen"), "{weights}");
}

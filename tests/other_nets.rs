//! Nets that are layers of other nets.
#![allow(clippy::unwrap_used, unreachable_pub)]

use typenet::prelude::*;

mod backbones {
    typenet::network! {
        /// A net of three convolutions.
        pub struct Backbone: [2, 8, 8] -> [6, 4, 4] {
            conv1: conv2d(4, kernel = 3, padding = 1), relu,
            max_pool2d(2),
            residual { conv2d(4, kernel = 3, padding = 1) },
            conv2: conv2d(6, kernel = 1), relu,
        }
    }

    typenet::network! {
        /// A net that begins with an activation and ends in a batch norm, with frozen layers first.
        pub struct Neck: [6, 4, 4] -> [6, 4, 4] {
            relu,
            #[frozen] first: conv2d(6, kernel = 3, padding = 1), gelu,
            #[name("second.0")] second: conv2d(6, kernel = 1),
            norm: batch_norm,
        }
    }

    typenet::network! {
        /// A net of nets.
        pub struct Body: [2, 8, 8] -> [6, 4, 4] {
            backbone: Backbone, neck: self::Neck,
        }
    }

    typenet::network! {
        /// Every kind of layer.
        pub struct Everything: [2, 8, 8] -> [4] {
            depthwise_conv2d(kernel = 3, padding = 1, multiplier = 2), group_norm(2), silu,
            max_pool2d(2), upsample(2, mode = bilinear),
            conv_transpose2d(3, kernel = 2, stride = 2), layer_norm, sigmoid,
            skip: avg_pool2d(2),
            concat { branch { conv2d(2, kernel = 1) } branch { scale(0.5), dropout } }
            gate: conv2d(5, kernel = 1, bias = false), softmax,
            mul(gate), tanh,
            concat(skip),
            residual { batch_norm(affine = false), conv2d(8, kernel = 3, padding = 1) }
            reshape([512]), linear(6), leaky_relu, reshape([6, 1, 1]),
            global_avg_pool, linear(4), log_softmax,
        }
    }

    typenet::network! {
        /// A net of any width.
        pub struct Wide<const C: usize>: [6, 4, 4] -> [C, 4, 4] { conv2d(C, kernel = 1), relu }
    }

    typenet::network! {
        pub struct Probabilities: [8] -> [3] { linear(3), softmax }
    }

    typenet::network! {
        pub struct Logarithms: [8] -> [3] { linear(3), log_softmax }
    }
}

network! {
    /// A net of other nets.
    struct Classifier: [2, 8, 8] -> [3] {
        features: backbones::Backbone,
        neck: self::backbones::Neck,
        relu,
        residual { again: backbones::Neck } shortcut { crate::backbones::Neck }
        relu,
        flatten,
        fc: linear(3),
    }
}

network! {
    /// The same with all layers written out.
    struct Flat: [2, 8, 8] -> [3] {
        block neck() {
            relu,
            #[frozen] first: conv2d(6, kernel = 3, padding = 1), gelu,
            second: conv2d(6, kernel = 1),
            norm: batch_norm,
        }
        conv1: conv2d(4, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        residual { conv2d(4, kernel = 3, padding = 1) },
        conv2: conv2d(6, kernel = 1), relu,
        neck: neck,
        relu,
        residual { again: neck } shortcut { neck_3: neck }
        relu,
        flatten,
        fc: linear(3),
    }
}

network! {
    struct Deep: [2, 8, 8] -> [3] {
        #[frozen] #[name("encoder")] body: backbones::Body,
        #[init(zeros)] neck: backbones::Neck,
        global_avg_pool,
        linear(3),
    }
}

network! {
    struct Second: [2, 8, 8] -> [3] {
        conv2d(2, kernel = 3, padding = 1), gelu,
        all: backbones::Everything,
        linear(3),
    }
}

type Wide8 = backbones::Wide<8>;

network! {
    struct OfGeneric: [2, 8, 8] -> [3] {
        features: backbones::Backbone, wide: Wide8, global_avg_pool, linear(3),
    }
}

network! { struct Ended: [2, 2, 2] -> [3] { flatten, end: backbones::Probabilities } }
network! { struct Log: [8] -> [3] { end: backbones::Logarithms } }

use backbones::{Backbone, Body, Neck};

fn images(count: usize) -> Vec<[[[f32; 8]; 8]; 2]> {
    let number = |i: usize| (i as f32 * 0.7311).sin();
    let row = |k: usize, c: usize, i: usize| {
        std::array::from_fn(|j| number(k * 191 + c * 67 + i * 8 + j))
    };
    (0..count).map(|k| std::array::from_fn(|c| std::array::from_fn(|i| row(k, c, i)))).collect()
}

fn labels(count: usize) -> Vec<usize> {
    (0..count).map(|i| i % 3).collect()
}

#[test]
fn its_layers_are_layers_of_the_net_under_its_name() {
    let names: Vec<&str> = Classifier::LAYERS.iter().map(|layer| layer.name).collect();
    assert_eq!(
        names[..9],
        [
            "input",
            "features.input",
            "features.conv1",
            "features.relu_1",
            "features.max_pool2d_1",
            "features.conv2d_2",
            "features.residual_1",
            "features.conv2",
            "features.relu_2",
        ]
    );
    assert_eq!(names[9], "features");
    let features = &Classifier::LAYERS[9];
    assert_eq!((features.kind, features.output.dims()), ("backbones::Backbone", &[6, 4, 4][..]));
    let net = Classifier::seeded(1);
    let _: &[[[[f32; 3]; 3]; 2]; 4] = &net.features.conv1.weight;
    // Two uses have parameters of their own.
    assert!(net.again.first.weight != net.neck_3.first.weight);
    let count = |layers: &[typenet::shape::LayerInfo]| -> usize {
        layers.iter().map(|layer| layer.parameters).sum()
    };
    assert_eq!(count(Classifier::LAYERS), count(Flat::LAYERS));
    assert_eq!(net.parameters_flat().len(), Flat::seeded(1).parameters_flat().len());
    let summary = Classifier::summary().to_string();
    assert!(summary.contains("features.conv1: conv2d(4, kernel = 3, padding = 1)"), "{summary}");
    assert!(summary.contains("features: backbones::Backbone"), "{summary}");
}

#[test]
fn it_computes_and_learns_as_if_its_layers_were_written_out() {
    let mut net = Classifier::seeded(1);
    let mut flat = Flat::seeded(2);
    flat.parameters_flat_mut().copy_from_slice(net.parameters_flat());
    let (images, labels) = (images(37), labels(37));
    let mut ws = Classifier::workspace(37);
    let mut flat_ws = Flat::workspace(37);
    let mut sgd = Sgd::new(0.05).momentum(0.9).weight_decay(1e-3).state(&net);
    let mut flat_sgd = Sgd::new(0.05).momentum(0.9).weight_decay(1e-3).state(&flat);
    for _ in 0..4 {
        net.forward(&images, &mut ws);
        flat.forward(&images, &mut flat_ws);
        let loss = CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
        let flat_loss = CrossEntropy::new().forward_backward(&labels, &mut flat_ws).unwrap();
        assert!((loss - flat_loss).abs() <= 1e-5 * flat_loss, "{loss} {flat_loss}");
        net.backward(&images, &mut ws);
        flat.backward(&images, &mut flat_ws);
        sgd.step(&mut net, ws.gradients());
        flat_sgd.step(&mut flat, flat_ws.gradients());
    }
    for (one, other) in net.parameters_flat().iter().zip(flat.parameters_flat()) {
        assert!((one - other).abs() <= 1e-4 * other.abs().max(1.0), "{one} {other}");
    }
    for image in &images[..3] {
        let (one, other) = (net.output(image), flat.output(image));
        let near = |(one, other): (&f32, &f32)| (one - other).abs() <= 1e-3 * other.abs().max(1.0);
        assert!(one.iter().zip(&other).all(near), "{one:?} {other:?}");
        let traced = net.trace(image);
        let last = traced.get("fc").unwrap();
        assert!(one.iter().zip(&last.numbers).all(near), "{one:?}");
        assert_eq!(traced.get("features").unwrap().numbers.len(), 96);
    }
}

#[test]
fn gradients_are_right_also_before_frozen_layers() {
    let (images, labels) = (images(19), labels(19));
    let check = gradcheck(&Classifier::seeded(1), &CrossEntropy::new(), &images, &labels).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
    let names: Vec<&str> = check.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert!(names.contains(&"features.conv1.weight") && !names.contains(&"neck.first.weight"));
    let mut deep = Deep::seeded(1);
    deep.parameters_flat_mut().iter_mut().enumerate().for_each(|(i, number)| {
        *number += 0.1 * (i as f32).cos();
    });
    let check = gradcheck(&deep, &CrossEntropy::new(), &images, &labels).unwrap();
    // The gradient of a bias in front of a batch norm is zero but for rounding.
    assert!(check.worst() <= 1e-3, "{check}");
    assert!(check.tensors.iter().all(|tensor| !tensor.name.starts_with("body.")), "{check}");
}

#[test]
fn every_kind_of_layer_runs_within_another_net() {
    let net = Second::seeded(8);
    let (images, labels) = (images(19), labels(19));
    let check = gradcheck(&net, &CrossEntropy::new(), &images, &labels).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
    let outputs = net.outputs(&images);
    for (image, output) in images.iter().zip(&outputs) {
        let trace = net.trace(image);
        let (expected, alone) = (trace.get("linear_1").unwrap(), net.output(image));
        for (i, expected) in expected.numbers.iter().enumerate() {
            assert!((output[i] - expected).abs() <= 1e-4 * expected.abs().max(1.0));
            assert!((alone[i] - expected).abs() <= 1e-4 * expected.abs().max(1.0));
        }
    }
}

#[test]
fn a_choice_of_a_generic_net_is_a_layer_by_its_name() {
    let net = OfGeneric::seeded(8);
    let _: &[[[[f32; 1]; 1]; 6]; 8] = &net.wide.conv2d_1.weight;
    let check = gradcheck(&net, &CrossEntropy::new(), &images(9), &labels(9)).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
}

#[test]
fn attributes_and_switches_hold_for_all_its_layers() {
    let mut net = Classifier::seeded(1);
    net.set_trainable("features", false).unwrap();
    assert!(!net.is_trainable("features.conv1.weight").unwrap());
    let before = net.features.clone();
    let (images, labels) = (images(6), labels(6));
    let mut ws = Classifier::workspace(6);
    let mut sgd = Sgd::new(0.05).state(&net);
    net.forward(&images, &mut ws);
    CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
    net.backward(&images, &mut ws);
    sgd.step(&mut net, ws.gradients());
    assert!(net.features == before);
    let deep = Deep::seeded(3);
    assert!(deep.neck.second.weight.as_flattened().iter().all(|row| *row == [[0.0]]));
    assert_eq!(deep.neck.norm.weight, [1.0; 6]);
    assert!(!deep.is_trainable("body.backbone.conv1").unwrap());
}

#[test]
fn it_takes_the_parameters_of_the_net_and_of_its_file() {
    let folder = std::env::temp_dir().join(format!("typenet-parts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (backbone, neck, body) = (Backbone::seeded(5), Neck::seeded(6), Body::seeded(7));
    let mut net = Classifier::seeded(1);
    net.features.clone_from(&backbone);
    assert!(net.features == *backbone);
    let path = folder.join("neck.safetensors");
    neck.save(&path).unwrap();
    net.load_part("again", &path).unwrap();
    assert!(net.again == *neck && net.neck != *neck);
    let message = net.load_part("agian", &path).unwrap_err().to_string();
    assert!(message.contains("agian") && message.contains("again"), "{message}");
    let message = net.load_part("features", &path).unwrap_err().to_string();
    assert!(message.contains("conv1.weight"), "{message}");
    assert!(net.features == *backbone);
    // Names of files are put together from both.
    let path = folder.join("body.safetensors");
    body.save(&path).unwrap();
    let mut deep = Deep::seeded(1);
    deep.load_part("body", &path).unwrap();
    assert!(deep.body == *body);
    let path = folder.join("deep.safetensors");
    deep.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let header = String::from_utf8_lossy(&bytes[..4096.min(bytes.len())]).into_owned();
    assert!(header.contains("\"encoder.neck.second.0.weight\""), "{header}");
    assert!(Deep::load(&path).unwrap() == deep);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_a_net_ends_in_is_what_the_outer_one_ends_in() {
    fn logits<N: typenet::Logits>() {}
    fn logarithms<N: typenet::LogProbabilities>() {}
    logits::<Classifier>();
    logarithms::<Log>();
    let (ended, log) = (Ended::seeded(1), Log::seeded(1));
    let sum: f32 = ended.probabilities(&[[[0.5; 2]; 2]; 2]).iter().sum();
    assert!((sum - 1.0).abs() <= 1e-5, "{sum}");
    assert_eq!(ended.probabilities(&[[[0.5; 2]; 2]; 2]), ended.output(&[[[0.5; 2]; 2]; 2]));
    let sum: f32 = log.probabilities(&[0.5; 8]).iter().sum();
    assert!((sum - 1.0).abs() <= 1e-5, "{sum}");
}

#[test]
fn the_same_seed_gives_the_same_bits_with_any_number_of_threads() {
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (images, labels, mut net) = (images(70), labels(70), Classifier::seeded(11));
            let mut ws = Classifier::workspace(70);
            let mut sgd = Sgd::new(0.05).momentum(0.9).state(&net);
            for _ in 0..3 {
                net.forward(&images, &mut ws);
                CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
                net.backward(&images, &mut ws);
                sgd.step(&mut net, ws.gradients());
            }
            net
        })
    };
    assert!(train(1) == train(3));
}

//! Nets with const generics.
#![allow(clippy::unwrap_used)]

use typenet::parameters::Joined;
use typenet::prelude::*;
use typenet::{Flat as _, Summary};

/// How many classes there are.
const CLASSES: usize = 3;

network! {
    /// A net of any width and size.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Generic<const C: usize, const SIDE: usize, const HIDDEN: usize>:
        [1, SIDE, SIDE] -> [crate::CLASSES]
    {
        const DOUBLE: usize = C * 2;

        block stage(out, kernel = 3) {
            conv2d(out, kernel = kernel, padding = kernel / 2), batch_norm, relu,
        }

        conv1: conv2d(C, kernel = (3, 5), padding = (1, 2)), relu,
        stage(DOUBLE),
        #[frozen] skip: stage(DOUBLE, kernel = 1),
        residual { conv2d(DOUBLE, kernel = 1, groups = C) }
        add(skip),
        max_pool2d(SIDE / 2 - 1, stride = SIDE / 4),
        concat {
            branch { conv2d(C, kernel = 1) }
            branch { depthwise_conv2d(3, padding = 1) }
            branch { conv2d(5, kernel = 1) }
        }
        rounds: repeat(2) { conv2d(C * C + 1, kernel = 1), tanh }
        global_avg_pool,
        fc1: linear(crate::CLASSES * HIDDEN), relu,
        dropout(0.2),
        fc2: linear(crate::CLASSES),
    }
}

network! {
    /// [`Generic`] of 3 channels, 12×12 images and 5 hidden features for each class.
    pub struct Numbers: [1, 12, 12] -> [3] {
        block stage(out, kernel = 3) {
            conv2d(out, kernel = kernel, padding = kernel / 2), batch_norm, relu,
        }

        conv1: conv2d(3, kernel = (3, 5), padding = (1, 2)), relu,
        stage(6),
        #[frozen] skip: stage(6, kernel = 1),
        residual { conv2d(6, kernel = 1, groups = 3) }
        add(skip),
        max_pool2d(5, stride = 3),
        concat {
            branch { conv2d(3, kernel = 1) }
            branch { depthwise_conv2d(3, padding = 1) }
            branch { conv2d(5, kernel = 1) }
        }
        rounds: repeat(2) { conv2d(10, kernel = 1), tanh }
        global_avg_pool,
        fc1: linear(15), relu,
        dropout(0.2),
        fc2: linear(3),
    }
}

type Concrete = Generic<3, 12, 5>;

fn images(count: usize) -> Vec<Input<Concrete>> {
    let image = |i: usize| {
        let mut image = [[[0.0; 12]; 12]];
        for (k, x) in image.as_flat_mut().iter_mut().enumerate() {
            *x = ((k * 7 + i * 31) % 17) as f32 / 8.0 - 1.0;
        }
        image
    };
    (0..count).map(image).collect()
}

/// Three epochs of a net, and what came of them.
fn trained<N>() -> (N, Vec<f64>)
where
    N: Network<Input = Input<Concrete>> + typenet::Logits,
{
    let mut net = N::seeded(11);
    let labels: Vec<usize> = (0..40).map(|i| i % 3).collect();
    let data = Dataset::from_inputs(&images(40), labels).unwrap();
    let sgd = Sgd::new(0.05).momentum(0.9).weight_decay(1e-3);
    let mut trainer =
        Trainer::new(sgd).loss(CrossEntropy::new()).batch(16).epochs(3).progress(false);
    let history = trainer.fit(&mut net, &data, None).unwrap();
    let losses = history.epochs.iter().map(|epoch| epoch.loss).collect();
    (net, losses)
}

#[test]
fn a_choice_of_the_generics_is_the_net_with_those_numbers() {
    assert_eq!(Concrete::GRAPH.nodes, Numbers::GRAPH.nodes);
    assert_eq!(Concrete::GRAPH.marks, Numbers::GRAPH.marks);
    assert_eq!(Concrete::SHAPES, Numbers::SHAPES);
    assert_eq!(Concrete::LAYERS, Numbers::LAYERS);
    assert_eq!(Concrete::LAYOUT.tensors, Numbers::LAYOUT.tensors);
    assert_eq!(Concrete::LAYOUT.training_len, Numbers::LAYOUT.training_len);
    let (generic, numbers) = (Concrete::seeded(3), Numbers::seeded(3));
    assert_eq!(generic.parameters_flat(), numbers.parameters_flat());
    for image in images(20) {
        assert_eq!(generic.output(&image), numbers.output(&image));
        assert_eq!(generic.predict(&image), numbers.predict(&image));
    }
    assert_eq!(generic.outputs(&images(20)), numbers.outputs(&images(20)));
    let rows = |summary: Summary| summary.rows.len();
    assert_eq!(rows(Concrete::summary()), rows(Numbers::summary()));
    assert_eq!(format!("{generic:?}").replace("Generic", "Numbers"), format!("{numbers:?}"));
    assert_eq!(generic.clone(), generic);
}

#[test]
fn training_gives_the_same_bits() {
    let (generic, losses) = trained::<Concrete>();
    let (numbers, same) = trained::<Numbers>();
    assert_eq!(losses, same);
    assert_eq!(generic.parameters_flat(), numbers.parameters_flat());
    assert_ne!(generic, Concrete::seeded(11));
}

#[test]
fn weights_are_saved_under_the_same_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let net = Concrete::seeded(7);
    net.save(&file).unwrap();
    assert_eq!(Numbers::load(&file).unwrap().parameters_flat(), net.parameters_flat());
    let bytes = Numbers::seeded(8).to_bytes().unwrap();
    assert_eq!(Concrete::from_bytes(&bytes).unwrap(), Concrete::seeded(8));
    let error = Generic::<4, 12, 5>::load(&file).unwrap_err().to_string();
    assert!(error.contains("conv1"), "{error}");
}

#[test]
fn choices_are_nets_of_their_own() {
    let (small, large) = (Generic::<1, 8, 2>::seeded(1), Generic::<8, 40, 16>::seeded(1));
    assert_eq!(small.conv1.weight.len(), 1);
    assert_eq!(large.conv1.weight.len(), 8);
    assert_eq!(small.output(&[[[0.5; 8]; 8]]).len(), 3);
    assert_eq!(large.output(&[[[0.5; 40]; 40]]).len(), 3);
    assert_eq!(Generic::<8, 40, 16>::SHAPES[1].dims(), [8, 40, 40]);
    let names = |layers: &[typenet::shape::LayerInfo]| -> Vec<&str> {
        layers.iter().map(|layer| layer.name).collect()
    };
    assert_eq!(names(Generic::<1, 8, 2>::LAYERS), names(Numbers::LAYERS));
}

#[test]
fn the_net_can_be_trained_by_hand_looked_into_and_switched() {
    let mut net = Concrete::seeded(5);
    let (inputs, labels) = (images(5), [0, 1, 2, 1, 0]);
    let check = gradcheck(&net, &CrossEntropy::new(), &inputs, &labels).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");

    let mut ws = Concrete::workspace(5);
    let mut sgd = Sgd::new(0.1).state(&net);
    net.set_trainable("fc1", false).unwrap();
    assert!(!net.is_trainable("fc1").unwrap() && net.is_trainable("conv1").unwrap());
    let before = net.clone();
    net.forward(&inputs, &mut ws);
    CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
    net.backward(&inputs, &mut ws);
    let gradients: &GenericGradients<3, 12, 5> = ws.gradients();
    assert_ne!(gradients.conv1.bias, [0.0; 3]);
    assert_eq!(gradients.fc1.bias.as_flat(), [0.0; 15]);
    sgd.step(&mut net, ws.gradients());
    assert_eq!(net.fc1, before.fc1);
    assert_ne!(net.conv1, before.conv1);

    let trace = net.trace(&inputs[0]);
    assert_eq!(trace.layers().len(), Concrete::LAYERS.len());
    let seeded = Concrete::seeded_with(Scheme::PyTorchDefault, 2);
    assert_ne!(seeded.conv1.bias, [0.0; 3]);
}

#[test]
fn fields_are_arrays_of_the_generics() {
    let mut net = Concrete::seeded(1);
    let _: &[[[[f32; 5]; 3]; 1]; 3] = &net.conv1.weight;
    // 2 · C channels.
    let norm: &[[f32; 3]; 2] = &net.skip.batch_norm_1.running_var;
    assert_eq!(norm, &[[1.0; 3]; 2]);
    // Each of C groups has 2 channels.
    let grouped: &[[[[[f32; 1]; 1]; 2]; 3]; 2] = &net.conv2d_2.weight;
    assert_eq!(grouped.as_flat().len(), 12);
    // C + 2 · C + 5 = 3 · C + 5 channels in, C · C + 1 out.
    type Channels = Joined<[[[[f32; 1]; 1]; 3]; 3], [[[f32; 1]; 1]; 5]>;
    let first: &mut Joined<[[Channels; 3]; 3], [Channels; 1]> = &mut net.rounds.0.conv2d_1.weight;
    first.1[0].1[4] = [[7.0]];
    assert_eq!(first.as_flat()[139], 7.0);
    assert_eq!(first.as_flat().len(), 140);
    assert_eq!(size_of_val(&*net), 4 * net.parameters_flat().len());
}

network! {
    /// Sizes in a shape behind `flatten`, and an output that is an image.
    struct Flat<const C: usize, const OUT: usize>: [C, 7, 6] -> [OUT] {
        conv2d(C, kernel = 3), relu, flatten, dropout, fc: linear(OUT),
    }
}

network! {
    /// The number of features is checked against what a size makes of it.
    struct Sized<const SIDE: usize, const FEATURES: usize>: [2, SIDE, SIDE] -> [2, SIDE, SIDE] {
        max_pool2d(SIDE / 4), reshape(FEATURES), linear(8), tanh,
        linear(72), reshape([2, 6, 6]), upsample(2), avg_pool2d(2 * SIDE - 23, stride = 1),
    }
}

#[test]
fn a_linear_layer_behind_flatten_has_the_image_in_its_type() {
    let net = Flat::<4, 3>::seeded(1);
    let weight: &[[[[f32; 4]; 5]; 4]; 3] = &net.fc.weight;
    assert_eq!(weight.as_flat(), &net.parameters_flat()[4 * 4 * 9 + 4..][..240]);
    let output: [f32; 3] = net.output(&[[[1.0; 6]; 7]; 4]);
    assert!(output.iter().all(|x| x.is_finite()));
}

#[test]
fn an_image_of_a_generic_size_is_returned_in_a_box() {
    let net = Sized::<12, 32>::seeded(1);
    let output: Box<[[[f32; 12]; 12]; 2]> = net.output(&[[[0.5; 12]; 12]; 2]);
    assert!(output.as_flat().iter().all(|x| x.is_finite()));
}

network! {
    /// Every layer with parameters.
    struct Layers<const C: usize, const G: usize, const OUT: usize>: [G, 9, 7] -> [OUT] {
        conv2d(C * G, kernel = (3, 2), groups = G, dilation = 2, bias = false),
        group_norm(G), relu,
        depthwise_conv2d(3, multiplier = C, padding = same), tanh, batch_norm,
        left: conv2d(C, kernel = 1),
        conv_transpose2d(C * G, kernel = 2, stride = 2, groups = C),
        batch_norm(affine = false), tanh,
        avg_pool2d(2), conv2d(C, kernel = 1), mul(left),
        concat { branch {} branch { conv2d(G, kernel = 1), layer_norm } branch { conv2d(3, kernel = 1) } }
        layer_norm,
        flatten, features: linear(C + 2, bias = false), gelu,
        linear(OUT), scale(0.5),
    }
}

network! {
    /// [`Layers`] of 4, 2 and 3.
    struct LayersInNumbers: [2, 9, 7] -> [3] {
        conv2d(8, kernel = (3, 2), groups = 2, dilation = 2, bias = false),
        group_norm(2), relu,
        depthwise_conv2d(3, multiplier = 4, padding = same), tanh, batch_norm,
        left: conv2d(4, kernel = 1),
        conv_transpose2d(8, kernel = 2, stride = 2, groups = 4),
        batch_norm(affine = false), tanh,
        avg_pool2d(2), conv2d(4, kernel = 1), mul(left),
        concat { branch {} branch { conv2d(2, kernel = 1), layer_norm } branch { conv2d(3, kernel = 1) } }
        layer_norm,
        flatten, features: linear(6, bias = false), gelu,
        linear(3), scale(0.5),
    }
}

#[test]
fn all_layers_have_types_of_their_shapes() {
    let (generic, numbers) = (Layers::<4, 2, 3>::seeded(4), LayersInNumbers::seeded(4));
    assert_eq!(size_of_val(&*generic), size_of_val(&*numbers));
    assert_eq!(size_of_val(&generic.features), size_of_val(&numbers.features));
    assert_eq!(generic.parameters_flat(), numbers.parameters_flat());
    // The channels of the joined values, one behind the other.
    let (weight, flat) = (&generic.features.weight, numbers.features.weight.as_flat());
    assert_eq!(weight.as_flat(), flat);
    assert_eq!((weight.0.len(), weight.1.len()), (4, 2));
    let image = [[[0.25; 7]; 9]; 2];
    assert_eq!(generic.output(&image), numbers.output(&image));

    let check = gradcheck(&generic, &CrossEntropy::new(), &[image, image], &[0, 2]).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
    let other = Layers::<6, 3, 2>::seeded(1);
    assert_eq!(size_of_val(&*other), 4 * Layers::<6, 3, 2>::LAYOUT.parameters);
}

#[test]
fn nets_in_functions_may_have_generics() {
    fn width<const W: usize>() -> usize {
        network! {
            struct Local<const W: usize>: [W] -> [2] {
                fc: linear(2),
            }
        }
        Local::<W>::seeded(1).fc.weight[0].len()
    }
    assert_eq!((width::<3>(), width::<9>()), (3, 9));
}

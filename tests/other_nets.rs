//! Nets that are layers of other nets.

use typenet::prelude::*;

mod backbones {
    typenet::network! {
        /// A net of two convolutions.
        pub struct Backbone: [2, 8, 8] -> [6, 4, 4] {
            conv1: conv2d(4, kernel = 3, padding = 1), relu,
            max_pool2d(2),
            residual { conv2d(4, kernel = 3, padding = 1) },
            conv2: conv2d(6, kernel = 1), relu,
        }
    }

    typenet::network! {
        /// A net that begins with an activation and ends in a batch norm.
        pub struct Neck: [6, 4, 4] -> [6, 4, 4] {
            relu, conv: conv2d(6, kernel = 3, padding = 1), norm: batch_norm,
        }
    }
}

network! {
    /// A net of other nets.
    struct Classifier: [2, 8, 8] -> [3] {
        features: backbones::Backbone,
        neck: self::backbones::Neck,
        relu,
        flatten,
        fc: linear(3),
    }
}

#[test]
fn a_net_is_a_layer_of_another() {
    assert_eq!(Classifier::LAYERS.last().map(|layer| layer.output.to_string()), Some("[3]".into()));
    println!("{}", Classifier::summary());
    let net = Classifier::seeded(1);
    let inputs: Vec<_> = (0..5).map(|i| [[[0.1 * i as f32 + 0.3; 8]; 8]; 2]).collect();
    let check = gradcheck(&net, &CrossEntropy::new(), &inputs, &[0, 1, 2, 0, 1]).unwrap();
    println!("{check}");
    assert!(check.worst() <= 1e-4, "{check}");
}

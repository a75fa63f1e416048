//! Weight files that are part of the program: `#[weights("…")]`.
#![allow(clippy::unwrap_used)]

use typenet::prelude::*;
use typenet::{Flat, Input};

network! {
    /// Read from files that are not in its order.
    #[weights("fixtures/weights/pytorch.safetensors")]
    struct Small: [1, 8, 8] -> [10] {
        conv1: conv2d(4, kernel = 3), norm: batch_norm, relu,
        flatten,
        fc: linear(10),
    }
}

network! {
    /// Read from numbers of another type.
    #[weights("fixtures/weights/half.safetensors")]
    struct Half: [1, 8, 8] -> [10] {
        conv1: conv2d(4, kernel = 3), norm: batch_norm, relu,
        flatten,
        fc: linear(10),
    }
}

const CLASSES: usize = 3;

network! {
    /// Of sizes that the compiler alone knows, and in the order of its file.
    #[weights("fixtures/weights/ordered.safetensors")]
    #[derive(Clone, Debug, PartialEq)]
    pub struct Ordered: [1, 8, 8] -> [self::CLASSES] {
        features: self::Features,
        fc: linear(self::CLASSES),
    }
}

network! {
    struct Features: [1, 8, 8] -> [16] { flatten, fc1: linear(16), tanh }
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/weights/");

fn image() -> Input<Small> {
    [std::array::from_fn(|row| std::array::from_fn(|column| (row * 8 + column) as f32 / 64.0))]
}

fn address<N: Network>(net: &N) -> *const f32 {
    net.model().parameters().as_flat().as_ptr()
}

#[test]
fn a_file_in_any_order_gives_what_load_gives() {
    let net = Small::pretrained();
    assert!(net == Small::load(format!("{FOLDER}pytorch.safetensors")).unwrap());
    assert!(net.norm.running_mean.iter().any(|&mean| mean != 0.0));
    assert!(net.predict(&image()) < 10);
    let half = Half::pretrained();
    assert!(half == Half::load(format!("{FOLDER}half.safetensors")).unwrap());
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() / 128.0;
    let (whole, half) = (net.as_flat(), half.as_flat());
    assert!(whole.iter().zip(half).all(near) && whole != half);
}

#[test]
fn numbers_in_order_are_not_copied_until_they_change() {
    let net = Ordered::pretrained();
    assert!(net == Ordered::load(format!("{FOLDER}ordered.safetensors")).unwrap());
    assert_eq!(net.metadata().class_names, ["cat", "dog", "\"\\é\n"]);
    let normalization = net.metadata().normalization.clone().unwrap();
    assert_eq!((normalization.mean, normalization.std), (vec![0.1], vec![0.3]));
    let mut other = net.clone();
    assert_eq!(address(&net), address(&other));
    assert_eq!(address(&net), address(&Ordered::pretrained()));

    let before = (net.output(&image()), net.fc.bias[0]);
    assert_eq!(before.0, other.output(&image()));
    other.fc.bias[0] += 1.0;
    assert_ne!(address(&net), address(&other));
    assert_eq!(before, (net.output(&image()), net.fc.bias[0]));
    assert_ne!(before.0, other.output(&image()));
    assert!(other != Ordered::pretrained() && net == Ordered::pretrained());
}

#[test]
fn one_may_train_it_and_save_it() {
    let mut net = Ordered::pretrained();
    let data = Dataset::from_inputs(&[image(); 4], vec![0, 1, 2, 0]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).batch(2).epochs(2);
    trainer.progress(false).fit(&mut net, &data, None).unwrap();
    assert!(net != Ordered::pretrained());
    let bytes = net.to_bytes().unwrap();
    assert!(Ordered::from_bytes(&bytes).unwrap() == net);
    // What is saved unchanged is the file.
    let file = std::fs::read(format!("{FOLDER}ordered.safetensors")).unwrap();
    assert_eq!(Ordered::pretrained().to_bytes().unwrap(), file);
}

#[test]
fn threads_share_one() {
    let net = Ordered::pretrained();
    let expected = net.output(&image());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let small = std::thread::Builder::new().stack_size(256 << 10);
            let (net, expected) = (&net, &expected);
            small
                .spawn_scoped(scope, move || {
                    assert_eq!(&net.output(&image()), expected);
                    assert_eq!(&Ordered::pretrained().output(&image()), expected);
                })
                .unwrap();
        }
    });
}

/// Writes the file in typenet's order anew.
#[test]
#[ignore = "writes a fixture"]
fn write_the_ordered_file() {
    let mut net = Ordered::seeded(5);
    let metadata = net.metadata_mut();
    metadata.class_names = ["cat", "dog", "\"\\é\n"].map(str::to_owned).to_vec();
    metadata.normalization = Some(typenet::Normalization { mean: vec![0.1], std: vec![0.3] });
    net.save(format!("{FOLDER}ordered.safetensors")).unwrap();
}

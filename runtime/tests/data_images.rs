//! Images of bytes in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use typenet_runtime::data::{Dataset, Examples, Images, View};
use typenet_runtime::{Error, Normalization};

type Image = [[[f32; 3]; 2]; 2];
const LEN: usize = 12;

/// `count` images whose bytes are all different, and labels 0, 1, 2, 0, …
fn images(count: usize) -> Images<Image> {
    let pixels = (0..count * LEN).map(|i| (i * 97 % 256) as u8).collect();
    Images::from_bytes(pixels, (0..count).map(|i| i % 3).collect()).unwrap()
}

/// The same in a data set of numbers.
fn dataset(count: usize) -> Dataset<Image> {
    let numbers = (0..count * LEN).map(|i| (i * 97 % 256) as f32 / 255.0).collect();
    Dataset::from_flat(numbers, (0..count).map(|i| i % 3).collect()).unwrap()
}

fn batch(source: &dyn Examples<Image, usize>, indices: &[usize]) -> (Vec<f32>, Vec<usize>) {
    let (mut inputs, mut targets) = (vec![f32::NAN; 5], Vec::new());
    source.batch_into(View::Epoch(2), indices, &mut inputs, &mut targets).unwrap();
    (inputs, targets)
}

#[test]
fn bytes_become_the_numbers_of_a_data_set_with_the_same_bits() {
    let normalization = Normalization { mean: vec![0.491, 0.3], std: vec![0.247, 1.7] };
    let (mut images, mut data) = (images(700), dataset(700));
    let all: Vec<usize> = (0..700).rev().collect();
    assert_eq!(batch(&images, &all), batch(&data, &all));
    images.normalize(&normalization).unwrap();
    data.normalize(&normalization).unwrap();
    assert_eq!(batch(&images, &all), batch(&data, &all));
    assert_eq!(images.to_dataset().unwrap(), data);
    assert_eq!(Examples::normalization(&images), Some(&normalization));
}

#[test]
fn statistics_are_those_of_the_numbers() {
    let (images, data) = (images(501), dataset(501));
    let (found, expected) =
        (images.channel_statistics().unwrap(), data.channel_statistics(2).unwrap());
    for (found, expected) in [(&found.mean, &expected.mean), (&found.std, &expected.std)] {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-7, "{found} {expected}");
        }
    }
    // 0 and 255 in equal parts: mean and deviation are 1/2 to the last bit.
    let halves = Images::<[[[f32; 2]; 1]; 1]>::from_bytes(vec![0, 255], vec![0]).unwrap();
    let expected = Normalization { mean: vec![0.5], std: vec![0.5] };
    assert_eq!(halves.channel_statistics().unwrap(), expected);
    // A channel of one value has a deviation that can be divided by.
    let flat = Images::<[[[f32; 2]; 1]; 1]>::from_bytes(vec![51; 20], vec![0; 10]).unwrap();
    let expected = Normalization { mean: vec![0.2], std: vec![1.0] };
    assert_eq!(flat.channel_statistics().unwrap(), expected);
    // Long enough for sums that do not fit into 32 bits.
    let bright =
        Images::<[[[f32; 300]; 300]; 1]>::from_bytes(vec![255; 180_000], vec![0; 2]).unwrap();
    assert_eq!(bright.channel_statistics().unwrap().mean, [1.0]);
}

#[test]
fn parts_have_their_own_statistics_and_normalisation() {
    let images = images(30).with_class_names(["a", "b", "c"]);
    let (mut train, validation) = images.split_stratified(0.2, 5).unwrap();
    assert_eq!((train.len(), validation.len(), validation.classes()), (24, 6, 3));
    assert_eq!(validation.class_names(), ["a", "b", "c"]);
    train.normalize(&train.channel_statistics().unwrap()).unwrap();
    assert!(validation.normalization().is_none());
    let means = train.to_dataset().unwrap().channel_statistics(2).unwrap();
    for (mean, std) in means.mean.iter().zip(&means.std) {
        assert!(mean.abs() <= 1e-6 && (std - 1.0).abs() <= 1e-6);
    }
    let (again, _) = images.split_stratified(0.2, 5).unwrap();
    assert!(again.labels().eq(train.labels()));

    let chosen = images.select(&[7, 3, 7]).unwrap().select(&[2, 1]).unwrap();
    assert_eq!(batch(&chosen, &[0, 1]), batch(&images, &[7, 3]));
    assert!(images.select(&[30]).is_err());
}

#[test]
fn mistakes_are_errors() {
    let mut images = images(3);
    let normalization = |mean, std| Normalization { mean, std };
    for (bad, text) in [
        (normalization(vec![0.5], vec![1.0]), "channels of the mean: expected 2, found 1"),
        (normalization(vec![0.5; 2], vec![1.0]), "channels of the std: expected 2, found 1"),
        (
            normalization(vec![0.5; 5], vec![1.0; 5]),
            "channels: expected a divisor of the 12 numbers of an input, found 5",
        ),
        (
            normalization(vec![0.5; 2], vec![1.0, 0.0]),
            "`normalization` = std 0: a finite std above 0",
        ),
        (
            normalization(vec![f32::NAN, 0.5], vec![1.0; 2]),
            "`normalization` = mean NaN: a finite mean",
        ),
    ] {
        assert_eq!(images.normalize(&bad).unwrap_err().to_string(), text);
        assert!(images.normalization().is_none());
    }
    let good = normalization(vec![0.5; 2], vec![1.0; 2]);
    images.normalize(&good).unwrap();
    assert!(images.normalize(&good).is_err());

    let mut numbers = [7.0; LEN];
    let outside = images.inputs_into(View::Plain, &[3], &mut numbers).unwrap_err();
    assert!(matches!(outside, Error::Argument { name: "index", .. }));
    assert!(images.inputs_into(View::Plain, &[0, 1], &mut numbers).is_err());
    assert!(images.target(View::Plain, 3).is_err());
    assert_eq!(numbers, [7.0; LEN]);

    let flat = Images::<[f32; 4]>::from_bytes(vec![0; 4], vec![0]).unwrap_err();
    assert_eq!(
        flat.to_string(),
        "the shape of an image: expected [channels, height, width], each at least 1, found [4]"
    );
    assert!(Images::<[[[f32; 0]; 4]; 3]>::from_bytes(vec![], vec![0]).is_err());
    let none = Images::<Image>::from_bytes(vec![], vec![]).unwrap();
    assert!(none.is_empty() && none.channel_statistics().is_err());
    assert_eq!(none.to_dataset().unwrap().len(), 0);
}

proptest! {
    #[test]
    fn any_bytes_keep_their_order(pixels in prop::collection::vec(any::<u8>(), 0..40 * LEN)) {
        let count = pixels.len() / LEN;
        let pixels = pixels[..count * LEN].to_vec();
        let images = Images::<Image>::from_bytes(pixels.clone(), vec![0; count]).unwrap();
        let (numbers, _) = batch(&images, &(0..count).collect::<Vec<_>>());
        let back: Vec<u8> = numbers.iter().map(|number| (number * 255.0).round() as u8).collect();
        prop_assert_eq!(back, pixels);
    }
}

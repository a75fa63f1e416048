//! Data sets in memory: splitting, drawing, normalising.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use typenet_engine::Flat;
use typenet_runtime::data::{ArrayShape, Dataset, Minibatch, Sampler};
use typenet_runtime::{Error, Normalization};

/// `n` inputs whose numbers say which example they are; the target is its index.
fn numbered(n: usize) -> Dataset<[f32; 3]> {
    let inputs = (0..n).flat_map(|i| [i as f32, 2.0 * i as f32, -1.0]).collect();
    Dataset::from_flat(inputs, (0..n).collect()).unwrap()
}

fn sorted(mut values: Vec<usize>) -> Vec<usize> {
    values.sort_unstable();
    values
}

#[test]
fn inputs_and_targets_must_be_equally_many() {
    let error = Dataset::from_inputs(&[[1.0f32, 2.0]; 3], vec![0usize; 2]).unwrap_err();
    assert_eq!(error.to_string(), "targets: expected 3, found 2");
    for numbers in [0, 5, 7] {
        let error = Dataset::<[f32; 2]>::from_flat(vec![0.0; numbers], vec![0; 3]).unwrap_err();
        assert!(matches!(error, Error::Size { .. }), "{error}");
        assert!(error.to_string().contains(&numbers.to_string()), "{error}");
    }
    let empty = Dataset::<[f32; 0]>::from_flat(Vec::new(), vec![0; 3]);
    assert!(matches!(empty, Err(Error::Size { .. })));
    assert!(Dataset::<[f32; 2]>::from_flat(Vec::new(), Vec::new()).unwrap().is_empty());
}

#[test]
fn shapes_are_those_of_the_nested_arrays() {
    assert_eq!(<[f32; 7]>::SHAPE.dims(), [7]);
    assert_eq!(<[[[f32; 4]; 3]; 2]>::SHAPE.dims(), [2, 3, 4]);
    assert_eq!(<[[[[f32; 5]; 4]; 3]; 2]>::SHAPE.dims(), [2, 3, 4, 5]);
    assert_eq!(<[[[f32; 4]; 3]; 2]>::SHAPE.elements(), <[[[f32; 4]; 3]; 2]>::LEN);
}

#[test]
fn large_inputs_need_no_room_on_the_stack() {
    type Large = [[[f32; 1024]; 1024]; 3];
    let data = Dataset::<Large>::from_flat(vec![0.5; 2 * Large::LEN], vec![0, 1]).unwrap();
    // A debug build would overflow this stack with one image on it.
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let sum = thread.spawn(move || {
        let batches = data.minibatches(1, 3);
        batches.map(|batch| batch.inputs[0][2][1023][1023]).sum::<f32>()
    });
    assert_eq!(sum.unwrap().join().unwrap(), 1.0);
}

#[test]
fn minibatches_have_every_example_once() {
    let data = numbered(10);
    let batches: Vec<Minibatch<[f32; 3]>> = data.minibatches(4, 1).collect();
    assert_eq!(batches.iter().map(|batch| batch.labels.len()).collect::<Vec<_>>(), [4, 4, 2]);
    for batch in &batches {
        let inputs: &[[f32; 3]] = &batch.inputs;
        assert_eq!(inputs.len(), batch.labels.len());
        for (input, &label) in inputs.iter().zip(&batch.labels) {
            assert_eq!(*input, [label as f32, 2.0 * label as f32, -1.0]);
        }
    }
    let labels: Vec<usize> = batches.into_iter().flat_map(|batch| batch.labels).collect();
    assert_ne!(labels, (0..10).collect::<Vec<_>>());
    assert_eq!(sorted(labels), (0..10).collect::<Vec<_>>());
}

#[test]
fn minibatches_know_their_count_and_take_any_size() {
    let data = numbered(10);
    for (batch, count) in [(0, 10), (1, 10), (3, 4), (10, 1), (usize::MAX, 1)] {
        let mut batches = data.minibatches(batch, 0);
        assert_eq!(batches.len(), count, "batches of {batch}");
        batches.next();
        assert_eq!(batches.len(), count - 1);
        assert_eq!(batches.count(), count - 1);
    }
    assert_eq!(numbered(0).minibatches(4, 0).count(), 0);
}

#[test]
fn the_seed_decides_the_order() {
    let data = numbered(50);
    let order = |seed| -> Vec<usize> { data.minibatches(7, seed).flat_map(|b| b.labels).collect() };
    assert_eq!(order(3), order(3));
    assert_ne!(order(3), order(4));
}

#[test]
fn an_epoch_is_the_same_whatever_came_before() {
    let order = |epochs: &[usize]| {
        let mut sampler = Sampler::new(40, 8, 9);
        epochs.iter().for_each(|&epoch| sampler.shuffle(epoch));
        sampler.batches().flatten().copied().collect::<Vec<usize>>()
    };
    assert_eq!(order(&[]), (0..40).collect::<Vec<_>>());
    assert_eq!(order(&[0, 1, 2]), order(&[2]));
    assert_ne!(order(&[1]), order(&[2]));
    assert_eq!(sorted(order(&[1])), (0..40).collect::<Vec<_>>());
    order(&[usize::MAX]);
}

#[test]
fn the_order_of_a_seed_stays_as_it_is() {
    // Published results name a seed: another order here would change them all.
    let mut sampler = Sampler::new(8, 8, 42);
    sampler.shuffle(0);
    assert_eq!(sampler.batches().next().unwrap(), [0, 7, 4, 6, 2, 5, 3, 1]);
}

#[test]
fn draws_with_replacement_repeat_and_leave_out() {
    let mut sampler = Sampler::new(1000, 100, 5).with_replacement(true);
    sampler.shuffle(0);
    let drawn: Vec<usize> = sampler.batches().flatten().copied().collect();
    assert_eq!(drawn.len(), 1000);
    assert!(drawn.iter().all(|&index| index < 1000));
    let different: std::collections::BTreeSet<usize> = drawn.iter().copied().collect();
    // The expected share is 1 − 1/e = 63.2 %, with a deviation of about 1 %.
    assert!((590..=675).contains(&different.len()), "{}", different.len());
    let mut empty = Sampler::new(0, 4, 5).with_replacement(true);
    empty.shuffle(0);
    assert_eq!(empty.batches().len(), 0);
}

#[test]
fn gathering_reuses_the_buffers() {
    let data = numbered(20);
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    data.gather(&[19, 3, 3, 0], &mut inputs, &mut targets);
    assert_eq!(targets, [19, 3, 3, 0]);
    assert_eq!(inputs[..6], [19.0, 38.0, -1.0, 3.0, 6.0, -1.0]);
    let before = (inputs.as_ptr(), targets.as_ptr());
    data.gather(&[7, 8], &mut inputs, &mut targets);
    assert_eq!((inputs.len(), targets.as_slice()), (6, &[7, 8][..]));
    assert_eq!((inputs.as_ptr(), targets.as_ptr()), before);
}

#[test]
#[should_panic(expected = "example 20 of a data set of 20")]
fn gathering_beyond_the_end_says_so() {
    numbered(20).gather(&[20], &mut Vec::new(), &mut Vec::new());
}

#[test]
fn parts_keep_names_and_normalization() {
    let mut data = numbered(10).with_class_names(["a", "b"]);
    let normalization = Normalization { mean: vec![1.0], std: vec![2.0] };
    data.normalize(&normalization).unwrap();
    let (first, second) = data.split(0.3, 1).unwrap();
    assert_eq!((first.len(), second.len()), (7, 3));
    for part in [first, second, data.take(4), data.clone()] {
        assert_eq!(part.class_names(), ["a", "b"]);
        assert_eq!(part.normalization(), Some(&normalization));
    }
}

#[test]
fn a_share_outside_0_to_1_is_an_error() {
    let data = numbered(10);
    for fraction in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(data.split(fraction, 0), Err(Error::Argument { name: "fraction", .. })));
    }
    assert_eq!(data.split(0.0, 0).unwrap().1.len(), 0);
    assert_eq!(data.split(1.0, 0).unwrap().0.len(), 0);
    assert!(matches!(data.split_at(11, 0), Err(Error::Size { .. })));
}

#[test]
fn statistics_are_those_of_each_channel() {
    // Two images of two channels of 1×2.
    let data = Dataset::from_inputs(
        &[[[[1.0f32, 3.0]], [[0.1, 0.1]]], [[[5.0, 7.0]], [[0.1, 0.1]]]],
        vec![0usize, 1],
    )
    .unwrap();
    let statistics = data.channel_statistics(2).unwrap();
    assert_eq!(statistics.mean, [4.0, 0.1]);
    // √((9 + 1 + 1 + 9) / 4), and 1 for the channel that is constant.
    assert_eq!(statistics.std, [5.0f32.sqrt(), 1.0]);
    for channels in [0, 3, 5] {
        assert!(matches!(data.channel_statistics(channels), Err(Error::Size { .. })));
    }
    assert!(matches!(numbered(0).channel_statistics(3), Err(Error::Size { .. })));
}

#[test]
fn statistics_of_large_numbers_keep_their_digits() {
    // In f32 the squares alone would swallow the deviation.
    let numbers: Vec<f32> = (0..100_000).map(|i| 10_000.0 + (i % 2) as f32).collect();
    let data = Dataset::<[f32; 1]>::from_flat(numbers, vec![0; 100_000]).unwrap();
    let statistics = data.channel_statistics(1).unwrap();
    assert_eq!((statistics.mean[0], statistics.std[0]), (10_000.5, 0.5));
}

#[test]
fn normalized_channels_have_mean_0_and_std_1() {
    let mut data = numbered(100);
    let statistics = data.channel_statistics(3).unwrap();
    data.normalize(&statistics).unwrap();
    assert_eq!(data.normalization(), Some(&statistics));
    let after = data.channel_statistics(3).unwrap();
    for channel in 0..3 {
        assert!(after.mean[channel].abs() <= 1e-6, "{after:?}");
        assert!((after.std[channel] - 1.0).abs() <= 1e-6, "{after:?}");
    }
    assert!(data.inputs().iter().all(|input| input[2] == 0.0));
}

#[test]
fn a_normalization_that_does_not_fit_changes_nothing() {
    let mut data = numbered(4);
    let before = data.clone();
    let normalization =
        |mean: &[f32], std: &[f32]| Normalization { mean: mean.into(), std: std.into() };
    for bad in [
        normalization(&[], &[]),
        normalization(&[0.0], &[1.0, 1.0]),
        normalization(&[0.0; 2], &[1.0; 2]),
        normalization(&[f32::NAN], &[1.0]),
        normalization(&[0.0], &[0.0]),
        normalization(&[0.0], &[-1.0]),
        normalization(&[0.0; 3], &[1.0, f32::NAN, 1.0]),
    ] {
        assert!(data.normalize(&bad).is_err(), "{bad:?}");
        assert!(data == before, "{bad:?}");
    }
    let good = normalization(&[1.0], &[2.0]);
    data.normalize(&good).unwrap();
    let once = data.clone();
    let error = data.normalize(&good).unwrap_err();
    assert!(matches!(error, Error::Argument { name: "normalization", .. }), "{error}");
    assert!(data == once);
}

proptest! {
    #[test]
    fn splits_lose_and_repeat_nothing(n in 0usize..200, fraction in 0.0f64..=1.0, seed: u64) {
        let data = numbered(n);
        let (first, second) = data.split(fraction, seed).unwrap();
        prop_assert_eq!(second.len(), (n as f64 * fraction).round() as usize);
        let all = first.targets().iter().chain(second.targets()).copied().collect();
        prop_assert_eq!(sorted(all), (0..n).collect::<Vec<_>>());
        for part in [&first, &second] {
            for (input, &target) in part.inputs().iter().zip(part.targets()) {
                prop_assert_eq!(input[0], target as f32);
            }
        }
        prop_assert!(data.split(fraction, seed).unwrap() == (first, second));
    }

    #[test]
    fn an_epoch_is_a_permutation(len in 0usize..300, batch in 0usize..50, seed: u64, epoch in 0usize..9) {
        let mut sampler = Sampler::new(len, batch, seed);
        sampler.shuffle(epoch);
        prop_assert_eq!(sampler.batches().len(), len.div_ceil(batch.max(1)));
        let all = sampler.batches().flatten().copied().collect();
        prop_assert_eq!(sorted(all), (0..len).collect::<Vec<_>>());
    }
}

//! Sources that change, mix or choose the examples of others.

use rayon::prelude::*;
use typenet_engine::Flat;
use typenet_runtime::Normalization;
use typenet_runtime::data::{Augment, Border, Dataset, Draw, Examples, Images, MixedLabel, View};

use super::is_about;

type Image = [[[f32; 6]; 5]; 3];
const LEN: usize = 90;

fn data(count: usize) -> Dataset<Image> {
    let numbers = (0..count * LEN).map(|i| (i * 31 % 256) as f32 / 255.0).collect();
    let labels = (0..count).map(|i| i % 4).collect();
    Dataset::from_flat(numbers, labels).unwrap().with_class_names(["a", "b", "c", "d"])
}

fn everything() -> Augment {
    Augment::new()
        .border(Border::Reflect)
        .random_crop(2)
        .alternating_flip()
        .horizontal_flip()
        .rotation(10.0)
        .scale(0.9, 1.1)
        .elastic(5.0, 2.0)
        .color_jitter(0.2, 0.2, 0.2, 0.1)
        .cutout(2)
        .random_erasing(0.5)
}

fn inputs<T>(source: &dyn Examples<Image, T>, view: View, indices: &[usize]) -> Vec<f32> {
    let mut numbers = vec![f32::NAN; indices.len() * LEN];
    source.inputs_into(view, indices, &mut numbers).unwrap();
    numbers
}

#[test]
fn neither_batches_nor_threads_nor_the_order_decide() {
    let source = data(40).augmented(everything(), 3).unwrap().mixup(0.7, 4).unwrap();
    let view = View::Epoch(5);
    let all: Vec<usize> = (0..40).collect();
    let whole = inputs(&source, view, &all);
    assert!(whole.iter().all(|number| number.is_finite()));
    let one_by_one: Vec<f32> = all.iter().flat_map(|&i| inputs(&source, view, &[i])).collect();
    assert_eq!(whole, one_by_one);
    let backwards: Vec<usize> = all.iter().rev().copied().collect();
    let turned = inputs(&source, view, &backwards);
    let turned: Vec<f32> = turned.chunks(LEN).rev().flatten().copied().collect();
    assert_eq!(whole, turned);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let parts = pool.install(|| {
            all.par_chunks(7).map(|part| inputs(&source, view, part)).collect::<Vec<_>>()
        });
        assert_eq!(whole, parts.concat());
    }
}

#[test]
fn seed_epoch_and_index_decide() {
    let same = Dataset::from_inputs(&[super::image::<Image>(); 9], vec![0; 9]).unwrap();
    let of = |seed, epoch, index| {
        let source = (&same).augmented(everything(), seed).unwrap();
        inputs(&source, View::Epoch(epoch), &[index])
    };
    let first = of(1, 0, 0);
    assert_eq!(of(1, 0, 0), first);
    for other in [of(2, 0, 0), of(1, 1, 0), of(1, 0, 1), of(0, 1, 0)] {
        assert_ne!(other, first);
    }
    // By hand it is the same.
    let mut image = super::image::<Image>();
    everything().apply(&mut image, Draw { seed: 1, epoch: 3, index: 8 }).unwrap();
    assert_eq!(of(1, 3, 8), image.as_flat());
}

#[test]
fn evaluation_sees_the_examples_as_they_are() {
    let data = data(10);
    let source = (&data).augmented(everything(), 3).unwrap().mixup(0.7, 4).unwrap();
    let all: Vec<usize> = (0..10).collect();
    assert_eq!(inputs(&source, View::Plain, &all), Image::flatten(data.inputs()));
    for i in 0..10 {
        assert_eq!(source.target(View::Plain, i).unwrap(), MixedLabel::from(i % 4));
    }
    assert_eq!((source.len(), source.class_names()), (10, data.class_names()));
    assert_eq!(source.source().source().len(), 10);
}

#[test]
fn a_source_of_bytes_is_changed_like_a_data_set() {
    let bytes: Vec<u8> = (0..20 * LEN).map(|i| (i * 31 % 256) as u8).collect();
    let mut images = Images::<Image>::from_bytes(bytes, vec![0; 20]).unwrap();
    let normalization = Normalization { mean: vec![0.5, 0.4, 0.3], std: vec![0.2, 0.3, 0.4] };
    images.normalize(&normalization).unwrap();
    let data = images.to_dataset().unwrap();
    let (images, data) =
        (images.augmented(everything(), 3).unwrap(), data.augmented(everything(), 3).unwrap());
    let all: Vec<usize> = (0..20).collect();
    let found = inputs(&images, View::Epoch(1), &all);
    assert_eq!(found, inputs(&data, View::Epoch(1), &all));
    assert_eq!(Examples::<Image, usize>::normalization(&images), Some(&normalization));
}

#[test]
fn mixup_mixes_inputs_and_labels_in_the_same_shares() {
    // The image shows its index, which is its label.
    let count = 50;
    let numbers = (0..count).flat_map(|i| [i as f32; LEN]).collect();
    let data = Dataset::<Image>::from_flat(numbers, (0..count).collect()).unwrap();
    let (mut shares, mut others) = (Vec::new(), vec![0; count]);
    for alpha in [0.2, 1.0] {
        let source = (&data).mixup(alpha, 11).unwrap();
        for epoch in 0..40 {
            let all: Vec<usize> = (0..count).rev().collect();
            let (mut inputs, mut targets) = (Vec::new(), Vec::new());
            source.batch_into(View::Epoch(epoch), &all, &mut inputs, &mut targets).unwrap();
            for ((image, target), index) in inputs.chunks(LEN).zip(&targets).zip(all) {
                let MixedLabel { label, other, share } = *target;
                assert_eq!(label, index);
                let expected = share * label as f32 + (1.0 - share) * other as f32;
                assert!(image.iter().all(|&number| (number - expected).abs() <= 1e-4));
                if alpha == 1.0 {
                    shares.push(f64::from(share));
                    others[other] += 1;
                }
            }
        }
    }
    // Beta(1, 1) is even; so is the choice of the other.
    let of = shares.len();
    for part in 0..10 {
        let low = f64::from(part) / 10.0;
        let inside = shares.iter().filter(|&&share| low <= share && share < low + 0.1).count();
        assert!(is_about(inside, of, 0.1), "{inside}");
    }
    assert!(others.iter().all(|&times| is_about(times, of, 1.0 / count as f64)));
    // Beta(0.2, 0.2) is mostly near the ends.
    let source = data.mixup(0.2, 3).unwrap();
    let shares = (0..1000).map(|i| source.target(View::Epoch(i / 50), i % 50).unwrap().share);
    let near_ends = shares.filter(|share| !(0.1..0.9).contains(share)).count();
    // The distribution has 0.679 of its mass there.
    assert!(is_about(near_ends, 1000, 0.679), "{near_ends}");
}

#[test]
fn subsets_and_other_targets_are_those_of_the_source() {
    let data = data(10);
    let some = (&data).subset(vec![7, 2, 7]).unwrap();
    assert_eq!(inputs(&some, View::Plain, &[0, 1]), inputs(&data, View::Plain, &[7, 2]));
    assert_eq!(some.place(1), "example 2");
    let of_some = some.subset(vec![1]).unwrap().map_targets(|label: usize| label as f32 + 0.5);
    assert_eq!(of_some.target(View::Plain, 0).unwrap(), 2.5);
    assert_eq!(inputs(&of_some, View::Plain, &[0, 0]), inputs(&data, View::Plain, &[2, 2]));
    assert_eq!(of_some.class_names(), data.class_names());
    assert!((&data).subset(vec![10]).is_err());
    let mut room = vec![0.0; LEN];
    assert!(of_some.inputs_into(View::Plain, &[1], &mut room).is_err());
    assert!(of_some.inputs_into(View::Plain, &[0], &mut room[1..]).is_err());
    assert!(of_some.target(View::Plain, 1).is_err());

    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!((&data).mixup(alpha, 0).is_err());
    }
    assert!((&data).augmented(Augment::new().cutout(99), 0).is_err());
    let empty = data.take(0).mixup(1.0, 1).unwrap();
    assert!(empty.inputs_into(View::Epoch(0), &[0], &mut room).is_err());
    assert!(empty.target(View::Epoch(0), 0).is_err());
}

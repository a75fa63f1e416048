//! What a trainer needs of its data.

#![allow(clippy::unwrap_used)]

use typenet_runtime::data::{Dataset, Examples, View};
use typenet_runtime::{Error, Normalization};

fn of_three() -> Dataset<[f32; 2], usize> {
    let inputs = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    Dataset::from_inputs(&inputs, vec![1, 0, 2]).unwrap().with_class_names(["a", "b", "c"])
}

#[test]
fn a_data_set_gives_its_examples_in_the_order_of_the_indices() {
    let mut data = of_three();
    data.normalize(&Normalization { mean: vec![1.0, 0.0], std: vec![2.0, 1.0] }).unwrap();
    let (mut inputs, mut targets) = (vec![f32::NAN; 9], vec![7; 9]);
    for view in [View::Plain, View::Epoch(0), View::Epoch(3)] {
        data.batch_into(view, &[2, 0, 2], &mut inputs, &mut targets).unwrap();
        assert_eq!(inputs, [2.0, 6.0, 0.0, 2.0, 2.0, 6.0]);
        assert_eq!(targets, [2, 1, 2]);
    }
    let source: &dyn Examples<[f32; 2], usize> = &data;
    let source = &source;
    assert_eq!((source.len(), source.is_empty()), (3, false));
    assert_eq!(source.class_names(), ["a", "b", "c"]);
    assert_eq!(source.normalization(), data.normalization());
    assert_eq!(source.place(2), "example 2");
    assert_eq!(source.target(View::Plain, 2).unwrap(), 2);
}

#[test]
fn a_warm_buffer_is_not_allocated_again() {
    let data = of_three();
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    data.batch_into(View::Plain, &[0, 1, 2], &mut inputs, &mut targets).unwrap();
    let before = (inputs.as_ptr(), targets.as_ptr());
    for indices in [&[1][..], &[], &[2, 1, 0]] {
        data.batch_into(View::Plain, indices, &mut inputs, &mut targets).unwrap();
        assert_eq!((inputs.len(), targets.len()), (2 * indices.len(), indices.len()));
        assert_eq!((inputs.as_ptr(), targets.as_ptr()), before);
    }
}

#[test]
fn an_index_outside_and_too_little_room_are_errors() {
    let data = of_three();
    let mut numbers = [0.0; 4];
    let outside = data.inputs_into(View::Plain, &[0, 3], &mut numbers).unwrap_err();
    let expected = "`index` = 3 of 3 examples: a number below that of the examples";
    assert_eq!(outside.to_string(), expected);
    assert_eq!(data.target(View::Plain, 3).unwrap_err().to_string(), expected);
    let room = data.inputs_into(View::Plain, &[0], &mut numbers).unwrap_err();
    assert!(matches!(room, Error::Size { .. }));
    assert_eq!(room.to_string(), "numbers for 1 inputs: expected 2, found 4");
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    assert!(data.batch_into(View::Plain, &[9], &mut inputs, &mut targets).is_err());
    assert_eq!(numbers, [0.0; 4]);
}

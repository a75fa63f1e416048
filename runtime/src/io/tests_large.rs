//! Files so large that their tensors are read one by one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use tempfile::TempDir;
use typenet_shape::{Graph, Node, Op, Shape, Tensor};

use super::bytes::{Content, read_start};
use super::tests::bits;
use super::{LoadOptions, load, load_weights, save};
use crate::{Error, Metadata};

const OUTS: usize = 1100;
const INS: usize = 4000;
const GRAPH: Graph<'static> = Graph::new(
    "Large",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[INS]) }, inputs: &[] },
        Node { name: "fc", op: Op::Linear { out_features: OUTS, bias: true }, inputs: &[0] },
    ],
);
static TENSORS: [Tensor; 2] = GRAPH.tensors::<2, 2>();
const LEN: usize = OUTS * INS + OUTS;

fn parameters() -> Vec<f32> {
    (0..LEN).map(|i| (i as f32 * 0.37).sin()).collect()
}

fn read(path: &Path, options: &LoadOptions) -> Result<Vec<f32>, Error> {
    let mut numbers = vec![0.5; LEN];
    load(path, options, &GRAPH, &TENSORS, &mut numbers).map(|_| numbers)
}

fn saved(parameters: &[f32]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large.safetensors");
    save(&path, &GRAPH, &TENSORS, parameters, &Metadata::default()).unwrap();
    assert_eq!(matches!(read_start(&path), Ok(Content::Start(..))), cfg!(unix), "a large file");
    (folder, path)
}

#[test]
fn numbers_of_any_type_are_read() {
    let parameters = parameters();
    let (_folder, path) = saved(&parameters);
    assert!(bits(&read(&path, &LoadOptions::new()).unwrap()) == bits(&parameters));

    let wide: Vec<u8> = parameters.iter().flat_map(|&n| f64::from(n).to_le_bytes()).collect();
    let (weight, bias) = wide.split_at(8 * OUTS * INS);
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::F64, shape.into(), bytes).unwrap();
    let tensors = [("fc.weight", view(&[OUTS, INS], weight)), ("fc.bias", view(&[OUTS], bias))];
    fs::write(&path, serialize(tensors, None).unwrap()).unwrap();
    assert!(bits(&read(&path, &LoadOptions::new()).unwrap()) == bits(&parameters));
}

#[test]
fn the_first_number_that_is_not_finite_is_named() {
    let mut parameters = parameters();
    parameters[7 * INS + 5] = f32::NEG_INFINITY;
    parameters[900 * INS] = f32::NAN;
    parameters[OUTS * INS + 3] = f32::NAN;
    let (_folder, path) = saved(&parameters);
    match read(&path, &LoadOptions::new()) {
        Err(Error::NotFiniteWeights { tensor, count, position, value, others, .. }) => {
            assert_eq!((tensor.as_str(), count, others), ("fc.weight", 2, 1));
            assert_eq!((position, value), (vec![7, 5], f64::NEG_INFINITY));
        }
        other => panic!("{:?}", other.map(drop)),
    }
    let found = read(&path, &LoadOptions::new().allow_not_finite()).unwrap();
    assert!(bits(&found) == bits(&parameters));
    // A net that is there stays as it is.
    let mut numbers = vec![0.5; LEN];
    load_weights(&path, &LoadOptions::new(), &GRAPH, &TENSORS, &mut numbers).unwrap_err();
    assert!(numbers.iter().all(|&number| number == 0.5));
}

#[test]
fn other_lengths_are_errors() {
    let (_folder, path) = saved(&parameters());
    let mut bytes = fs::read(&path).unwrap();
    let whole = bytes.len();
    bytes.push(0);
    fs::write(&path, &bytes).unwrap();
    for (len, problem) in [(whole + 1, "the file goes on"), (whole - 1, "the file ends here")] {
        fs::write(&path, &bytes[..len]).unwrap();
        match read(&path, &LoadOptions::new()) {
            Err(Error::Format { problem: found, .. }) => {
                assert!(found.starts_with(problem), "{found}")
            }
            other => panic!("{:?}", other.map(drop)),
        }
    }
    // A header that would be longer than the file.
    bytes[..8].copy_from_slice(&(whole as u64).to_le_bytes());
    fs::write(&path, &bytes[..whole]).unwrap();
    assert!(matches!(read(&path, &LoadOptions::new()), Err(Error::Format { .. })));
}

//! Files with other names and other types of numbers, and with numbers that are not finite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use tempfile::TempDir;

use super::tests::{
    GRAPH, LEN, TENSORS, bits, load_bytes, load_poisoned, parameters, write_tensors,
};
use super::{LoadOptions, decode};
use crate::Error;

/// A file of this type whose tensors, in the order of their names, hold these numbers.
fn encoded(dtype: Dtype, prefix: &str, number: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let shapes: [(&str, &[usize]); 3] = [
        ("stage1.0.conv.weight", &[2, 1, 3, 3]),
        ("stage1.0.conv.bias", &[2]),
        ("fc.weight", &[3, 8]),
    ];
    let mut start = 0;
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .iter()
        .map(|(name, shape)| {
            let len: usize = shape.iter().product();
            let bytes = (start..start + len).flat_map(&number).collect();
            start += len;
            (format!("{prefix}{name}"), shape.to_vec(), bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(dtype, shape.clone(), bytes).unwrap())
    });
    serialize(views, None).unwrap()
}

fn plain(prefix: &str) -> Vec<u8> {
    encoded(Dtype::F32, prefix, |i| parameters()[i].to_le_bytes().to_vec())
}

fn decode_with(bytes: &[u8], options: &LoadOptions) -> Result<Vec<f32>, Error> {
    let mut numbers = vec![f32::NAN; LEN];
    let result = decode(bytes, options, &GRAPH, &TENSORS, &mut numbers);
    if result.is_err() {
        assert!(numbers.iter().all(|number| number.is_nan()), "half loaded");
    }
    result.map(|_| numbers)
}

#[test]
fn numbers_of_other_sizes_are_converted() {
    // 1.5, -3, 2⁻²⁴ (the smallest of f16), and the largest of each.
    let f16 = [0x3e00u16, 0xc200, 0x0001, 0x7bff];
    let bytes = encoded(Dtype::F16, "", |i| f16[i % 4].to_le_bytes().to_vec());
    let expected = [1.5, -3.0, 2f32.powi(-24), 65504.0];
    let numbers = load_bytes(&bytes).unwrap().0;
    assert!((0..LEN).all(|i| numbers[i] == expected[i % 4]), "{numbers:?}");

    let bf16 = [0x3fc0u16, 0xc040, 0x0001, 0x7f7f];
    let bytes = encoded(Dtype::BF16, "", |i| bf16[i % 4].to_le_bytes().to_vec());
    let expected = [0x3fc0_0000, 0xc040_0000, 0x0001_0000, 0x7f7f_0000].map(f32::from_bits);
    let numbers = load_bytes(&bytes).unwrap().0;
    assert!((0..LEN).all(|i| numbers[i] == expected[i % 4]), "{numbers:?}");

    let bytes = encoded(Dtype::F64, "", |i| f64::from(parameters()[i]).to_le_bytes().to_vec());
    assert_eq!(bits(&load_bytes(&bytes).unwrap().0), bits(&parameters()));
}

#[test]
fn numbers_that_are_not_finite_are_an_error_unless_allowed() {
    let [nan, infinite] = [f32::NAN, f32::NEG_INFINITY];
    let mut numbers = parameters();
    // Row 1, column 2 of `fc.weight`, and further on; `stage1.0.conv.bias` too.
    (numbers[20 + 8 + 2], numbers[20 + 17], numbers[43], numbers[19]) = (infinite, nan, nan, nan);
    let bytes = encoded(Dtype::F32, "", |i| numbers[i].to_le_bytes().to_vec());
    match load_bytes(&bytes).unwrap_err() {
        Error::NotFiniteWeights { tensor, count: 1, of: 2, position, value, others: 1, .. } => {
            assert_eq!((tensor.as_str(), &position[..]), ("stage1.0.conv.bias", &[1][..]));
            assert!(value.is_nan());
        }
        other => panic!("{other:?}"),
    }
    numbers[19] = 0.0;
    let bytes = encoded(Dtype::F32, "", |i| numbers[i].to_le_bytes().to_vec());
    assert_eq!(
        decode_with(&bytes, &LoadOptions::new()).unwrap_err().to_string(),
        "the bytes: `fc.weight` has 3 of 24 numbers that are not finite as f32, the first at [1, 2]: \
         -inf\n  help: to load them nevertheless: `Small::from_bytes_with(bytes, \
         &LoadOptions::new().allow_not_finite())`"
    );
    let loaded = decode_with(&bytes, &LoadOptions::new().allow_not_finite()).unwrap();
    assert_eq!(bits(&loaded), bits(&numbers));

    for (dtype, bad) in [
        (Dtype::F16, 0x7c00u16.to_le_bytes().to_vec()),
        (Dtype::F16, 0xfe01u16.to_le_bytes().to_vec()),
        (Dtype::BF16, 0xff80u16.to_le_bytes().to_vec()),
        (Dtype::F64, 1e300f64.to_le_bytes().to_vec()),
        (Dtype::F64, f64::NAN.to_le_bytes().to_vec()),
    ] {
        let number = |i| if i == 3 { bad.clone() } else { vec![0; bad.len()] };
        let bytes = encoded(dtype, "", number);
        match load_bytes(&bytes).unwrap_err() {
            Error::NotFiniteWeights { position, value, .. } => {
                assert_eq!(position, [0, 0, 1, 0]);
                assert!(!value.is_finite() || value == 1e300, "{value}");
            }
            other => panic!("{other:?}"),
        }
        let loaded = decode_with(&bytes, &LoadOptions::new().allow_not_finite()).unwrap();
        assert!(!loaded[3].is_finite() && loaded[4] == 0.0);
    }
}

/// The last line of the error, in which the call stands.
#[track_caller]
fn help(bytes: &[u8], options: &LoadOptions) -> Option<String> {
    let error = decode_with(bytes, options).unwrap_err();
    let Error::Weights { help, .. } = &error else { panic!("{error:?}") };
    let text = error.to_string();
    assert_eq!(text.contains("\n  help: "), help.is_some(), "{text}");
    help.as_ref().map(|help| help.to_string())
}

#[test]
fn a_prefix_of_all_names_is_recognised_and_taken_off() {
    for prefix in ["module.", "_orig_mod.", "model.", "module.model.", "net.0.backbone."] {
        let bytes = plain(prefix);
        let expected = format!(
            "every name in the file starts with `{prefix}`: `Small::from_bytes_with(bytes, \
             &LoadOptions::new().strip({prefix:?}))`"
        );
        assert_eq!(help(&bytes, &LoadOptions::new()), Some(expected));
        let loaded = decode_with(&bytes, &LoadOptions::new().strip(prefix)).unwrap();
        assert_eq!(bits(&loaded), bits(&parameters()));
    }
    // One of two was asked for: the other is added to the call.
    let bytes = plain("module.model.");
    let options = LoadOptions::new().strip("module.");
    let found = help(&bytes, &options).unwrap();
    assert!(
        found.ends_with("&LoadOptions::new().strip(\"module.\").strip(\"model.\"))`"),
        "{found}"
    );
    decode_with(&bytes, &options.strip("model.")).unwrap();

    // A file names itself.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.safetensors");
    fs::write(&path, plain("module.")).unwrap();
    let text = load_poisoned(&path).unwrap_err().to_string();
    let call = format!(
        "`Small::load_with({:?}, &LoadOptions::new().strip(\"module.\"))`",
        path.display().to_string()
    );
    assert!(text.ends_with(&call), "{text}");
}

#[test]
fn names_that_the_net_has_a_prefix_of_are_recognised() {
    // The file of what the net calls `stage1.0.`.
    let bytes = write_tensors(&[
        ("conv.weight", Dtype::F32, &[2, 1, 3, 3]),
        ("conv.bias", Dtype::F32, &[2]),
    ]);
    let found = help(&bytes, &LoadOptions::new()).unwrap();
    assert!(
        found.starts_with("the file has the net's names without `stage1.0.` in front (2 of 3)"),
        "{found}"
    );
    assert!(found.ends_with(".rename(\"\", \"stage1.0.\"))`"), "{found}");
    let options = LoadOptions::new().rename("", "stage1.0.");
    match decode_with(&bytes, &options).unwrap_err() {
        Error::Weights { missing, extra, .. } => {
            assert_eq!((missing, extra), (vec!["fc.weight [3, 8]".to_owned()], vec![]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_can_be_changed_and_left_out() {
    let bytes = write_tensors(&[
        ("module.body.conv.weight", Dtype::F32, &[2, 1, 3, 3]),
        ("module.body.conv.bias", Dtype::F32, &[2]),
        ("module.fc.weight", Dtype::F32, &[3, 8]),
        ("module.fc.bias", Dtype::F32, &[3]),
        ("ema.fc.weight", Dtype::F16, &[3, 9]),
        ("module.bn.num_batches_tracked", Dtype::I64, &[]),
    ]);
    let options = LoadOptions::new()
        .strip("module.")
        .rename("body.", "stage1.0.")
        .ignore("fc.bias")
        .ignore("ema.");
    assert_eq!(decode_with(&bytes, &options).unwrap(), vec![0.0; LEN]);
    // Without the last two, both are named, with the names in the file.
    let options = LoadOptions::new().strip("module.").rename("body.", "stage1.0.");
    let text = decode_with(&bytes, &options).unwrap_err().to_string();
    assert!(text.contains("not in the net: fc.bias (in the file module.fc.bias)"), "{text}");
    assert!(text.contains("not in the net: ema.fc.weight"), "{text}");
    // `fc.` is a start of the net's names, and so no advice to leave out.
    assert!(!text.contains("help"), "{text}");

    let bytes = write_tensors(&[
        ("a.stage1.0.conv.weight", Dtype::F32, &[2, 1, 3, 3]),
        ("a.stage1.0.conv.bias", Dtype::F32, &[2]),
        ("a.fc.weight", Dtype::F32, &[3, 8]),
        ("a.head.weight", Dtype::F32, &[3, 8]),
        ("ema.x", Dtype::F32, &[3, 8]),
    ]);
    let found = help(&bytes, &LoadOptions::new()).unwrap();
    let expected =
        "the file has the net's names with `a.` in front; if it is to do without `ema.`, `head.`";
    assert!(found.starts_with(expected), "{found}");
    let options = LoadOptions::new().strip("a.").ignore("ema.").ignore("head.");
    assert!(found.contains(".strip(\"a.\").ignore(\"ema.\").ignore(\"head.\"))`"), "{found}");
    decode_with(&bytes, &options).unwrap();
    let found = help(&bytes, &LoadOptions::new().strip("a.")).unwrap();
    assert!(found.contains(".strip(\"a.\").ignore(\"ema.\").ignore(\"head.\"))`"), "{found}");
}

#[test]
fn names_that_would_be_the_same_are_an_error() {
    let bytes =
        write_tensors(&[("a.fc.weight", Dtype::F32, &[3, 8]), ("fc.weight", Dtype::F32, &[3, 8])]);
    let error = decode_with(&bytes, &LoadOptions::new().strip("a.")).unwrap_err().to_string();
    assert!(
        error.contains("`a.fc.weight` and `fc.weight` would both be read as `fc.weight`"),
        "{error}"
    );
}

#[test]
fn files_of_other_nets_get_no_wrong_advice() {
    for names in [&["w"][..], &["conv1.weight", "conv1.bias", "bn.weight"], &["fc.weight"], &[]] {
        let tensors: Vec<_> = names.iter().map(|&name| (name, Dtype::F32, &[2usize][..])).collect();
        assert_eq!(help(&write_tensors(&tensors), &LoadOptions::new()), None, "{names:?}");
    }
    // Very many names, all of which end as the net's do.
    let names: Vec<String> = (0..20_000).map(|i| format!("{i}.fc.weight")).collect();
    let tensors: Vec<_> = names.iter().map(|name| (&name[..], Dtype::F32, &[0usize][..])).collect();
    assert_eq!(help(&write_tensors(&tensors), &LoadOptions::new()), None);
}

proptest! {
    #[test]
    fn any_names_and_options_never_panic(
        names in prop::collection::btree_set("(a\\.|fc\\.|module\\.|stage1\\.0\\.)?(weight|conv|bias|ü)?", 0..6),
        rules in prop::collection::vec(("(a\\.|fc|module\\.|ü)?", "(b|fc\\.)?", any::<bool>()), 0..4),
        dtype in prop::sample::select(vec![Dtype::F16, Dtype::F64, Dtype::I8]),
    ) {
        let tensors: Vec<_> = names.iter().map(|name| (&name[..], dtype, &[3usize, 8][..])).collect();
        let options = rules.into_iter().fold(LoadOptions::new(), |options, (from, to, ignore)| {
            if ignore { options.ignore(from) } else { options.rename(from, to) }
        });
        let error = decode_with(&write_tensors(&tensors), &options).unwrap_err();
        let expected = matches!(error, Error::Weights { .. } | Error::Format { .. });
        prop_assert!(expected, "{error}");
    }

    #[test]
    fn a_changed_byte_of_halves_never_panics(at in any::<proptest::sample::Index>(), byte: u8) {
        let mut bytes = encoded(Dtype::F16, "module.", |i| vec![i as u8, 0x3c]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode_with(&bytes, &LoadOptions::new().strip("module."));
    }
}

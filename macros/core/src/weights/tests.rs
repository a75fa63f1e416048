use std::str::FromStr;

use proc_macro2::{Ident, Span, TokenStream};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;

use super::*;

/// A file with this header.
fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(numbers);
    bytes
}

const HEADER: &str = r#" {"__metadata__": {"class_names": "[\"a\", \"\\u00e9 \\ud83d\\ude00\"]",
    "mean": "[0.5, -1e-3]", "std": "[1, 0.25]", "other": "x"},
    "fc.weight": {"dtype": "F32", "shape": [2, 1], "data_offsets": [4, 12]},
    "fc.bias": {"shape": [2], "dtype": "F16", "data_offsets": [0, 4]}} "#;

#[test]
fn a_header_is_read() {
    let header = header::read(&file(HEADER, &[0; 12])).unwrap();
    assert_eq!(header.start, 8 + HEADER.len());
    let read: Vec<_> = header
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), t.dtype.as_str(), t.shape.as_slice(), t.range))
        .collect();
    let expected: [(&str, &str, &[usize], [usize; 2]); 2] =
        [("fc.bias", "F16", &[2], [0, 4]), ("fc.weight", "F32", &[2, 1], [4, 12])];
    assert_eq!(read, expected);
    assert_eq!(header.class_names, ["a", "é 😀"]);
    let normalization = header.normalization.unwrap();
    assert_eq!((normalization.mean, normalization.std), (vec![0.5, -1e-3], vec![1.0, 0.25]));
    // The library reads the same.
    let bytes = file(HEADER, &[0; 12]);
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().len(), 2);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let says = |bytes: &[u8], at: usize, problem: &str| {
        assert_eq!(header::read(bytes).unwrap_err(), (at, problem.to_owned()));
    };
    let start =
        "the file ends here; a safetensors file starts with the 8 bytes of its header's length";
    says(&[1, 2, 3], 3, start);
    says(
        &[0xff; 9],
        0,
        &format!("this is no safetensors file: it would have a header of {} bytes", u64::MAX),
    );
    says(&file("{}", &[])[..9], 9, "the file ends here; its header has 2 bytes");
    says(&file("{}", &[0]), 10, "the file goes on; by its header it ends here");
    let all = file(HEADER, &[0; 12]);
    says(
        &all[..all.len() - 1],
        all.len() - 1,
        &format!("the file ends here; by its header it has {} bytes", all.len()),
    );
    says(&file("[]", &[]), 8, "expected `{`");
    says(&file("{\"a\": {}}", &[]), 16, "`a` lacks its type, its shape or its place");
    says(&file("{} x", &[]), 11, "expected the end");
    let tensor = |shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let place = "`a` has no place of its own in the file";
    says(&file(&tensor("[2]", "[0,4]"), &[0; 4]), 8, place);
    says(&file(&tensor("[1]", "[4,8]"), &[0; 8]), 8, place);
    says(&file(&tensor("[0]", "[4,0]"), &[0; 4]), 8, place);
    says(&file(&tensor("[4294967296, 4294967296, 2]", "[0,4]"), &[0; 4]), 8, place);
    let negative = tensor("[-1]", "[0,4]");
    let at = 8 + negative.find('-').unwrap();
    says(&file(&negative, &[0; 4]), at, "expected a whole number");
    let more = file(r#"{"a":{"strides": 1}}"#, &[]);
    assert!(header::read(&more).unwrap_err().1.contains("`a` has a `strides`"));
    let metadata = |text: &str| file(&format!("{{\"__metadata__\": {{{text}}}}}"), &[]);
    says(
        &metadata(r#""class_names": "[1]""#),
        8,
        "`class_names` in `__metadata__` is no JSON array of strings",
    );
    says(&metadata(r#""mean": "[1]""#), 8, "`__metadata__` has 1 numbers of `mean` and 0 of `std`");
    says(
        &metadata(r#""mean": "[1]", "std": "[0]""#),
        8,
        "`std` in `__metadata__` holds 0, which is not above 0",
    );
    says(
        &metadata(r#""mean": "[1e99]", "std": "[1]""#),
        8,
        "`mean` in `__metadata__` is no JSON array of numbers that fit in f32",
    );
}

/// Where both read a file they find the same tensors, and what the library refuses is refused.
#[test]
fn the_library_agrees_about_damaged_files() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let whole = file(HEADER, &[0; 12]);
    let pieces: [&[u8]; 8] =
        [b"[", b"}", b"\"", b"\\u00", b"18446744073709551616", b"-", b"[[[[", b","];
    let (mut read, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..3) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..3) {
                0 => bytes[at] = random.random(),
                1 => {
                    drop(bytes.splice(
                        at..at,
                        pieces[random.random_range(0..pieces.len())].iter().copied(),
                    ))
                }
                _ => drop(bytes.splice(at..(at + 3).min(bytes.len()), [])),
            }
        }
        if random.random() && bytes.len() > 20 {
            // Else nearly all have another length than the first bytes say.
            let length = (bytes.len() - 20) as u64;
            bytes[..8].copy_from_slice(&length.to_le_bytes());
        }
        let ours = header::read(&bytes);
        match (ours, SafeTensors::deserialize(&bytes)) {
            (Ok(ours), Ok(theirs)) => {
                read += 1;
                assert_eq!(ours.tensors.len(), theirs.len());
                for tensor in &ours.tensors {
                    let view = theirs.tensor(&tensor.name).unwrap();
                    assert_eq!(view.shape(), tensor.shape);
                    assert_eq!(view.data().len(), tensor.range[1] - tensor.range[0]);
                }
            }
            // Types that no net has are left to the check of the net's tensors.
            (Ok(_), Err(error)) if error.to_string().contains("unknown variant") => {}
            (Ok(_), Err(error)) => {
                panic!("read, though {error}: {}", String::from_utf8_lossy(&bytes))
            }
            (Err(_), _) => refused += 1,
        }
    }
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
    // No file exhausts the stack.
    let deep = format!("{{\"a\": {{\"shape\": {}", "[".repeat(1_000_000));
    assert!(header::read(&file(&deep, &[])).is_err());
}

#[test]
fn numbers_that_are_not_finite_are_found_in_every_type() {
    let of = |dtype: &str, numbers: &[u8]| {
        let size = typenet_shape::size_of_number(dtype).unwrap();
        let (count, bytes) = (numbers.len() / size, numbers.len());
        let header = format!(
            r#"{{"a":{{"dtype":"{dtype}","shape":[1,{count}],"data_offsets":[0,{bytes}]}}}}"#
        );
        let bytes = file(&header, numbers);
        numbers::not_finite(&header::read(&bytes).unwrap(), &bytes)
    };
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    assert_eq!(of("F32", &bytes(&[0.0, -1.0, f32::MAX, f32::MIN_POSITIVE / 2.0])), None);
    let found = "2 numbers are not finite in `a` (of 3), the first at [0, 1]";
    assert_eq!(of("F32", &bytes(&[0.0, f32::NAN, f32::NEG_INFINITY])).as_deref(), Some(found));
    let found = "1 number is not finite in `a` (of 2), the first at [0, 1]";
    assert_eq!(of("F16", &[0xff, 0x7b, 0x00, 0x7c]).as_deref(), Some(found));
    assert_eq!(of("BF16", &[0xff, 0x7b, 0x80, 0x7f]).as_deref(), Some(found));
    let double =
        |numbers: &[f64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    assert_eq!(of("F64", &double(&[1.0, 1e39])).as_deref(), Some(found));
    assert_eq!(of("F64", &double(&[1.0, -1e38])), None);
}

/// The compile errors of a declaration with this attribute, and whether `pretrained` is there.
fn expanded(attributes: &str, generics: &str) -> (Vec<String>, bool) {
    let hidden = if generics.is_empty() { "4" } else { "N" };
    let text = format!(
        "{attributes} pub struct Line{generics}: [3] -> [2] {{ fc1: linear({hidden}), fc: linear(2) }}"
    );
    let tokens = crate::network(TokenStream::from_str(&text).unwrap()).to_string();
    let errors = tokens.split("compile_error !").skip(1);
    let errors = errors.map(|rest| rest.split(" }").next().unwrap_or_default().to_owned());
    (errors.collect(), tokens.contains("fn pretrained"))
}

#[test]
fn a_missing_file_is_one_error_and_the_function_is_there() {
    let (errors, there) = expanded("#[weights(\"no/such.safetensors\")]", "");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("`no/such.safetensors` cannot be read: there is no such file"));
    assert!(errors[0].contains("looked for ") && there);
    let (errors, there) = expanded("#[weights(\"src\")]", "");
    assert!(errors.len() == 1 && errors[0].contains("`src` cannot be read") && there, "{errors:?}");
    let generics = expanded("#[weights(\"no/such.safetensors\")]", "<const N: usize>");
    assert!(generics.0.len() == 1 && generics.0[0].contains("has const generics") && generics.1);
}

#[test]
fn a_condition_goes_before_everything() {
    let attribute = "#[cfg_attr(feature = \"x\", weights(\"no/such.safetensors\"))]";
    let text = format!("{attribute} struct Line: [3] -> [2] {{ fc: linear(2) }}");
    let tokens = crate::network(TokenStream::from_str(&text).unwrap()).to_string();
    assert_eq!(tokens.matches("# [cfg (feature = \"x\")]").count(), 2, "{tokens}");
}

#[test]
fn other_forms_are_shown_the_right_one() {
    for attribute in
        ["#[weights]", "#[weights()]", "#[weights(net)]", "#[weights(1)]", "#[weights(\"\")]"]
    {
        let (errors, _) = expanded(attribute, "");
        assert!(
            errors.len() == 1 && errors[0].contains("write `#[weights(\\\"net.safetensors\\\")]`"),
            "{errors:?}"
        );
    }
    let (errors, _) = expanded("#[weights = \"a.safetensors\"]", "");
    assert!(
        errors.len() == 1 && errors[0].contains("write `#[weights(\\\"a.safetensors\\\")]`"),
        "{errors:?}"
    );
    let (errors, _) = expanded("#[weights(\"a\")] #[weights(\"b\")]", "");
    assert!(errors.iter().any(|error| error.contains("stands here twice")), "{errors:?}");
}

#[test]
fn the_place_is_the_path() {
    let attribute = Attribute { path: "a".into(), span: Span::call_site(), condition: None };
    let net = Ident::new("Net", Span::call_site());
    assert!(of_generic_net(&attribute, &net).message.starts_with("`Net` has const generics"));
}

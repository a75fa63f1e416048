#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
use tempfile::TempDir;
use typenet_shape::{Graph, Node, Op, Padding, Shape, Tensor};

use super::{LoadOptions, load, replace, save};
use crate::{Error, Metadata, Normalization};

pub(super) const GRAPH: Graph<'static> = Graph::new(
    "Small",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[1, 4, 4]) }, inputs: &[] },
        Node {
            name: "stage1.0.conv",
            op: Op::Conv2d {
                out_channels: 2,
                kernel: [3, 3],
                stride: [1, 1],
                padding: Padding::Zeros([0, 0]),
                dilation: [1, 1],
                groups: 1,
                bias: true,
            },
            inputs: &[0],
        },
        Node { name: "flatten", op: Op::Flatten, inputs: &[1] },
        Node { name: "fc", op: Op::Linear { out_features: 3, bias: false }, inputs: &[2] },
    ],
);
pub(super) static TENSORS: [Tensor; 3] = GRAPH.tensors::<4, 3>();
pub(super) const LEN: usize = 18 + 2 + 24;

pub(super) fn parameters() -> Vec<f32> {
    let mut parameters: Vec<f32> = (0..LEN).map(|i| i as f32 / 7.0 - 2.0).collect();
    parameters[0] = -0.0;
    parameters[1] = f32::MIN_POSITIVE / 4.0;
    parameters[2] = f32::MAX;
    parameters
}

fn metadata() -> Metadata {
    Metadata {
        class_names: vec!["cat".into(), "a \"quoted\", \\ name\n".into(), "🦊 ü".into(), "".into()],
        normalization: Some(Normalization { mean: vec![0.1307, -3e-9], std: vec![0.3081, 1e30] }),
    }
}

pub(super) fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn saved() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("small.safetensors");
    save(&path, &GRAPH, &TENSORS, &parameters(), &metadata()).unwrap();
    (folder, path)
}

/// Loads into NaN, and checks that an error leaves all of them.
pub(super) fn load_poisoned(path: &Path) -> Result<(Vec<f32>, Metadata), Error> {
    let mut numbers = vec![f32::NAN; LEN];
    match load(path, &LoadOptions::new(), &GRAPH, &TENSORS, &mut numbers) {
        Ok(metadata) => Ok((numbers, metadata)),
        Err(error) => {
            assert!(numbers.iter().all(|number| number.is_nan()), "half loaded: {error}");
            Err(error)
        }
    }
}

pub(super) fn load_bytes(bytes: &[u8]) -> Result<(Vec<f32>, Metadata), Error> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bytes.safetensors");
    fs::write(&path, bytes).unwrap();
    load_poisoned(&path)
}

pub(super) fn write_tensors(tensors: &[(&str, Dtype, &[usize])]) -> Vec<u8> {
    let zeros = [0; 4096];
    let views = tensors.iter().map(|&(name, dtype, shape)| {
        let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (name, TensorView::new(dtype, shape.to_vec(), &zeros[..bytes]).unwrap())
    });
    serialize(views, None).unwrap()
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let (_folder, path) = saved();
    let (numbers, found) = load_poisoned(&path).unwrap();
    assert_eq!(bits(&numbers), bits(&parameters()));
    assert_eq!(found, metadata());
}

#[test]
fn a_net_without_metadata_has_none_after_loading() {
    let (_folder, path) = saved();
    save(&path, &GRAPH, &TENSORS, &parameters(), &Metadata::default()).unwrap();
    assert_eq!(load_poisoned(&path).unwrap().1, Metadata::default());
}

#[test]
fn the_same_net_gives_the_same_bytes() {
    let (_folder, path) = saved();
    let first = fs::read(&path).unwrap();
    save(&path, &GRAPH, &TENSORS, &parameters(), &metadata()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
}

#[test]
fn other_programs_find_the_tensors_by_name() {
    let (_folder, path) = saved();
    let bytes = fs::read(path).unwrap();
    assert_eq!((bytes[0] as usize) % 8, 0);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(names, ["fc.weight", "stage1.0.conv.bias", "stage1.0.conv.weight"]);
    let weight = file.tensor("fc.weight").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (Dtype::F32, &[3, 8][..]));
    let (numbers, _) = weight.data().as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    assert_eq!(numbers, parameters()[20..]);
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let texts = header.metadata().as_ref().unwrap();
    let names: Vec<String> = serde_json::from_str(&texts["class_names"]).unwrap();
    assert_eq!(names, metadata().class_names);
    assert_eq!(texts.len(), 3);
}

#[test]
fn files_of_other_programs_load() {
    let bytes = write_tensors(&[
        ("fc.weight", Dtype::F32, &[3, 8]),
        ("stage1.0.conv.weight", Dtype::F32, &[2, 1, 3, 3]),
        ("stage1.0.conv.bias", Dtype::F32, &[2]),
    ]);
    let (numbers, found) = load_bytes(&bytes).unwrap();
    assert_eq!(numbers, vec![0.0; LEN]);
    assert_eq!(found, Metadata::default());
}

#[test]
fn all_tensors_that_do_not_fit_are_named_at_once() {
    let bytes = write_tensors(&[
        ("fc.weight", Dtype::F32, &[8, 3]),
        ("fc.bias", Dtype::F32, &[3]),
        ("bn.running_mean", Dtype::F32, &[2]),
        ("stage1.0.conv.bias", Dtype::I32, &[2]),
    ]);
    let error = load_bytes(&bytes).unwrap_err();
    let Error::Weights { net, missing, extra, misshaped, .. } = &error else { panic!("{error:?}") };
    assert_eq!(net, "Small");
    assert_eq!(missing, &["stage1.0.conv.weight [2, 1, 3, 3]"]);
    assert_eq!(extra, &["bn.running_mean", "fc.bias"]);
    assert_eq!(
        misshaped,
        &[
            "stage1.0.conv.bias: F32 [2] in the net, I32 [2] in the file",
            "fc.weight: [3, 8] in the net, [8, 3] in the file",
        ]
    );
    let text = error.to_string();
    for name in missing.iter().chain(extra).chain(misshaped) {
        assert!(text.contains(name.as_str()), "{text}");
    }
}

#[test]
fn numbers_of_no_float_type_that_is_read_are_another_type() {
    for dtype in [Dtype::I16, Dtype::U16, Dtype::I32, Dtype::I64, Dtype::F8_E4M3, Dtype::BOOL] {
        let bytes = write_tensors(&[
            ("fc.weight", dtype, &[3, 8]),
            ("stage1.0.conv.weight", dtype, &[2, 1, 3, 3]),
            ("stage1.0.conv.bias", dtype, &[2]),
        ]);
        let Err(Error::Weights { missing, extra, misshaped, .. }) = load_bytes(&bytes) else {
            panic!("{dtype} was loaded as F32");
        };
        assert_eq!((missing.len(), extra.len(), misshaped.len()), (0, 0, 3));
    }
}

#[test]
fn every_truncation_says_where_the_file_ends() {
    let (_folder, path) = saved();
    let bytes = fs::read(path).unwrap();
    for len in 0..bytes.len() {
        match load_bytes(&bytes[..len]) {
            Err(Error::Format { offset, problem, .. }) => {
                assert_eq!(offset, len as u64, "{problem}");
                assert!(problem.contains("ends here"), "{problem}");
            }
            other => panic!("{len} bytes: {other:?}"),
        }
    }
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let (_folder, path) = saved();
    let mut bytes = fs::read(path).unwrap();
    let len = bytes.len() as u64;
    bytes.extend([1, 2, 3]);
    match load_bytes(&bytes) {
        Err(Error::Format { offset, .. }) => assert_eq!(offset, len),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_header_of_any_length_is_an_error_and_not_an_allocation() {
    for length in [9, 1 << 20, 100_000_001, u64::MAX] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(b"{}      ");
        match load_bytes(&bytes) {
            Err(Error::Format { problem, .. }) => {
                assert!(problem.contains(&length.to_string()), "{problem}");
            }
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn other_files_are_no_weights() {
    for bytes in [&b"PK\x03\x04 a zip archive"[..], b"\0\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\0[]"] {
        assert!(matches!(load_bytes(bytes), Err(Error::Format { .. })));
    }
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing.safetensors");
    let error = load_poisoned(&missing).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("missing.safetensors"));
    assert!(matches!(load_poisoned(folder.path()), Err(Error::Io { .. })));
}

#[test]
fn metadata_of_another_meaning_is_an_error() {
    let texts = [
        &[("class_names", "cat, dog")][..],
        &[("class_names", "[1, 2]")],
        &[("mean", "[0.5]")],
        &[("mean", "[0.5]"), ("std", "[0.5, 0.5]")],
        &[("mean", "[0.5]"), ("std", "[0.0]")],
        &[("mean", "[1e39]"), ("std", "[1.0]")],
        &[("mean", "[null]"), ("std", "[1.0]")],
    ];
    let load_with = |texts: &[(&str, &str)]| {
        let texts = texts.iter().map(|&(key, text)| (key.to_string(), text.to_string())).collect();
        let none: [(&str, TensorView<'_>); 0] = [];
        load_bytes(&serialize(none, Some(texts)).unwrap())
    };
    for texts in texts {
        let error = load_with(texts).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{texts:?}: {error}");
        let named = texts.iter().any(|(key, _)| error.to_string().contains(&format!("`{key}`")));
        assert!(named, "{texts:?}: {error}");
    }
    // Nothing wrong with these but the tensors.
    for texts in [&[("format", "pt")][..], &[("mean", "[1]"), ("std", "[2]")]] {
        assert!(matches!(load_with(texts), Err(Error::Weights { .. })));
    }
}

#[test]
fn a_normalization_that_could_not_be_loaded_is_not_saved() {
    let (_folder, path) = saved();
    let before = fs::read(&path).unwrap();
    for (mean, std) in [(f32::NAN, 1.0), (0.0, f32::INFINITY), (0.0, 0.0), (0.0, f32::NAN)] {
        let normalization = Some(Normalization { mean: vec![mean], std: vec![std] });
        let metadata = Metadata { class_names: Vec::new(), normalization };
        let result = save(&path, &GRAPH, &TENSORS, &parameters(), &metadata);
        assert!(matches!(result, Err(Error::Argument { .. })), "{mean} {std}");
    }
    let normalization = Some(Normalization { mean: vec![0.0], std: Vec::new() });
    let metadata = Metadata { class_names: Vec::new(), normalization };
    let result = save(&path, &GRAPH, &TENSORS, &parameters(), &metadata);
    assert!(matches!(result, Err(Error::Size { .. })));
    assert_eq!(fs::read(path).unwrap(), before);
}

#[test]
fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
    let (folder, path) = saved();
    let before = fs::read(&path).unwrap();
    let result = replace(&path, |file| {
        file.write_all(&[7; 1 << 20])?;
        Err(std::io::Error::other("the disk is full"))
    });
    assert!(result.unwrap_err().to_string().contains("small.safetensors: the disk is full"));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_is_missing_or_in_the_way_is_an_error() {
    let folder = TempDir::new().unwrap();
    let empty = Metadata::default();
    let inside = folder.path().join("missing").join("a.safetensors");
    for path in [inside.as_path(), folder.path(), Path::new("")] {
        let result = save(path, &GRAPH, &TENSORS, &parameters(), &empty);
        assert!(matches!(result, Err(Error::Io { .. })), "{}", path.display());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn permissions_are_those_of_any_new_file_or_of_the_old_one() {
        let (folder, path) = saved();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        assert_eq!(mode(&path), mode(&plain));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        save(&path, &GRAPH, &TENSORS, &parameters(), &metadata()).unwrap();
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn a_link_stays_a_link() {
        let (folder, path) = saved();
        let link = folder.path().join("latest");
        symlink(&path, &link).unwrap();
        save(&link, &GRAPH, &TENSORS, &[1.0; LEN], &metadata()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(load_poisoned(&path).unwrap().0, [1.0; LEN]);
    }

    #[test]
    fn a_device_is_not_replaced() {
        let null = Path::new("/dev/null");
        let result = save(null, &GRAPH, &TENSORS, &parameters(), &metadata());
        assert!(matches!(result, Err(Error::Io { .. })));
        assert!(fs::metadata(null).unwrap().file_type().is_char_device());
    }
}

proptest! {
    #[test]
    fn a_changed_byte_never_panics(at in any::<proptest::sample::Index>(), byte: u8) {
        let (_folder, path) = saved();
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // Either an error, in which case load_poisoned checks that nothing is half loaded, or
        // every number was read.
        if let Ok((numbers, _)) = load_bytes(&bytes) {
            let changed = numbers.iter().zip(parameters()).filter(|(a, b)| a.to_bits() != b.to_bits());
            prop_assert!(changed.count() <= 1);
        }
    }

    #[test]
    fn any_names_and_normalization_survive(
        class_names: Vec<String>,
        channels in prop::collection::vec((-1e30f32..1e30, 1e-30f32..1e30), 0..5),
    ) {
        let (mean, std) = channels.into_iter().unzip();
        let normalization = Some(Normalization { mean, std });
        let metadata = Metadata { class_names, normalization };
        let (_folder, path) = saved();
        save(&path, &GRAPH, &TENSORS, &parameters(), &metadata).unwrap();
        prop_assert_eq!(load_poisoned(&path).unwrap().1, metadata);
    }
}

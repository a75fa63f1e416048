//! Reading IDX files: good ones, and everything that can be wrong with one.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use typenet_runtime::data::{ArrayShape, Dataset};
use typenet_runtime::{Error, Result};

type Image = [[[f32; 2]; 3]; 1];

fn idx(dims: &[u32], content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|dim| bytes.extend(dim.to_be_bytes()));
    bytes.extend(content);
    bytes
}

/// Four images of 3×2: byte `i` of them all is `10 i`.
fn images() -> Vec<u8> {
    idx(&[4, 3, 2], &(0..24).map(|i| 10 * i).collect::<Vec<u8>>())
}

fn labels() -> Vec<u8> {
    idx(&[4], &[2, 0, 1, 2])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read_as<I: ArrayShape>(images: &[u8], labels: &[u8]) -> Result<Dataset<I>> {
    Dataset::from_idx_bytes("test", images, labels, 3)
}

fn read(images: &[u8], labels: &[u8]) -> Result<Dataset<Image>> {
    read_as(images, labels)
}

/// The place and the problem of a format error of the file `name`.
#[track_caller]
fn format_error<T>(result: Result<T>, name: &str) -> (u64, String) {
    match result {
        Err(Error::Format { path, offset, problem }) => {
            assert_eq!(path, Path::new(name));
            (offset, problem)
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn images_and_labels_are_read_in_order() {
    let data = read(&images(), &labels()).unwrap();
    assert_eq!(data.targets(), [2, 0, 1, 2]);
    assert_eq!(data.len(), 4);
    let expected = |i: usize| 10.0 * i as f32 / 255.0;
    for (i, image) in data.inputs().iter().enumerate() {
        for row in 0..3 {
            for column in 0..2 {
                assert_eq!(image[0][row][column], expected(6 * i + 2 * row + column));
            }
        }
    }
    assert_eq!(data.normalization(), None);
}

#[test]
fn gzip_is_known_by_its_bytes_and_not_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    // The wrong way round on purpose.
    let (images_path, labels_path) =
        (folder.path().join("images"), folder.path().join("labels.gz"));
    std::fs::write(&images_path, gzip(&images())).unwrap();
    std::fs::write(&labels_path, labels()).unwrap();
    let data = Dataset::<Image>::from_idx(&images_path, &labels_path, 3).unwrap();
    assert!(data == read(&images(), &labels()).unwrap());
}

#[test]
fn readers_may_give_a_byte_at_a_time() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }
    for compress in [|bytes: &[u8]| bytes.to_vec(), gzip] {
        let (images, labels) = (compress(&images()), compress(&labels()));
        let data =
            Dataset::<Image>::from_idx_readers("a", Slow(&images), "b", Slow(&labels), 3).unwrap();
        assert_eq!(data.targets(), [2, 0, 1, 2]);
    }
}

#[test]
fn a_channel_of_one_may_be_missing_and_flat_inputs_take_any_image() {
    let flat: Vec<u8> = (0..24).collect();
    for dims in [&[4, 3, 2][..], &[4, 1, 3, 2]] {
        let file = idx(dims, &flat);
        assert!(read_as::<[[[f32; 2]; 3]; 1]>(&file, &labels()).is_ok(), "{dims:?}");
        assert!(read_as::<[[f32; 2]; 3]>(&file, &labels()).is_ok(), "{dims:?}");
        assert!(read_as::<[f32; 6]>(&file, &labels()).is_ok(), "{dims:?}");
    }
    assert!(read_as::<[f32; 6]>(&idx(&[4, 6], &flat), &labels()).is_ok());
    let channels = idx(&[4, 3, 2, 1], &flat);
    let data = read_as::<[[[f32; 1]; 2]; 3]>(&channels, &labels()).unwrap();
    assert_eq!(data.inputs()[1][2][1][0], 11.0 / 255.0);
}

#[test]
fn images_of_another_size_are_an_error() {
    let flat = [0; 24];
    // As many numbers as the net wants, but not in its shape.
    for dims in [&[4, 2, 3][..], &[4, 6], &[4, 1, 6], &[4, 3, 2, 1], &[4, 3, 1, 2], &[4, 0, 2]] {
        let error = read(&idx(dims, &flat), &labels()).unwrap_err();
        let Error::Size { what, expected, .. } = &error else { panic!("{dims:?}: {error:?}") };
        assert_eq!(what, "test images: at byte 8: size of an image");
        assert_eq!(expected, "[1, 3, 2]");
    }
    let error = read_as::<[f32; 7]>(&images(), &labels()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test images: at byte 8: size of an image: expected [7], found [3, 2]"
    );
}

#[test]
fn files_of_another_kind_are_an_error() {
    let cases: [(&[u8], u64, &str); 6] = [
        (b"", 0, "empty"),
        (b"\0\0\x08", 3, "ends here"),
        (b"\x89PNG", 0, "89 50"),
        (b"\0\0\x0d\x03\0\0\0\x04", 2, "0x0d"),
        (b"\0\0\x08\x05\0\0\0\x04", 3, "5 dimensions"),
        (b"\0\0\x08\x03\0\0\0\x04", 8, "16 bytes"),
    ];
    for (bytes, at, text) in cases {
        let (offset, problem) = format_error(read(bytes, &labels()), "test images");
        assert_eq!(offset, at, "{problem}");
        assert!(problem.contains(text), "{problem}");
    }
    let (offset, problem) = format_error(read(&images(), b""), "test labels");
    assert_eq!((offset, problem.contains("empty")), (0, true), "{problem}");
    // Images and labels the wrong way round.
    let (offset, problem) = format_error(read(&labels(), &images()), "test images");
    assert_eq!((offset, problem.contains("1 dimensions")), (3, true), "{problem}");
    let (offset, _) = format_error(read(&idx(&[0, 3, 2], &[]), &idx(&[0], &[])), "test images");
    assert_eq!(offset, 4);
}

#[test]
fn a_truncated_file_says_where_and_what_was_expected() {
    let full = images();
    for len in 16..full.len() {
        let (offset, problem) = format_error(read(&full[..len], &labels()), "test images");
        assert_eq!(offset, len as u64);
        assert!(problem.contains("40 bytes"), "{problem}");
    }
    let (offset, problem) = format_error(read(&full, &labels()[..10]), "test labels");
    assert_eq!(offset, 10);
    assert!(problem.contains("12 bytes"), "{problem}");
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let longer = |bytes: Vec<u8>| [bytes, vec![0]].concat();
    assert_eq!(format_error(read(&longer(images()), &labels()), "test images").0, 40);
    assert_eq!(format_error(read(&images(), &longer(labels())), "test labels").0, 12);
    let compressed = gzip(&longer(images()));
    assert_eq!(format_error(read(&compressed, &labels()), "test images").0, 40);
}

#[test]
fn counts_that_differ_are_an_error() {
    let error = read(&images(), &idx(&[3], &[0, 1, 2])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test labels: at byte 4: labels for the images: expected 4, found 3"
    );
}

#[test]
fn labels_outside_the_classes_are_an_error() {
    match read(&images(), &idx(&[4], &[2, 0, 3, 9])) {
        Err(Error::Label { place, label, classes }) => {
            assert_eq!((place.as_str(), label, classes), ("test labels: at byte 10", 3, 3));
        }
        other => panic!("{other:?}"),
    }
    let none = Dataset::<Image>::from_idx_bytes("test", &images(), &labels(), 0);
    assert!(matches!(none, Err(Error::Argument { name: "classes", .. })));
}

#[test]
fn a_header_that_lies_does_not_allocate() {
    // 4 billion images of 6 bytes would be 96 GB of numbers.
    let images = idx(&[u32::MAX, 3, 2], &[0; 10]);
    let labels = idx(&[u32::MAX], &[0; 10]);
    assert_eq!(format_error(read(&images, &labels), "test labels").0, 18);
    let most = idx(&[u32::MAX, u32::MAX, u32::MAX, u32::MAX], &[]);
    assert!(matches!(read(&most, &labels), Err(Error::Size { .. })));
}

#[test]
fn damaged_gzip_data_is_an_error() {
    let compressed = gzip(&images());
    for len in 2..compressed.len() {
        let (_, problem) = format_error(read(&compressed[..len], &labels()), "test images");
        assert!(problem.contains("gzip"), "{len}: {problem}");
    }
    let mut damaged = compressed;
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let (_, problem) = format_error(read(&damaged, &labels()), "test images");
    assert!(problem.contains("gzip"), "{problem}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let labels_path = folder.path().join("labels");
    std::fs::write(&labels_path, labels()).unwrap();
    for path in [folder.path().join("missing"), folder.path().to_owned()] {
        match Dataset::<Image>::from_idx(&path, &labels_path, 3) {
            Err(Error::Io { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn fashion_mnist_loads() {
    let folder = Path::new("/usr/share/datasets/fashion-mnist");
    if !folder.exists() {
        eprintln!("skipped: Debian's package dataset-fashion-mnist is not installed");
        return;
    }
    let file = |name: &str| folder.join(format!("t10k-{name}-ubyte.gz"));
    let data =
        Dataset::<[[[f32; 28]; 28]; 1]>::from_idx(file("images-idx3"), file("labels-idx1"), 10)
            .unwrap();
    assert_eq!(data.len(), 10_000);
    for class in 0..10 {
        assert_eq!(data.targets().iter().filter(|&&label| label == class).count(), 1000);
    }
    // The training set's published mean and deviation are 0.2860 and 0.3530.
    let statistics = data.channel_statistics(1).unwrap();
    assert!((statistics.mean[0] - 0.286).abs() <= 0.005, "{statistics:?}");
    assert!((statistics.std[0] - 0.353).abs() <= 0.005, "{statistics:?}");
}

proptest! {
    #[test]
    fn every_prefix_is_an_error(
        cut in any::<prop::sample::Index>(), compress: bool, which: bool,
    ) {
        let (mut files, changed) = ([images(), labels()], usize::from(which));
        if compress {
            files[changed] = gzip(&files[changed]);
        }
        let len = cut.index(files[changed].len());
        files[changed].truncate(len);
        prop_assert!(read(&files[0], &files[1]).is_err());
    }

    #[test]
    fn a_changed_byte_never_panics(
        at in any::<prop::sample::Index>(), byte: u8, compress: bool, which: bool,
    ) {
        let (mut files, changed) = ([images(), labels()], usize::from(which));
        if compress {
            files[changed] = gzip(&files[changed]);
        }
        let at = at.index(files[changed].len());
        files[changed][at] = byte;
        if let Ok(data) = read(&files[0], &files[1]) {
            prop_assert_eq!(data.len(), 4);
        }
    }

    #[test]
    fn any_bytes_never_panic(images: Vec<u8>, labels: Vec<u8>) {
        let _ = read(&images, &labels);
        let _ = read(&[&[0, 0, 8, 3][..], &images].concat(), &[&[0, 0, 8, 1][..], &labels].concat());
        let _ = read(&[&[0x1f, 0x8b][..], &images].concat(), &labels);
    }
}

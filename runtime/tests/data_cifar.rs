//! CIFAR's binary files: good ones, and what can be wrong with them. None of the real ones are needed.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use typenet_runtime::data::{Cifar100Labels, CifarImage, Examples, Images, View};

/// Image `number`: its labels, and pixels that tell images, channels and places apart.
fn record(labels: &[u8], number: usize) -> Vec<u8> {
    let mut record = labels.to_vec();
    record.extend((0..3072).map(|i| (number * 31 + i / 1024 * 80 + i % 79) as u8));
    record
}

fn file(folder: &Path, name: &str, records: &[Vec<u8>]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, records.concat()).unwrap();
    path
}

fn cifar10(folder: &Path) {
    for batch in 0..5 {
        let records: Vec<_> =
            (0..3).map(|i| record(&[(batch * 3 + i) as u8 % 10], batch * 3 + i)).collect();
        file(folder, &format!("data_batch_{}.bin", batch + 1), &records);
    }
    file(folder, "test_batch.bin", &[record(&[9], 50), record(&[0], 51)]);
}

fn image(images: &Images<CifarImage>, index: usize) -> Vec<f32> {
    let mut numbers = vec![f32::NAN; 3072];
    images.inputs_into(View::Plain, &[index], &mut numbers).unwrap();
    numbers
}

fn expected(number: usize) -> Vec<f32> {
    record(&[], number).iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

#[test]
fn cifar10_is_read_in_the_order_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("cifar-10-batches-bin");
    fs::create_dir(&inside).unwrap();
    cifar10(&inside);
    for place in [folder.path(), inside.as_path()] {
        let (train, test) = Images::from_cifar10(place).unwrap();
        assert_eq!((train.len(), test.len()), (15, 2));
        assert!(train.labels().eq((0..15).map(|i| i % 10)));
        assert!(test.labels().eq([9, 0]));
        (0..15).for_each(|i| assert_eq!(image(&train, i), expected(i)));
        assert_eq!(image(&test, 1), expected(51));
        assert_eq!(train.class_names()[3], "cat");
        assert_eq!(test.class_names(), train.class_names());
    }
    // The folder's own names count, with the empty line that the real file ends with.
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "", ""].join("\n");
    fs::write(inside.join("batches.meta.txt"), names).unwrap();
    let (train, _) = Images::from_cifar10(&inside).unwrap();
    assert_eq!(train.class_names()[9], "j");
    fs::write(inside.join("batches.meta.txt"), "a\nb").unwrap();
    let error = Images::from_cifar10(&inside).unwrap_err().to_string();
    assert!(error.ends_with("batches.meta.txt: names of classes: expected 10, found 2"), "{error}");
}

#[test]
fn cifar100_has_two_kinds_of_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    file(path, "train.bin", &[record(&[19, 99], 0), record(&[4, 0], 1)]);
    file(path, "test.bin", &[record(&[7, 42], 2)]);
    let (train, test) = Images::from_cifar100(path, Cifar100Labels::Fine).unwrap();
    assert!(train.labels().eq([99, 0]) && test.labels().eq([42]));
    assert_eq!(image(&train, 1), expected(1));
    assert!(train.class_names().is_empty());
    let (train, _) = Images::from_cifar100(path, Cifar100Labels::Coarse).unwrap();
    assert!(train.labels().eq([19, 4]));
    let names: Vec<String> = (0..20).map(|i| format!("super{i}")).collect();
    fs::write(path.join("coarse_label_names.txt"), names.join("\n")).unwrap();
    let (train, _) = Images::from_cifar100(path, Cifar100Labels::Coarse).unwrap();
    assert_eq!(train.class_names()[19], "super19");
}

#[test]
fn a_compressed_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.bin.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&[record(&[3], 7), record(&[4], 8)].concat()).unwrap();
    fs::write(&path, encoder.finish().unwrap()).unwrap();
    let images = Images::from_cifar10_files(&[&path, &path]).unwrap();
    assert!(images.labels().eq([3, 4, 3, 4]));
    assert_eq!(image(&images, 2), expected(7));
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mistake = |bytes: Vec<u8>| {
        let file = file(path, "bad.bin", &[bytes]);
        let error = Images::from_cifar10_files(&[file]).unwrap_err().to_string();
        error.strip_prefix(&format!("{}: ", path.join("bad.bin").display())).unwrap().to_owned()
    };
    assert_eq!(mistake(vec![]), "at byte 0: the file is empty");
    assert_eq!(
        mistake([record(&[1], 0), record(&[2], 1)[..9].to_vec()].concat()),
        "at byte 3082: the file ends 9 bytes after the start of an image, which takes 3073"
    );
    assert_eq!(
        mistake([record(&[1], 0), record(&[10], 1)].concat()),
        "image 1: label 10 is outside the 10 classes 0..=9"
    );
    assert_eq!(
        mistake(record(&[1, 1], 0)),
        "at byte 3074: the file ends 1 bytes after the start of an image, which takes 3073: it is as \
         long as a file of CIFAR-100"
    );

    let missing = Images::from_cifar10(path).unwrap_err().to_string();
    assert!(missing.contains("data_batch_1.bin"), "{missing}");
    let ten = file(path, "ten.bin", &[record(&[9], 1)]);
    let error = Images::from_cifar100_files(&[ten], Cifar100Labels::Fine).unwrap_err().to_string();
    assert!(error.ends_with("it is as long as a file of CIFAR-10"), "{error}");
    assert!(Images::from_cifar10_files(&[path]).is_err(), "a folder is no file");
}

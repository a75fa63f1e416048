//! Files that are no images.

use std::fs;

use typenet_runtime::data::{Broken, Examples};
use typenet_runtime::image::ImageFormat;

use super::{ORDER, caches, check, encoded, folder, mistake, open, pets, picture, png, write};

/// A PNG file of this size with the content of a tiny one.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut file = png(1);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..29]);
    file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    file
}

/// A JPEG file of this size with the content of a tiny one.
fn jpeg_of_size(width: u16, height: u16) -> Vec<u8> {
    let mut file = encoded(&picture(1), ImageFormat::Jpeg);
    let frame = file.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

/// Content that is no image, and what is said of it.
fn bad_files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let jpeg = encoded(&picture(1), ImageFormat::Jpeg);
    let png = png(1);
    let mut wrong_crc = png.clone();
    let data = png.windows(4).position(|bytes| bytes == b"IDAT").unwrap();
    wrong_crc[data + 6] ^= 1;
    vec![
        ("empty", vec![], "the file is empty"),
        ("text", b"no image".to_vec(), "this is no image: PNG and JPEG are read"),
        ("one byte", vec![0xff], "this is no image: PNG and JPEG are read"),
        (
            "gif",
            b"GIF89a\x01\0\x01\0".to_vec(),
            "this is a file of the format Gif, not PNG or JPEG",
        ),
        (
            "cut jpeg",
            jpeg[..jpeg.len() - 20].to_vec(),
            "the JPEG data end too early: the file is truncated",
        ),
        (
            "jpeg without its end",
            jpeg[..jpeg.len() - 2].to_vec(),
            "the JPEG data end too early: the file is truncated",
        ),
        ("cut png", png[..png.len() - 25].to_vec(), ""),
        ("png with a wrong bit", wrong_crc, ""),
        ("png header alone", png[..8].to_vec(), ""),
        ("png bomb", png_of_size(60_000, 60_000), ""),
        ("png of no size", png_of_size(0, 5), ""),
        ("jpeg bomb", jpeg_of_size(65_500, 65_500), ""),
        ("jpeg of no size", jpeg_of_size(0, 0), ""),
    ]
}

#[test]
fn each_kind_of_broken_file_is_named() {
    for (name, content, problem) in bad_files() {
        let place = pets();
        write(place.path(), &format!("train/dog/{name}"), &content);
        let error = mistake(&place, &folder(&place));
        let start = format!("train/dog/{name}: {problem}");
        assert!(error.starts_with(&start), "{error}");
        let end = "\n  help: `.on_broken(Broken::Skip)` leaves such files out";
        assert!(error.ends_with(end) && error.len() > start.len() + end.len() - problem.len());
        println!("{error}");
        assert!(caches(&place).is_empty(), "no cache is left of {name}");
        assert!(mistake(&place, &folder(&place).in_memory()).starts_with(&start));

        let images = open(&folder(&place).on_broken(Broken::Skip));
        check(&images, &ORDER);
        assert_eq!(images.skipped().len(), 1);
        assert!(images.skipped()[0].path.ends_with(format!("train/dog/{name}")));
    }
}

#[test]
fn all_broken_files_are_found_at_once() {
    let place = pets();
    for (name, content, _) in bad_files() {
        write(place.path(), &format!("train/cat/{name}"), &content);
    }
    let error = mistake(&place, &folder(&place));
    assert!(error.starts_with("train/cat/cut jpeg: the JPEG data end too early"), "{error}");
    assert_eq!(error.lines().filter(|line| line.contains("train/cat/")).count(), 5, "{error}");
    let others = format!("\n  … and {} more\n", bad_files().len() - 5);
    assert!(error.contains(&others), "{error}");

    let skipping = folder(&place).on_broken(Broken::Skip);
    let first = open(&skipping);
    check(&first, &ORDER);
    assert_eq!(first.skipped().len(), bad_files().len());
    assert_eq!(first.place(3), place.path().join("train/dog/1.png").display().to_string());
    // The cache knows of them: they are left out at the next start too, or are errors there.
    let before = fs::metadata(&caches(&place)[0]).unwrap().modified().unwrap();
    let second = open(&skipping);
    check(&second, &ORDER);
    assert_eq!(second.skipped(), first.skipped());
    assert_eq!(mistake(&place, &folder(&place)), error);
    assert_eq!(fs::metadata(&caches(&place)[0]).unwrap().modified().unwrap(), before);
    let in_memory = open(&skipping.in_memory());
    assert_eq!(in_memory.skipped(), first.skipped());
}

#[test]
fn a_class_of_broken_files_is_an_error() {
    let place = pets();
    write(place.path(), "train/cow/1.png", b"no image");
    let skipping = folder(&place).on_broken(Broken::Skip);
    assert_eq!(mistake(&place, &skipping), "train/cow: every file of this class is broken");
    let images = open(&skipping.class_names(["bird", "cat", "cow", "dog"]));
    assert!(images.labels().eq([0, 1, 1, 3]));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_broken() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let place = pets();
    let cat = place.path().join("train/cat");
    symlink("nowhere", cat.join("to nothing")).unwrap();
    symlink("in a circle", cat.join("in a circle")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(cat.join("socket")).unwrap();
    let locked = write(&cat, "locked.png", &png(1));
    fs::set_permissions(&locked, fs::Permissions::from_mode(0)).unwrap();
    let is_locked = fs::read(&locked).is_err();
    let images = open(&folder(&place).on_broken(Broken::Skip));
    let problems: Vec<_> =
        images.skipped().iter().map(|skipped| skipped.problem.as_str()).collect();
    let socket = problems.len() - 2;
    assert_eq!(problems[socket..], ["this is no regular file", "this link leads to no file"]);
    if is_locked {
        check(&images, &ORDER);
        assert!(problems[1].contains("denied"), "{problems:?}");
    } else {
        println!("skipped: the one who runs this may read every file");
        check(&images, &[0, 1, 2, 1, 3]);
    }
}

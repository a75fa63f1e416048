//! Folders of images: good ones, their cache, and everything that can be wrong with them.
#![cfg(feature = "image")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "data_folder/broken.rs"]
mod broken;
#[path = "data_folder/cache.rs"]
mod cache;
#[path = "data_folder/structure.rs"]
mod structure;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use typenet_runtime::data::{Channels, Examples, ImageFolder, ImageOptions, Images, Resize, View};
use typenet_runtime::image::{ImageFormat, Rgb, RgbImage};

pub(crate) type Image = [[[f32; 5]; 4]; 3];

/// A picture of 5×4 pixels that is like no other.
pub(crate) fn picture(number: u8) -> RgbImage {
    RgbImage::from_fn(5, 4, |x, y| Rgb([number, (x * 50) as u8, (y * 60) as u8 ^ number]))
}

pub(crate) fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

pub(crate) fn png(number: u8) -> Vec<u8> {
    encoded(&picture(number), ImageFormat::Png)
}

/// The numbers of a picture: channel, row, column.
pub(crate) fn numbers(picture: &RgbImage) -> Vec<f32> {
    let planes = (0..3).flat_map(|c| picture.pixels().map(move |pixel| pixel.0[c]));
    planes.map(|byte| f32::from(byte) / 255.0).collect()
}

pub(crate) fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// A place with a folder `train` in it: two cats, a dog and a bird.
pub(crate) fn pets() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let train = place.path().join("train");
    write(&train, "cat/b.png", &png(2));
    write(&train, "cat/a.png", &png(1));
    write(&train, "dog/1.png", &png(3));
    write(&train, "bird/z.png", &png(0));
    place
}

pub(crate) const ORDER: [u8; 4] = [0, 1, 2, 3];

pub(crate) fn options() -> ImageOptions {
    ImageOptions::new(Resize::Exact, Channels::Rgb)
}

pub(crate) fn folder(place: &TempDir) -> ImageFolder {
    ImageFolder::new(place.path().join("train"), options())
}

pub(crate) fn open(folder: &ImageFolder) -> Images<Image> {
    folder.open().unwrap()
}

/// The message of the error, without the place of the test's files.
pub(crate) fn mistake(place: &TempDir, folder: &ImageFolder) -> String {
    let error = folder.open::<Image>().unwrap_err().to_string();
    error.replace(&format!("{}/", place.path().display()), "")
}

pub(crate) fn image(images: &Images<Image>, index: usize) -> Vec<f32> {
    let mut numbers = vec![f32::NAN; 60];
    images.inputs_into(View::Plain, &[index], &mut numbers).unwrap();
    numbers
}

/// Checks that the images are those of these pictures.
pub(crate) fn check(images: &Images<Image>, pictures: &[u8]) {
    assert_eq!(images.len(), pictures.len());
    for (index, &number) in pictures.iter().enumerate() {
        assert_eq!(image(images, index), numbers(&picture(number)), "picture {number}");
    }
}

/// The cache files in a place.
pub(crate) fn caches(place: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut caches: Vec<PathBuf> = entries.filter(|path| !path.is_dir()).collect();
    caches.sort();
    caches
}

//! From files to pixels.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

use ::image::{DynamicImage, ImageFormat, ImageReader};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::jpeg;
use super::scan::{Scan, Scanned, Stamp};
use crate::data::ImageOptions;
use crate::data::image::to_bytes;
use crate::data::images::moments;
use crate::{Error, Result};

/// The longest file that is taken for an image.
const LONGEST: u64 = 1 << 30;

/// How many bytes of pixels are decoded before they are written.
const AT_ONCE: usize = 1 << 24;

/// Why there are no pixels of a file.
pub(super) enum Failure {
    /// It is no image: this is wrong with it.
    Broken(String),
    /// It cannot be said whether it is one.
    Fatal(Error),
}

/// What becomes of the files.
pub(super) struct Recipe {
    /// Channels, height and width.
    pub(super) dims: [usize; 3],
    pub(super) options: ImageOptions,
}

/// What is known of the images of a folder beside their pixels.
#[derive(Default, PartialEq, Debug)]
pub(super) struct Index {
    /// Of each image that is there, in the order of the files.
    pub(super) checksums: Vec<u64>,
    /// Of each image and channel the sum of the bytes and of their squares.
    pub(super) moments: Vec<[u64; 2]>,
    /// The files that are not, by their place in the scan, and why.
    pub(super) skipped: Vec<(usize, String)>,
}

impl Recipe {
    /// The bytes of an image.
    pub(super) fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Decodes all files and gives `take` the pixels of one after the other, in their order. After a
    /// broken file, where such are not to be `skipped`, no more pixels are given, but all that are broken
    /// are found.
    pub(super) fn decode_all(
        &self,
        scan: &Scan,
        skip: bool,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Result<Index>> {
        let mut index = Index::default();
        let at_once = (AT_ONCE / self.len()).clamp(1, 4096);
        for (block, files) in scan.files.chunks(at_once).enumerate() {
            let decoded: Vec<_> = files.par_iter().map(|file| self.decode(scan, file)).collect();
            for (i, decoded) in decoded.into_iter().enumerate() {
                match decoded {
                    Ok(_) if !skip && !index.skipped.is_empty() => {}
                    Ok(pixels) => {
                        index.checksums.push(xxh3_64(&pixels));
                        let area = self.dims[1] * self.dims[2];
                        index.moments.extend(pixels.chunks_exact(area).map(moments));
                        take(&pixels)?;
                    }
                    Err(Failure::Broken(problem)) => {
                        index.skipped.push((block * at_once + i, problem));
                    }
                    Err(Failure::Fatal(error)) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(index))
    }

    /// The pixels of a file: channel, row, column.
    pub(super) fn decode(&self, scan: &Scan, file: &Scanned) -> Result<Vec<u8>, Failure> {
        let stamp = file.stamp.clone().map_err(Failure::Broken)?;
        let image = decode(&scan.path(file), stamp)?;
        let pixels = to_bytes(&self.dims, &image, &self.options)
            .map_err(|error| Failure::Broken(error.to_string()))?;
        let [channels, height, width] = self.dims;
        let area = height * width;
        let mut planes = vec![0; pixels.len()];
        for (at, pixel) in pixels.chunks_exact(channels).enumerate() {
            for (channel, &byte) in pixel.iter().enumerate() {
                planes[channel * area + at] = byte;
            }
        }
        Ok(planes)
    }
}

/// Decodes a PNG or JPEG file as [`ImageFolder`](crate::data::ImageFolder) does, for
/// [`input_from_image`](crate::Network::input_from_image). The content decides the format, and a truncated
/// file is an error, also where decoders would fill the rest with grey.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] when it is no such image, is truncated or
/// damaged, is longer than 1 GiB, or claims to be so large that decoding it would take more than 512 MiB.
///
/// ```no_run
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let image = typenet_runtime::data::read_image("cat.jpg")?;
/// println!("{}×{}", image.width(), image.height());
/// # Ok(())
/// # }
/// ```
pub fn read_image(path: impl AsRef<Path>) -> Result<DynamicImage> {
    let path = path.as_ref();
    let metadata = fs::metadata(path).map_err(Error::io(path))?;
    let decoded = if metadata.is_file() {
        decode(path, Stamp::of(&metadata))
    } else {
        broken("this is no regular file")
    };
    decoded.map_err(|failure| match failure {
        Failure::Broken(problem) => Error::file(path, problem),
        Failure::Fatal(error) => error,
    })
}

/// Decodes a file, if it is still the one that was seen.
fn decode(path: &Path, stamp: Stamp) -> Result<DynamicImage, Failure> {
    let (bytes, format) = read(path, stamp)?;
    if format == ImageFormat::Jpeg && !jpeg::is_whole(&bytes) {
        return broken("the JPEG data end too early: the file is truncated");
    }
    // With the limits of the crate: a small file can claim to be an image of many gigabytes.
    let image = ImageReader::with_format(Cursor::new(bytes), format).decode();
    image.map_err(|error| Failure::Broken(error.to_string()))
}

fn broken<T>(problem: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Broken(problem.into()))
}

/// Reads a file that starts as an image does.
fn read(path: &Path, stamp: Stamp) -> Result<(Vec<u8>, ImageFormat), Failure> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::Broken(error.to_string()),
        _ => Failure::Fatal(Error::io(path)(error)),
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // The start tells what it is, and not its name.
    file.by_ref().take(64).read_to_end(&mut bytes).map_err(unreadable)?;
    let format = format(&bytes)?;
    file.by_ref().take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 >= LONGEST {
        return broken("the file is longer than 1 GiB");
    }
    let now = file.metadata().map_err(unreadable)?;
    if Stamp::of(&now) != stamp {
        return Err(Failure::Fatal(Error::file(
            path,
            "the file changed while the folder was read",
        )));
    }
    Ok((bytes, format))
}

fn format(start: &[u8]) -> Result<ImageFormat, Failure> {
    if start.is_empty() {
        return broken("the file is empty");
    }
    match ::image::guess_format(start) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        Ok(other) => broken(format!("this is a file of the format {other:?}, not PNG or JPEG")),
        Err(_) => broken("this is no image: PNG and JPEG are read"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::data::{Channels, Resize};
    use crate::image::RgbImage;

    #[test]
    fn a_file_that_changes_after_the_scan_is_no_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        let class = folder.path().join("cat");
        fs::create_dir(&class).unwrap();
        let save = |name: &str, side| RgbImage::new(side, side).save(class.join(name)).unwrap();
        ["a.png", "b.png", "c.png"].iter().for_each(|name| save(name, 4));
        let scan = Scan::read(folder.path(), None).unwrap();
        save("b.png", 300);
        fs::remove_file(class.join("c.png")).unwrap();
        let recipe =
            Recipe { dims: [3, 4, 4], options: ImageOptions::new(Resize::Exact, Channels::Rgb) };
        assert!(recipe.decode(&scan, &scan.files[0]).is_ok());
        for (file, problem) in
            [(1, "b.png: the file changed while the folder was read"), (2, "c.png: ")]
        {
            let Err(Failure::Fatal(error)) = recipe.decode(&scan, &scan.files[file]) else {
                panic!("not a fatal failure");
            };
            assert!(error.to_string().contains(problem), "{error}");
        }
        // So it is an error even where broken files are skipped.
        let taken = &mut |_: &[u8]| Ok(());
        assert!(recipe.decode_all(&scan, true, taken).unwrap().is_err());
    }
}

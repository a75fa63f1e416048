//! Folders of image files as data sets: with the feature `image`.

mod cache;
mod decode;
mod jpeg;
mod positioned;
mod scan;
mod store;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use xxhash_rust::xxh3::xxh3_64;

use self::cache::Header;
use self::decode::{Index, Recipe};
use self::scan::Scan;
use self::store::{FolderStore, Pixels};
use super::image::check_options;
use super::shape::image_dims;
use super::{ArrayShape, ImageOptions, Images};
use crate::{Error, Result};

pub use decode::read_image;

/// How many broken files an error names.
const NAMED: usize = 5;

/// What happens to a file that cannot be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Broken {
    /// It is an error that names the file.
    #[default]
    Fail,
    /// The file is left out; [`Images::skipped`] lists such files.
    Skip,
}

/// A folder of PNG and JPEG files with a folder for each class: `train/cat/0001.jpg`.
///
/// The classes are the folders, numbered in the order of their names. A file's content decides its format,
/// not its name. Names that start with a dot, `Thumbs.db` and `desktop.ini` are skipped, and so are files
/// beside the class folders that do not have an image's extension. Links are followed. A JPEG file's
/// orientation (Exif) is not applied, as in torchvision.
///
/// The first [`open`](Self::open) decodes all files, on all threads, into a cache file. From then on the
/// images are read from the cache when training asks for them, so a set may be larger than the memory.
/// The cache is beside the folder, `train-3x32x32-….typenet`, unless [`cache`](Self::cache) says otherwise.
/// It holds a byte for each pixel and channel. It is rebuilt when a file of the folder has another name,
/// size or modification time, when the options have changed, or when it is damaged. It is written under a
/// temporary name first, so a program that is stopped leaves no half of it.
///
/// ```no_run
/// use typenet_runtime::data::{Channels, ImageFolder, ImageOptions, Images, Resize};
/// use typenet_runtime::image::imageops::FilterType;
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let options = ImageOptions::new(Resize::Crop(FilterType::Triangle), Channels::Rgb);
/// let images: Images<[[[f32; 64]; 64]; 3]> = ImageFolder::new("pets/train", options).open()?;
/// let (mut train, mut validation) = images.split_stratified(0.1, 7)?;
/// let statistics = train.channel_statistics()?;
/// train.normalize(&statistics)?;
/// validation.normalize(&statistics)?;
/// println!("{} images of {}", train.len(), train.class_names().join(", "));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ImageFolder {
    folder: PathBuf,
    options: ImageOptions,
    broken: Broken,
    cache: Cache,
    class_names: Option<Vec<String>>,
}

/// Where the decoded pixels are.
#[derive(Clone, PartialEq, Debug)]
enum Cache {
    BesideTheFolder,
    At(PathBuf),
    InMemory,
}

impl ImageFolder {
    /// The folder that holds the class folders, and how its images become inputs.
    pub fn new(folder: impl Into<PathBuf>, options: ImageOptions) -> ImageFolder {
        ImageFolder {
            folder: folder.into(),
            options,
            broken: Broken::Fail,
            cache: Cache::BesideTheFolder,
            class_names: None,
        }
    }

    /// What happens to a file that is no image, is truncated or damaged, or may not be read;
    /// [`Broken::Fail`] by default.
    #[must_use]
    pub fn on_broken(self, broken: Broken) -> ImageFolder {
        ImageFolder { broken, ..self }
    }

    /// The file that holds the decoded pixels. Give each folder, and each set of options, a file of its own.
    #[must_use]
    pub fn cache(self, path: impl Into<PathBuf>) -> ImageFolder {
        ImageFolder { cache: Cache::At(path.into()), ..self }
    }

    /// Keeps the decoded pixels in memory and writes no cache: for folders that are decoded quickly, or
    /// a disk without room.
    #[must_use]
    pub fn in_memory(self) -> ImageFolder {
        ImageFolder { cache: Cache::InMemory, ..self }
    }

    /// The classes and their order, so that their numbers are those of another folder. A test set may lack
    /// some of them; a class folder with any other name is then an error.
    ///
    /// ```no_run
    /// # use typenet_runtime::data::{Channels, ImageFolder, ImageOptions, Images, Resize};
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let options = ImageOptions::new(Resize::Exact, Channels::Rgb);
    /// let train: Images<[[[f32; 32]; 32]; 3]> = ImageFolder::new("train", options).open()?;
    /// let test = ImageFolder::new("test", options).class_names(train.class_names());
    /// let test: Images<[[[f32; 32]; 32]; 3]> = test.open()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn class_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> ImageFolder {
        ImageFolder { class_names: Some(names.into_iter().map(Into::into).collect()), ..self }
    }

    /// The images of the folder.
    ///
    /// # Errors
    /// [`Error::Size`] when `I` is not the type of an image with the channels of the options.
    /// [`Error::File`] when there is no class folder, or one without images; for a folder in a class folder,
    /// an image in none, or a class name that is no UTF-8; for broken files, the first few of them by name,
    /// unless these are skipped; for a file that changes while the folder is read. [`Error::Io`] when the
    /// folder cannot be read or the cache cannot be written.
    ///
    /// Later, when images are asked for: an image that is damaged in the cache is decoded anew, and is an
    /// [`Error::File`] only if its file has changed too. Other changes of the folder are seen at the next
    /// start.
    pub fn open<I: ArrayShape>(&self) -> Result<Images<I>> {
        let dims = image_dims::<I>()?;
        check_options(&dims, &self.options)?;
        let recipe = Recipe { dims, options: self.options };
        let skip = self.broken == Broken::Skip;
        let scan = Scan::read(&self.folder, self.class_names.as_deref())?;
        let (pixels, index) = match self.cache_path(&recipe)? {
            None => {
                let mut pixels = Vec::new();
                let take = &mut |image: &[u8]| {
                    pixels.extend_from_slice(image);
                    Ok(())
                };
                let index = recipe.decode_all(&scan, skip, take);
                let index = index.map_err(Error::io(&self.folder))??;
                (Pixels::Memory(pixels), index)
            }
            Some(path) => self.cached(path, &scan, &recipe)?,
        };
        if !skip && !index.skipped.is_empty() {
            return Err(all_broken(&scan, &index));
        }
        let store = FolderStore::new(pixels, recipe, scan, index);
        self.check_classes(&store)?;
        let (count, names) = (store.len(), store.class_names().to_vec());
        Images::new(Arc::new(store), count, names)
    }

    /// Opens the cache, or makes it. Where broken files are not to be skipped and there are some, only
    /// the index is of use.
    fn cached(&self, path: PathBuf, scan: &Scan, recipe: &Recipe) -> Result<(Pixels, Index)> {
        let header = Header::new(scan, recipe);
        let open = || cache::open(&path, &header, scan, recipe).map_err(Error::io(&path));
        let (file, index) = match open()? {
            Some(found) => found,
            None => {
                let skip = self.broken == Broken::Skip;
                let index = cache::write(&path, &header, scan, recipe, skip)
                    .map_err(|error| self.with_help(error))?;
                if !skip && !index.skipped.is_empty() {
                    return Ok((Pixels::Memory(Vec::new()), index));
                }
                let problem = "the cache is damaged although it was written just now";
                open()?.ok_or_else(|| Error::file(&path, problem))?
            }
        };
        Ok((Pixels::Cache { file, path, is_damaged: AtomicBool::new(false) }, index))
    }

    /// Says what else can be done where there is no writing beside the folder.
    fn with_help(&self, error: Error) -> Error {
        match error {
            Error::Io { path, source } if self.cache == Cache::BesideTheFolder => {
                let problem = format!(
                    "{source}\n  help: `ImageFolder::cache` puts the decoded images elsewhere, \
                     `in_memory` writes none"
                );
                Error::Io { path, source: io::Error::new(source.kind(), problem) }
            }
            error => error,
        }
    }

    /// Where the cache is, if there is one.
    fn cache_path(&self, recipe: &Recipe) -> Result<Option<PathBuf>> {
        match &self.cache {
            Cache::InMemory => Ok(None),
            Cache::At(path) => Ok(Some(path.clone())),
            Cache::BesideTheFolder => {
                // `.` and a link have the name that they lead to.
                let folder = fs::canonicalize(&self.folder).map_err(Error::io(&self.folder))?;
                let Some(name) = folder.file_name() else {
                    let problem = "there is no place for a cache beside this folder: say one \
                                   (`ImageFolder::cache`)";
                    return Err(Error::file(&self.folder, problem));
                };
                let [channels, height, width] = recipe.dims;
                let hash = xxh3_64(format!("{:?}", recipe.options).as_bytes()) as u32;
                let mut file = OsString::from(name);
                file.push(format!("-{channels}x{height}x{width}-{hash:08x}.typenet"));
                Ok(Some(folder.with_file_name(file)))
            }
        }
    }

    /// Checks that broken files have left something of each class.
    fn check_classes(&self, store: &FolderStore) -> Result<()> {
        if self.class_names.is_some() {
            return Ok(());
        }
        let counts = store.counts();
        match counts.iter().position(|&count| count == 0) {
            None => Ok(()),
            Some(class) => {
                let path = Path::new(&self.folder).join(&store.class_names()[class]);
                Err(Error::file(path, "every file of this class is broken"))
            }
        }
    }
}

/// The error for broken files.
fn all_broken(scan: &Scan, index: &Index) -> Error {
    let path = |file: usize| scan.path(&scan.files[file]);
    let [(first, problem), others @ ..] = index.skipped.as_slice() else {
        return Error::file(&scan.folder, "no file is broken");
    };
    let mut text = problem.clone();
    for (file, problem) in others.iter().take(NAMED - 1) {
        text += &format!("\n  {}: {problem}", path(*file).display());
    }
    if others.len() >= NAMED {
        text += &format!("\n  … and {} more", others.len() + 1 - NAMED);
    }
    text += "\n  help: `.on_broken(Broken::Skip)` leaves such files out";
    Error::file(path(*first), text)
}

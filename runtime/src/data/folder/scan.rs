//! What is in a folder of images.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::{Error, Result};

/// What systems put into folders for themselves; so are names that start with a dot.
const OF_SYSTEMS: [&str; 2] = ["Thumbs.db", "desktop.ini"];

/// The files of a folder, class by class, in the order of their names.
pub(super) struct Scan {
    pub(super) folder: PathBuf,
    pub(super) class_names: Vec<String>,
    pub(super) files: Vec<Scanned>,
}

/// A file of a class.
pub(super) struct Scanned {
    pub(super) class: usize,
    name: OsString,
    /// Its stamp, or why it is no image.
    pub(super) stamp: Result<Stamp, String>,
}

/// What tells that a file is still the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    len: u64,
    /// Nanoseconds since 1970; 0 where the system does not say.
    modified: i128,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        let modified = metadata.modified().map_or(0, nanoseconds);
        Stamp { len: metadata.len(), modified }
    }
}

fn nanoseconds(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

impl Scan {
    /// Lists `folder/CLASS/FILE`. The classes are numbered in the order of their names, or of `classes`,
    /// which then need not all be there.
    pub(super) fn read(folder: &Path, classes: Option<&[String]>) -> Result<Scan> {
        let found = class_folders(folder)?;
        if found.is_empty() {
            let problem = "there are no class folders: images are expected as CLASS/FILE in it";
            return Err(Error::file(folder, problem));
        }
        let class_names = match classes {
            None => found,
            Some(classes) => {
                if let Some(other) = found.iter().find(|name| !classes.contains(name)) {
                    let known = classes.join(", ");
                    let problem = format!("this is none of the classes {known}");
                    return Err(Error::file(folder.join(other), problem));
                }
                classes.to_vec()
            }
        };
        let files = class_names.par_iter().enumerate().map(|(class, name)| {
            let path = folder.join(name);
            match classes {
                Some(_) if !path.exists() => Ok(Vec::new()),
                Some(_) => class_files(&path, class),
                None => match class_files(&path, class)? {
                    files if files.is_empty() => {
                        Err(Error::file(path, "there is no image in this class folder"))
                    }
                    files => Ok(files),
                },
            }
        });
        let files = files.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        Ok(Scan { folder: folder.to_owned(), class_names, files })
    }

    pub(super) fn path(&self, file: &Scanned) -> PathBuf {
        self.folder.join(&self.class_names[file.class]).join(&file.name)
    }

    /// A number that is another one when anything about the files is.
    pub(super) fn fingerprint(&self, options: &str) -> u128 {
        let mut hash = Xxh3::new();
        let mut add = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(options.as_bytes());
        self.class_names.iter().for_each(|name| add(name.as_bytes()));
        for Scanned { class, name, stamp } in &self.files {
            add(&(*class as u64).to_le_bytes());
            add(name.as_encoded_bytes());
            match stamp {
                Ok(Stamp { len, modified }) => {
                    add(&len.to_le_bytes());
                    add(&modified.to_le_bytes());
                }
                Err(problem) => add(problem.as_bytes()),
            }
        }
        hash.digest128()
    }
}

/// The entries of a folder that are not the system's own, in the order of their names.
fn entries(folder: &Path) -> Result<Vec<OsString>> {
    let names =
        fs::read_dir(folder).map_err(Error::io(folder))?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<Result<Vec<_>, _>>().map_err(Error::io(folder))?;
    names.retain(|name| {
        let hidden = name.as_encoded_bytes().starts_with(b".");
        !hidden && !OF_SYSTEMS.iter().any(|other| name == other)
    });
    names.sort_unstable();
    Ok(names)
}

/// The names of the folders in a folder.
fn class_folders(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for name in entries(folder)? {
        let path = folder.join(&name);
        let is_folder = match fs::metadata(&path) {
            Ok(metadata) => metadata.is_dir(),
            // It may be a link to nothing; if it is gone, so be it.
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(Error::io(path)(error)),
        };
        if !is_folder {
            if is_called_image(&name) {
                let problem = "this image is in no class folder: images are expected as CLASS/FILE";
                return Err(Error::file(path, problem));
            }
            continue;
        }
        match name.into_string() {
            Ok(name) => names.push(name),
            Err(_) => {
                let problem = "the name of this class folder is no UTF-8 text";
                return Err(Error::file(path, problem));
            }
        }
    }
    Ok(names)
}

fn is_called_image(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The files of a class.
fn class_files(folder: &Path, class: usize) -> Result<Vec<Scanned>> {
    let mut files = Vec::new();
    for name in entries(folder)? {
        let path = folder.join(&name);
        let stamp = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Stamp::of(&metadata)),
            Ok(metadata) if metadata.is_dir() => {
                let problem = "this is a folder in a class folder: images are expected as CLASS/FILE \
                               in the folder that is opened";
                return Err(Error::file(path, problem));
            }
            Ok(_) => Err("this is no regular file".into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err("this link leads to no file".into())
            }
            Err(error) => Err(error.to_string()),
        };
        files.push(Scanned { class, name, stamp });
    }
    Ok(files)
}

//! What a folder of images holds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rayon::prelude::*;

use super::decode::{Failure, read_image};
use super::scan::Scan;
use crate::Result;
use crate::data::SkippedFile;

/// What a folder of images holds: how many of each class, in which sizes, and the files that are broken.
/// `Display` is a table.
///
/// ```no_run
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let report = typenet_runtime::data::FolderReport::read("pets/train")?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FolderReport {
    /// The name of each class, and how many images it has.
    pub classes: Vec<(String, usize)>,
    /// How many images have a width and height.
    pub sizes: BTreeMap<(u32, u32), usize>,
    /// The files that cannot be decoded.
    pub broken: Vec<SkippedFile>,
}

impl FolderReport {
    /// Decodes every file of a folder, on all threads. `ImageFolder` says what the folder is like.
    ///
    /// # Errors
    /// As `ImageFolder::open`, but for broken files.
    pub fn read(folder: impl AsRef<Path>) -> Result<FolderReport> {
        let scan = Scan::read(folder.as_ref(), None)?;
        let sizes = scan.files.par_iter().map(|file| match read_image(&scan, file) {
            Ok(image) => Ok(Ok((image.width(), image.height()))),
            Err(Failure::Broken(problem)) => {
                Ok(Err(SkippedFile { path: scan.path(file), problem }))
            }
            Err(Failure::Fatal(error)) => Err(error),
        });
        let sizes = sizes.collect::<Result<Vec<_>>>()?;
        let classes = scan.class_names.iter().map(|name| (name.clone(), 0)).collect();
        let mut report = FolderReport { classes, sizes: BTreeMap::new(), broken: Vec::new() };
        for (file, size) in scan.files.iter().zip(sizes) {
            match size {
                Ok(size) => {
                    report.classes[file.class].1 += 1;
                    *report.sizes.entry(size).or_default() += 1;
                }
                Err(broken) => report.broken.push(broken),
            }
        }
        Ok(report)
    }

    /// How many images there are.
    pub fn images(&self) -> usize {
        self.classes.iter().map(|(_, count)| count).sum()
    }
}

impl fmt::Display for FolderReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images = self.images();
        let width = self.classes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, count) in &self.classes {
            let share = 100.0 * *count as f64 / images.max(1) as f64;
            writeln!(f, "{name:width$}  {count:>8}  {share:>5.1} %")?;
        }
        write!(f, "{images} images of {} classes", self.classes.len())?;
        let mut sizes: Vec<_> = self.sizes.iter().collect();
        sizes.sort_by_key(|&(size, count)| (std::cmp::Reverse(count), size));
        for ((width, height), count) in sizes.iter().take(5) {
            write!(f, "\n{count:>8} of {width}×{height} pixels")?;
        }
        if sizes.len() > 5 {
            write!(f, "\n         … and {} more sizes", sizes.len() - 5)?;
        }
        for SkippedFile { path, problem } in &self.broken {
            write!(f, "\nbroken: {}: {problem}", path.display())?;
        }
        Ok(())
    }
}

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Writes a file so that at every moment `path` is the old file or the complete new one: into a
/// temporary file beside it, which then takes its name. On an error nothing remains of it.
///
/// A link is followed, and a file that is replaced keeps its permissions.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    try_replace(path, write).map_err(Error::io(path))
}

fn try_replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // Renaming would replace a link and not the file behind it.
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // Not a directory, and not a device such as /dev/null either.
        return Err(io::Error::new(ErrorKind::InvalidInput, "this is not a regular file"));
    }
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };

    let (temporary, mut file) = Temporary::create(directory)?;
    let mut writer = BufWriter::with_capacity(1 << 16, &mut file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    #[cfg(unix)]
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    // Not every system renames a file that is open.
    drop(file);
    temporary.rename(&target)?;
    // The file has its name; whether the name survives a power cut is up to the file system, and
    // some cannot say.
    #[cfg(unix)]
    let _ = fs::File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// A file that is removed unless it gets another name.
struct Temporary {
    path: PathBuf,
    is_renamed: bool,
}

impl Temporary {
    /// A new, empty file with a name that no other has and the permissions of any new file.
    fn create(directory: &Path) -> io::Result<(Temporary, File)> {
        loop {
            // A hasher's keys are the random numbers that the standard library has.
            let number = RandomState::new().build_hasher().finish();
            let path = directory.join(format!(".typenet-{number:016x}.tmp"));
            match File::create_new(&path) {
                Ok(file) => return Ok((Temporary { path, is_renamed: false }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.is_renamed {
            return;
        }
        // The error that leads here is the one to be reported.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(not(windows))]
use std::fs::rename;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// At most so many links are followed.
const LINKS: usize = 40;

/// Writes a file so that at every moment `path` is the old file or the complete new one: into a
/// temporary file beside it, which then takes its name. On an error the temporary file is removed. A process
/// that is killed leaves it behind, and the next one that writes the same file reuses it.
///
/// A link is followed, also one that leads to nothing yet, and a file that is replaced keeps its permissions.
/// A writer waits while another one writes the same file.
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
    let target = behind_links(path)?;
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // Not a directory, and not a device such as /dev/null either.
        return Err(io::Error::new(ErrorKind::InvalidInput, "this is not a regular file"));
    }
    let (temporary, mut file) = Temporary::create(&target)?;
    let mut writer = BufWriter::with_capacity(1 << 16, &mut file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    #[cfg(unix)]
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    // The lock on it is held until it has its name.
    temporary.rename(&target)?;
    drop(file);
    // The file has its name; whether the name survives a power cut is up to the file system, and
    // some cannot say.
    #[cfg(unix)]
    let _ = File::open(folder(&target)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The file that a path names, behind all links; it need not be there.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::canonicalize(&path) {
            Ok(target) => return Ok(target),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        match fs::read_link(&path) {
            // As it is seen from the link's own folder.
            Ok(to) => path = folder(&path).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links follow one another"))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A file that is removed unless it gets another name.
struct Temporary {
    path: PathBuf,
    is_renamed: bool,
}

impl Temporary {
    /// An empty file beside `target`, locked, with a name made from its: so that no more than one is ever
    /// left of processes that were killed.
    fn create(target: &Path) -> io::Result<(Temporary, File)> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = folder(target).join(format!(".{name}.typenet-tmp"));
        loop {
            match open_alone(&path) {
                // One that was left with the permissions of a file that must not be written.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    fs::remove_file(&path).map_err(|_| error)?;
                }
                Err(error) => return Err(error),
                Ok(None) => {}
                Ok(Some(file)) => {
                    file.set_len(0)?;
                    return Ok((Temporary { path, is_renamed: false }, file));
                }
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        rename(&self.path, target)?;
        self.is_renamed = true;
        Ok(())
    }
}

/// Makes the file if it is not there, and does not truncate it: it may still be another's.
fn for_writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    options
}

/// The file of this name, made if it is not there, once nobody else writes to it; not truncated. `None`: it got
/// another name meanwhile.
#[cfg(unix)]
fn open_alone(path: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::MetadataExt;

    let file = for_writing().open(path)?;
    match file.lock() {
        // Some file systems have no locks. Then only threads and processes that write the same
        // file at the same moment are on their own.
        Err(error) if error.kind() == ErrorKind::Unsupported => {}
        locked => locked?,
    }
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) if (found.dev(), found.ino()) == (own.dev(), own.ino()) => Ok(Some(file)),
        Ok(found) if found.is_symlink() => fs::remove_file(path).map(|()| None),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(None),
    }
}

/// Windows lets nobody else open it for writing meanwhile. Who waits holds no file: after it was renamed, that
/// would be the other's target.
#[cfg(windows)]
fn open_alone(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;

    const SHARE_READ_AND_DELETE: u32 = 1 | 4;
    const SHARING_VIOLATION: i32 = 32;
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        fs::remove_file(path)?;
    }
    match for_writing().share_mode(SHARE_READ_AND_DELETE).open(path) {
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => {
            std::thread::sleep(PAUSE);
            Ok(None)
        }
        file => file.map(Some),
    }
}

#[cfg(not(any(unix, windows)))]
fn open_alone(path: &Path) -> io::Result<Option<File>> {
    for_writing().open(path).map(Some)
}

/// How long one waits for a file that another program has open.
#[cfg(windows)]
const PAUSE: std::time::Duration = std::time::Duration::from_millis(2);

/// Windows refuses while another program, a virus scanner for one, has the target open: for a moment, mostly.
#[cfg(windows)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const TRIES: usize = 500;
    for _ in 1..TRIES {
        match fs::rename(from, to) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => std::thread::sleep(PAUSE),
            renamed => return renamed,
        }
    }
    fs::rename(from, to)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn text(what: &'static str) -> impl FnOnce(&mut dyn Write) -> io::Result<()> {
        move |to| to.write_all(what.as_bytes())
    }

    #[test]
    fn what_a_killed_process_left_is_taken_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        fs::write(folder.path().join(".net.safetensors.typenet-tmp"), "half of a net, and long")
            .unwrap();
        replace(&path, text("a net")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a net");
        assert_eq!(names(folder.path()), ["net.safetensors"]);
    }

    #[test]
    fn an_error_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        replace(&path, text("old")).unwrap();
        let error = replace(&path, |to| {
            to.write_all(b"ne")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(error.unwrap_err().to_string().ends_with("net.safetensors: the disk is full"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["net.safetensors"]);
        let lost = folder.path().join("missing").join("net.safetensors");
        let message = replace(&lost, text("new")).unwrap_err().to_string();
        assert!(message.contains("missing") && !message.contains("typenet-tmp"), "{message}");
    }

    #[test]
    fn writers_of_one_file_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        let write = |number: usize| {
            let whole = number.to_string().repeat(100_000);
            replace(&path, |to| to.write_all(whole.as_bytes())).unwrap();
        };
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || (0..20).for_each(|_| write(number)));
            }
            for _ in 0..200 {
                if let Ok(found) = fs::read(&path) {
                    assert_eq!(found.len(), 100_000);
                    assert!(found.iter().all(|byte| *byte == found[0]));
                }
            }
        });
        assert_eq!(names(folder.path()), ["net.safetensors"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_where_they_lead_and_none_is_written_through() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("store")).unwrap();
        symlink("second", at("first")).unwrap();
        symlink("store/net", at("second")).unwrap();
        // To nothing, to the file, and round in a circle.
        replace(&at("first"), text("one")).unwrap();
        assert_eq!(fs::read_to_string(at("store/net")).unwrap(), "one");
        replace(&at("first"), text("two")).unwrap();
        assert_eq!(fs::read_to_string(at("store/net")).unwrap(), "two");
        assert!(fs::symlink_metadata(at("first")).unwrap().is_symlink());
        symlink("round", at("square")).unwrap();
        symlink("square", at("round")).unwrap();
        replace(&at("round"), text("three")).unwrap_err();

        // A link where the temporary file goes leads to somebody else's file.
        fs::write(at("other"), "not ours").unwrap();
        symlink("../other", at("store/.net.typenet-tmp")).unwrap();
        replace(&at("store/net"), text("four")).unwrap();
        assert_eq!(fs::read_to_string(at("other")).unwrap(), "not ours");
        assert_eq!(fs::read_to_string(at("store/net")).unwrap(), "four");
        assert_eq!(names(&at("store")), ["net"]);
    }
}

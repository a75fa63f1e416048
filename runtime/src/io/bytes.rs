//! The bytes of a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::{Error, Result};

/// What was read of a file.
pub(super) enum Content {
    All(Vec<u8>),
    /// Of a large file the start, up to the end of the header that a weight file would have. Zeros, which take no
    /// memory, stand for the rest, which is to be read from the file.
    Start(Vec<u8>, File),
}

/// All bytes of a file; those of a large one by all threads.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let read = || match open(path)? {
        (file, Some(len)) => in_pieces(&file, len),
        (file, None) => to_end(file),
    };
    read().map_err(Error::io(path))
}

/// All bytes of a file, or the start of a large one.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub(super) fn read_start(path: &Path) -> Result<Content> {
    let read = || match open(path)? {
        (file, Some(len)) if cfg!(unix) => Ok(Content::Start(start(&file, len)?, file)),
        (file, Some(len)) => in_pieces(&file, len).map(Content::All),
        (file, None) => to_end(file).map(Content::All),
    };
    read().map_err(Error::io(path))
}

/// A file, and its length if it is large. Anything else, such as a pipe, can be read once only.
fn open(path: &Path) -> io::Result<(File, Option<usize>)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    let len = usize::try_from(about.len()).ok().filter(|&len| about.is_file() && len >= LARGE);
    Ok((file, len))
}

fn to_end(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The longest header that is read.
const MOST_HEADER: usize = 128 << 20;

fn start(mut file: &File, len: usize) -> io::Result<Vec<u8>> {
    Vec::<u8>::new().try_reserve_exact(len)?;
    let mut bytes = vec![0; len];
    let (length, rest) = bytes.split_at_mut(size_of::<u64>());
    file.read_exact(length)?;
    let header = length.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte));
    // Of a length that cannot be, nothing behind it is needed to say so.
    let header = usize::try_from(header).unwrap_or(usize::MAX);
    if header <= rest.len().min(MOST_HEADER) {
        file.read_exact(&mut rest[..header])?;
    }
    Ok(bytes)
}

/// From this size on the time goes into copying, and into memory that is touched for the first time.
const LARGE: usize = 16 << 20;

/// All `len` bytes of a file, wherever it was read before.
///
/// # Errors
/// When they are not there.
#[cfg(unix)]
pub(super) fn in_pieces(file: &File, len: usize) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;

    use rayon::prelude::*;
    use typenet_kernels::memory::zeros;

    const PIECE: usize = 4 << 20;
    // More than fits is an error of this call, not the end of the program; and zeros that nobody wrote cost nothing.
    Vec::<u8>::new().try_reserve_exact(len)?;
    let mut bytes = zeros(0, len);
    let pieces = bytes.par_chunks_mut(PIECE).enumerate();
    pieces.try_for_each(|(index, piece)| file.read_exact_at(piece, (index * PIECE) as u64))?;
    Ok(bytes)
}

/// All bytes of a file that was not read before.
#[cfg(not(unix))]
pub(super) fn in_pieces(mut file: &File, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len)?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn of_a_large_file_the_header_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut bytes = vec![7; LARGE];
        for (header, end) in [(100, 108), (LARGE - 8, LARGE), (LARGE - 7, 8), (usize::MAX, 8)] {
            bytes[..8].copy_from_slice(&(header as u64).to_le_bytes());
            std::fs::write(&path, &bytes).unwrap();
            let Content::Start(found, file) = read_start(&path).unwrap() else { panic!("all") };
            assert!(found.len() == LARGE && found[..end] == bytes[..end], "{header}");
            assert!(found[end..].iter().all(|&byte| byte == 0), "{header}");
            assert!(in_pieces(&file, LARGE).unwrap() == bytes, "{header}");
        }
        std::fs::write(&path, &bytes[1..]).unwrap();
        assert!(matches!(read_start(&path), Ok(Content::All(all)) if all == bytes[1..]));
        assert!(matches!(read_start(folder.path()), Err(Error::Io { .. })));
        assert!(matches!(read_start(&folder.path().join("none")), Err(Error::Io { .. })));
    }

    /// A pipe gives its bytes to the first who opens it.
    #[test]
    #[cfg(unix)]
    fn a_pipe_is_opened_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        if !made.is_ok_and(|status| status.success()) {
            return;
        }
        let writer = std::thread::spawn({
            let path = path.clone();
            move || std::fs::write(path, [1, 2, 3])
        });
        assert!(matches!(read_start(&path), Ok(Content::All(all)) if all == [1, 2, 3]));
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn files_of_any_size_are_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for len in [0, 1, LARGE - 1, LARGE, LARGE + (5 << 20) + 3] {
            let bytes: Vec<u8> = (0..len).map(|i| (i.wrapping_mul(7919) >> 8) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            assert!(read(&path).unwrap() == bytes, "{len} bytes");
        }
        assert!(matches!(read(folder.path()), Err(Error::Io { .. })), "a folder is no file");
        assert!(matches!(read(&folder.path().join("none")), Err(Error::Io { .. })));
    }
}

//! The bytes of a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::{Error, Result};

/// All bytes of a file; those of a large one by all threads.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let read = || {
        let mut file = File::open(path)?;
        let about = file.metadata()?;
        match usize::try_from(about.len()) {
            Ok(len) if about.is_file() && len >= LARGE => in_pieces(&file, len),
            len => {
                let mut bytes = Vec::with_capacity(len.unwrap_or_default().min(LARGE));
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    };
    read().map_err(Error::io(path))
}

/// The start of a large file, up to the end of the header that a weight file would have; behind it stand zeros in
/// place of the rest, which take no memory. `None` where [`read`] should read it all.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
#[cfg(unix)]
pub(super) fn read_start(path: &Path) -> Result<Option<(Vec<u8>, File)>> {
    use std::os::unix::fs::FileExt;

    let read = || {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let len = match usize::try_from(about.len()) {
            Ok(len) if about.is_file() && len >= LARGE => len,
            _ => return Ok(None),
        };
        Vec::<u8>::new().try_reserve_exact(len)?;
        let mut bytes = vec![0; len];
        let mut header = [0; size_of::<u64>()];
        file.read_exact_at(&mut header, 0)?;
        let end = usize::try_from(u64::from_le_bytes(header)).unwrap_or(usize::MAX);
        let end = end.saturating_add(header.len());
        let end = if end <= len { end } else { header.len() };
        file.read_exact_at(&mut bytes[..end], 0)?;
        Ok(Some((bytes, file)))
    };
    read().map_err(Error::io(path))
}

#[cfg(not(unix))]
pub(super) fn read_start(_: &Path) -> Result<Option<(Vec<u8>, File)>> {
    Ok(None)
}

/// From this size on the time goes into copying, and into memory that is touched for the first time.
const LARGE: usize = 16 << 20;

#[cfg(unix)]
fn in_pieces(file: &File, len: usize) -> io::Result<Vec<u8>> {
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

#[cfg(not(unix))]
fn in_pieces(mut file: &File, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len)?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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
            let (found, _) = read_start(&path).unwrap().unwrap();
            assert!(found.len() == LARGE && found[..end] == bytes[..end], "{header}");
            assert!(found[end..].iter().all(|&byte| byte == 0), "{header}");
        }
        std::fs::write(&path, &bytes[1..]).unwrap();
        assert!(read_start(&path).unwrap().is_none());
        assert!(read_start(folder.path()).unwrap().is_none());
        assert!(matches!(read_start(&folder.path().join("none")), Err(Error::Io { .. })));
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

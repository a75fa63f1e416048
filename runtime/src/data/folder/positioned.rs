//! Reading at a place in a file, from several threads at once.
//!
//! A map of the file in memory would do the same with `unsafe` code, and a file that another program cuts
//! would end the process. Reads that the system answers from memory cost less than the conversion of the
//! pixels that follows.

use std::fs::File;
use std::io;

/// Fills the buffer with the bytes from `offset` on.
#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills the buffer with the bytes from `offset` on.
#[cfg(not(unix))]
pub(super) fn read_exact_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    use std::sync::{Mutex, PoisonError};

    // The place belongs to the file, so one thread at a time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

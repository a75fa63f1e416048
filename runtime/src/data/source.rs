use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result};

/// How many bytes are read at a time.
pub(super) const PIECE: usize = 1 << 16;

/// The uncompressed content of a file, read from start to end.
pub(super) struct Source<'a> {
    path: PathBuf,
    content: Box<dyn Read + 'a>,
    gzip: bool,
    offset: u64,
}

impl Source<'static> {
    pub(super) fn open(path: &Path) -> Result<Source<'static>> {
        let file = File::open(path).map_err(Error::io(path))?;
        Source::new(path, file)
    }
}

impl<'a> Source<'a> {
    /// `name` stands for the path in errors.
    pub(super) fn new(name: &Path, mut reader: impl Read + 'a) -> Result<Source<'a>> {
        let mut start = Vec::new();
        reader.by_ref().take(2).read_to_end(&mut start).map_err(Error::io(name))?;
        let gzip = start == [0x1f, 0x8b];
        let reader = BufReader::with_capacity(PIECE, Cursor::new(start).chain(reader));
        let content: Box<dyn Read + 'a> =
            if gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) };
        Ok(Source { path: name.to_owned(), content, gzip, offset: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes have been read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Fills as much of `buffer` as there is content for, and says how much that was.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(error)),
            }
        }
        Ok(filled)
    }

    /// Skips the mark with which some programs start a text in UTF-8.
    pub(super) fn skip_byte_order_mark(mut self) -> Result<Source<'a>> {
        let mut start = [0; 3];
        let count = self.fill(&mut start)?;
        if start != *b"\xef\xbb\xbf" {
            self.offset = 0;
            self.content = Box::new(Cursor::new(start).take(count as u64).chain(self.content));
        }
        Ok(self)
    }

    /// An error in the content at this byte.
    pub(super) fn format(&self, offset: u64, problem: impl Into<String>) -> Error {
        Error::Format { path: self.path.clone(), offset, problem: problem.into() }
    }

    /// The error for a read that failed.
    pub(super) fn failure(&self, source: io::Error) -> Error {
        use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match source.kind() {
            UnexpectedEof if self.gzip => {
                self.format(self.offset, "the gzip data ends too early: the file is truncated")
            }
            InvalidData | InvalidInput if self.gzip => {
                self.format(self.offset, format!("the gzip data is damaged: {source}"))
            }
            _ => Error::Io { path: self.path.clone(), source },
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.offset += count as u64;
        Ok(count)
    }
}

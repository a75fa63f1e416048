//! Blanks before fields, without which a quote behind them would be part of the text.

use std::io::{Read, Result};

/// A table without the blanks at the start of its fields.
pub(super) struct WithoutBlanks<R> {
    pub(super) table: R,
    delimiter: u8,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quote in quotes: the end, or the first of two that stand for one.
    QuoteInQuotes,
}

impl<R> WithoutBlanks<R> {
    pub(super) fn new(table: R, delimiter: u8) -> WithoutBlanks<R> {
        WithoutBlanks { table, delimiter, state: State::FieldStart }
    }

    /// Takes the next byte; whether it stays.
    fn keeps(&mut self, byte: u8) -> bool {
        let ends_field = byte == self.delimiter || byte == b'\n' || byte == b'\r';
        self.state = match (self.state, byte) {
            (State::FieldStart, b' ' | b'\t') if !ends_field => return false,
            (State::FieldStart, b'"') | (State::QuoteInQuotes, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuoteInQuotes,
            (State::Quoted, _) => State::Quoted,
            _ if ends_field => State::FieldStart,
            _ => State::Unquoted,
        };
        true
    }
}

impl<R: Read> Read for WithoutBlanks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let count = self.table.read(buffer)?;
            let mut kept = 0;
            for at in 0..count {
                if self.keeps(buffer[at]) {
                    buffer[kept] = buffer[at];
                    kept += 1;
                }
            }
            // Nothing would mean the end.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

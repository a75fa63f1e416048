use crate::Shape;

const CAPACITY: usize = 2048;

/// A text of several lines built in constant evaluation: what [`Checked`](crate::Checked) says of a mistake. It
/// leaves out a string that no longer fits.
///
/// ```
/// use typenet_shape::Message;
/// const MESSAGE: Message = {
///     let mut message = Message::new();
///     message.push("needs ");
///     message.push_number(3);
///     message.push_line("help: ", "add one");
///     message
/// };
/// assert_eq!(MESSAGE.as_str(), "needs 3\nhelp: add one");
/// ```
#[derive(Clone, Copy)]
pub struct Message {
    len: usize,
    bytes: [u8; CAPACITY],
}

impl Message {
    /// The empty message.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Message {
        Message { len: 0, bytes: [0; CAPACITY] }
    }

    /// Appends a string.
    pub const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        if text.len() <= CAPACITY - self.len {
            let (_, free) = self.bytes.split_at_mut(self.len);
            let (place, _) = free.split_at_mut(text.len());
            place.copy_from_slice(text);
            self.len += text.len();
        }
    }

    /// Appends a number.
    pub const fn push_number(&mut self, number: usize) {
        self.push(crate::Text::new().number(number).as_str());
    }

    /// Appends a shape: `[6, 28, 28]`.
    pub const fn push_shape(&mut self, shape: &Shape) {
        self.push(shape.text().as_str());
    }

    /// Appends a line of `beginning` and `text`, unless `text` is empty.
    pub const fn push_line(&mut self, beginning: &str, text: &str) {
        if !text.is_empty() {
            self.push("\n");
            self.push(beginning);
            self.push(text);
        }
    }

    /// The message so far.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

impl core::fmt::Display for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

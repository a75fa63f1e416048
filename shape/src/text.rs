use crate::Shape;

const CAPACITY: usize = 480;

/// A short text built in constant evaluation. It leaves out a string that no longer fits.
///
/// ```
/// use typenet_shape::Text;
/// const TEXT: Text = Text::new().str("kernel ").pair([5, 3]);
/// assert_eq!(TEXT.as_str(), "kernel 5×3");
/// ```
#[derive(Clone, Copy)]
pub struct Text {
    len: usize,
    bytes: [u8; CAPACITY],
}

impl Text {
    /// The empty text.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Text {
        Text { len: 0, bytes: [0; CAPACITY] }
    }

    /// Appends a string.
    #[must_use]
    pub const fn str(mut self, text: &str) -> Text {
        let bytes = text.as_bytes();
        if self.len + bytes.len() > CAPACITY {
            return self;
        }
        let mut i = 0;
        while i < bytes.len() {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Appends a number.
    #[must_use]
    pub const fn number(self, value: usize) -> Text {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = value;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        match core::str::from_utf8(digits.split_at(at).1) {
            Ok(digits) => self.str(digits),
            Err(_) => self,
        }
    }

    /// Appends height and width as `5×5`.
    #[must_use]
    pub const fn pair(self, pair: [usize; 2]) -> Text {
        self.number(pair[0]).str("×").number(pair[1])
    }

    /// Appends an argument's value as it is written: `3`, or `(3, 5)`.
    #[must_use]
    pub const fn argument(self, pair: [usize; 2]) -> Text {
        if pair[0] == pair[1] {
            self.number(pair[0])
        } else {
            self.str("(").number(pair[0]).str(", ").number(pair[1]).str(")")
        }
    }

    /// Appends a shape as `[6, 28, 28]`.
    #[must_use]
    pub const fn shape(self, shape: &Shape) -> Text {
        let mut text = self.str("[");
        let mut i = 0;
        while i < shape.rank() {
            if i > 0 {
                text = text.str(", ");
            }
            text = text.number(shape.dim(i));
            i += 1;
        }
        text.str("]")
    }

    /// The text so far.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

impl core::fmt::Display for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Shape {
    /// The shape as users write it: `[6, 28, 28]`.
    pub const fn text(&self) -> Text {
        Text::new().shape(self)
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.text().as_str())
    }
}

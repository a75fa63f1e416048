//! The little of JSON that headers of weight files have. A library would be compiled for every user of the
//! macro, once more for the machine that compiles; nothing here calls itself, so no file can exhaust the stack.

/// Reads JSON from the front.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// How many bytes are read.
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { bytes: text.as_bytes(), at: 0 }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Takes this byte if it comes next.
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.takes(byte) { Ok(()) } else { Err(format!("expected `{}`", byte as char)) }
    }

    /// Nothing but spaces is left.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.peek().map_or(Ok(()), |_| Err("expected the end".into()))
    }

    /// What stands between `open` and `close`, with commas between; `item` reads one.
    pub(super) fn list(
        &mut self,
        [open, close]: [u8; 2],
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(open)?;
        if self.takes(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.takes(close) {
                return Ok(());
            }
            if !self.takes(b',') {
                return Err(format!("expected `,` or `{}`", close as char));
            }
        }
    }

    /// A name and the colon behind it.
    pub(super) fn key(&mut self) -> Result<String, String> {
        let key = self.text()?;
        self.expect(b':')?;
        Ok(key)
    }

    pub(super) fn text(&mut self) -> Result<String, String> {
        if !self.takes(b'"') {
            return Err("expected a text in quotation marks".into());
        }
        let mut text = Vec::new();
        loop {
            let byte = *self.bytes.get(self.at).ok_or("the text does not end")?;
            self.at += 1;
            match byte {
                b'"' => {
                    return String::from_utf8(text).map_err(|_| "the text is not UTF-8".into());
                }
                b'\\' => {
                    let character = self.escaped()?;
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..0x20 => return Err("a control character in a text".into()),
                byte => text.push(byte),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        let byte = *self.bytes.get(self.at).ok_or("the text does not end")?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let pair = (0xd800..0xdc00).contains(&first)
                    && self.bytes.get(self.at..self.at + 2) == Some(br"\u");
                let mut units = vec![first];
                if pair {
                    self.at += 2;
                    units.push(self.unit()?);
                }
                let mut characters = char::decode_utf16(units);
                match (characters.next(), characters.next()) {
                    (Some(Ok(character)), None) => character,
                    _ => return Err("half a character".into()),
                }
            }
            _ => return Err(format!("`\\{}` stands for nothing", byte as char)),
        })
    }

    fn unit(&mut self) -> Result<u16, String> {
        let digits = self
            .bytes
            .get(self.at..self.at + 4)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.ok_or_else(|| "expected four hexadecimal digits".into())
    }

    /// The number that comes next, by what is to be made of its text.
    fn number<T>(&mut self, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        self.peek();
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| b"+-.0123456789eE".contains(byte)).count();
        let number = std::str::from_utf8(&rest[..length]).ok().and_then(read);
        let number = number.ok_or_else(|| format!("expected {what}"))?;
        self.at += length;
        Ok(number)
    }

    /// A whole number, not negative.
    pub(super) fn whole(&mut self) -> Result<usize, String> {
        self.number("a whole number", |text| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit())
                && (text == "0" || !text.starts_with('0'));
            text.parse().ok().filter(|_| plain)
        })
    }

    /// A number that is finite as an `f32`.
    pub(super) fn real(&mut self) -> Result<f32, String> {
        self.number("a number", |text| {
            let number = text.parse::<f64>().ok()? as f32;
            number.is_finite().then_some(number)
        })
    }
}

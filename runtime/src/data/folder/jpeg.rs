//! Whether a JPEG file is there to its end.

/// Whether the data (ITU-T T.81, annex B) reach their end marker. Decoders fill the missing part of a cut
/// file with grey.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    // Behind the marker of the start.
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xd9 => return true,
            // They stand alone: restarts, and two that say nothing.
            0xd0..=0xd8 | 0x01 => {}
            // Behind the header of a scan, coded data follow, where a zero behind 0xff is no marker; they
            // are passed over on the way to the next one.
            _ => {
                let Some(&[high, low]) = bytes.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
    false
}

/// The next marker, and `at` behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)? + 1;
        match *bytes.get(*at)? {
            0x00 => *at += 1,
            // A marker may have several 0xff before it.
            0xff => {}
            marker => {
                *at += 1;
                return Some(marker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::image::{ImageFormat, RgbImage};

    fn jpeg() -> Vec<u8> {
        let picture = RgbImage::from_fn(40, 30, |x, y| {
            crate::image::Rgb([(x * 37) as u8, (y * 91) as u8, (x * y) as u8])
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_file_is_whole_only_to_its_last_byte() {
        let whole = jpeg();
        assert!(is_whole(&whole));
        (0..whole.len()).for_each(|len| assert!(!is_whole(&whole[..len]), "{len}"));
        // Phones append other data.
        assert!(is_whole(&[&whole[..], b"MPF and more"].concat()));
    }

    #[test]
    fn the_end_of_an_embedded_picture_is_not_that_of_the_file() {
        let (whole, inner) = (jpeg(), jpeg());
        let len = (inner.len() + 2) as u16;
        let mut with_preview = whole[..2].to_vec();
        with_preview.extend([0xff, 0xe1]);
        with_preview.extend(len.to_be_bytes());
        with_preview.extend(&inner);
        let head = with_preview.len();
        with_preview.extend(&whole[2..]);
        assert!(is_whole(&with_preview));
        (0..with_preview.len()).for_each(|len| assert!(!is_whole(&with_preview[..len]), "{len}"));
        assert!(head > inner.len());
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = is_whole(&bytes);
            let _ = is_whole(&[&[0xff, 0xd8, 0xff], &bytes[..]].concat());
        }
    }
}

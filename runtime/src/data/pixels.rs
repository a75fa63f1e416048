//! Images of bytes as a net's numbers.

use crate::{Error, Normalization, Result};

/// Writes an image of bytes (row, column, channel) into a net's input of this shape (channel, row,
/// column), scaled to 0..=1 and normalised.
///
/// # Errors
/// [`Error::Size`] when there are not as many bytes as the input has numbers, or the normalisation has
/// another number of channels.
pub(crate) fn from_bytes(
    dims: &[usize],
    pixels: &[u8],
    normalization: Option<&Normalization>,
    numbers: &mut [f32],
) -> Result<()> {
    if pixels.len() != numbers.len() {
        return Err(other_count(dims, pixels.len()));
    }
    let channels = match dims {
        [channels, _, _] => *channels,
        _ => 1,
    };
    let area = numbers.len() / channels;
    for (at, pixel) in pixels.chunks_exact(channels).enumerate() {
        for (channel, &byte) in pixel.iter().enumerate() {
            numbers[channel * area + at] = f32::from(byte) / 255.0;
        }
    }
    match normalization {
        Some(normalization) => normalization.apply(numbers, channels),
        None => Ok(()),
    }
}

/// The error for another number of bytes, with what they may be.
fn other_count(dims: &[usize], found: usize) -> Error {
    let what = "bytes of an image";
    let [channels, height, width] = *dims else {
        let len: usize = dims.iter().product();
        return Error::size(what, format!("{len}, a byte for each number of the input"), found);
    };
    let Some(len) = channels.checked_mul(height).and_then(|len| len.checked_mul(width)) else {
        return Error::size(what, format!("{channels}×{height}×{width}"), found);
    };
    let expected = format!(
        "{len} ({dims:?}: {height} rows of {width} pixels of {}, row by row, a pixel's channels together)",
        bytes(channels)
    );
    let guesses = guesses([channels, height, width], found);
    let found = match guesses.as_slice() {
        [] => {
            format!("{found}; resize the image to {width}×{height} pixels (width × height) first")
        }
        guesses => format!("{found}, {}", guesses.join(", or ")),
    };
    Error::size(what, expected, found)
}

/// What so many bytes may be, and what is then to do; the likeliest first.
fn guesses([channels, height, width]: [usize; 3], found: usize) -> Vec<String> {
    let mut guesses = Vec::new();
    let area = height.saturating_mul(width);
    for other in [channels, 3, 4, 1, 2] {
        let Some(pixels) = (found > 0 && found.is_multiple_of(other)).then(|| found / other) else {
            continue;
        };
        let convert = match other == channels {
            true => None,
            false => convert(other, channels),
        };
        if other != channels && convert.is_none() {
            continue;
        }
        let size = match pixels == area {
            true => Some([height, width]),
            false => same_aspect([height, width], pixels),
        };
        // A size that the image has nowhere, and a count of channels too, is too far to guess.
        let Some([rows, columns]) = size.filter(|_| pixels == area || other <= 4) else { continue };
        let resize = (pixels != area).then(|| format!("resize it to {width}×{height}"));
        let todo: Vec<String> = convert.into_iter().chain(resize).collect();
        if todo.is_empty() || guesses.iter().any(|(seen, _)| *seen == other) {
            continue;
        }
        let is =
            format!("as {columns}×{rows} pixels of {} have: {}", bytes(other), todo.join(", and "));
        guesses.push((other, is));
    }
    // The right size with other channels is likelier than another size with other channels.
    let sized = |(other, _): &(usize, String)| found / other != area && *other != channels;
    guesses.sort_by_key(|guess| sized(guess));
    guesses.truncate(2);
    let mut guesses: Vec<String> = guesses.into_iter().map(|(_, guess)| guess).collect();
    let len = area.saturating_mul(channels);
    if found > len && len > 0 && found.is_multiple_of(len) && guesses.len() < 2 {
        let count = found / len;
        guesses.push(format!("as {count} images have: give one at a time (`chunks_exact({len})`)"));
    }
    guesses
}

/// How an image of so many channels becomes one of others.
fn convert(from: usize, to: usize) -> Option<String> {
    let how = match (from, to) {
        (3, 1) => "convert it from RGB to grey",
        (4, 1) => "convert it from RGBA to grey, without its alpha",
        (2, 1) => "drop its alpha, every second byte",
        (4, 3) => "drop its alpha, every fourth byte",
        (1, 3) => "convert it from grey to RGB: each byte three times",
        (2, 3) => "convert it from grey with alpha to RGB",
        (3, 4) => "convert it from RGB to RGBA: an alpha of 255 behind each pixel",
        (1, 4) => "convert it from grey to RGBA",
        _ => return None,
    };
    Some(how.into())
}

/// Rows and columns of an image of so many pixels with this aspect.
fn same_aspect([height, width]: [usize; 2], pixels: usize) -> Option<[usize; 2]> {
    // rows² / pixels = height / width
    let rows = (pixels as f64 * height as f64 / width as f64).sqrt().round() as usize;
    let is_whole = rows > 0 && pixels.is_multiple_of(rows);
    let columns = is_whole.then(|| pixels / rows)?;
    let same = rows as u128 * width as u128 == columns as u128 * height as u128;
    same.then_some([rows, columns])
}

fn bytes(channels: usize) -> String {
    match channels {
        1 => "1 byte (grey)".into(),
        2 => "2 bytes (grey with alpha)".into(),
        3 => "3 bytes (RGB)".into(),
        4 => "4 bytes (RGBA)".into(),
        channels => format!("{channels} bytes"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn mistake(dims: &[usize], found: usize) -> String {
        let mut numbers = vec![0.0; dims.iter().product()];
        let error = from_bytes(dims, &vec![0; found], None, &mut numbers).unwrap_err().to_string();
        assert!(numbers.iter().all(|&number| number == 0.0));
        error
    }

    #[test]
    fn pixels_become_planes() {
        let mut numbers = [0.0; 12];
        let pixels: Vec<u8> = (0..12).map(|i| 20 * i).collect();
        from_bytes(&[3, 2, 2], &pixels, None, &mut numbers).unwrap();
        let expected = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].map(|i| (20 * i) as f32 / 255.0);
        assert_eq!(numbers, expected);
    }

    #[test]
    fn both_shapes_and_what_to_do_are_said() {
        assert_eq!(
            mistake(&[1, 28, 28], 28 * 28 * 3),
            "bytes of an image: expected 784 ([1, 28, 28]: 28 rows of 28 pixels of 1 byte (grey), row by \
             row, a pixel's channels together), found 2352, as 28×28 pixels of 3 bytes (RGB) have: \
             convert it from RGB to grey, or as 3 images have: give one at a time \
             (`chunks_exact(784)`)"
        );
        for (dims, found, parts) in [
            (&[3, 32, 32], 32 * 32 * 4, &["32×32 pixels of 4 bytes (RGBA)", "drop its alpha"][..]),
            (&[3, 32, 32], 32 * 32, &["32×32 pixels of 1 byte (grey)", "from grey to RGB"]),
            (&[3, 32, 32], 32 * 32 * 2, &["grey with alpha", "to RGB"]),
            (&[1, 28, 28], 28 * 28 * 2, &["drop its alpha, every second byte"]),
            (&[4, 5, 7], 5 * 7 * 3, &["7×5 pixels of 3 bytes (RGB)", "an alpha of 255"]),
            // Another size of the same aspect, also with other channels.
            (
                &[1, 28, 28],
                56 * 56,
                &["56×56 pixels of 1 byte (grey)", "resize it to 28×28", "RGBA"],
            ),
            (&[3, 20, 30], 40 * 60 * 3, &["60×40 pixels of 3 bytes", "resize it to 30×20"]),
            (&[3, 20, 30], 10 * 15 * 3, &["15×10 pixels of 3 bytes", "resize it to 30×20"]),
            (&[1, 28, 28], 100 * 100 * 3, &["100×100 pixels of 3 bytes", "grey, and resize it to"]),
            (
                &[3, 224, 224],
                641 * 641 * 4,
                &["641×641", "every fourth byte, and resize it to 224×224"],
            ),
            // Whole multiples.
            (&[1, 5, 7], 35 * 11, &["as 11 images have", "`chunks_exact(35)`"]),
            // Nothing in particular.
            (&[1, 5, 7], 101, &["found 101; resize the image to 7×5 pixels"]),
            (&[3, 5, 7], 0, &["found 0; resize the image to 7×5 pixels"]),
            (&[12, 5, 7], 35 * 3, &["of 12 bytes", "found 105"]),
        ] {
            let text = mistake(dims, found);
            assert!(
                text.contains(&format!("({dims:?}: {} rows of {} pixels", dims[1], dims[2])),
                "{text}"
            );
            for part in parts {
                assert!(text.contains(part), "{part:?} in {text}");
            }
        }
        assert_eq!(
            mistake(&[5], 6),
            "bytes of an image: expected 5, a byte for each number of the input, found 6"
        );
    }

    #[test]
    fn every_count_gets_an_answer() {
        for dims in [[1, 1, 1], [1, 6, 8], [3, 4, 4], [4, 3, 9], [2, 2, 5], [7, 3, 2]] {
            let len: usize = dims.iter().product();
            for found in (0..10 * len + 100).filter(|found| *found != len) {
                let text = mistake(&dims, found);
                assert!(text.contains(&format!("expected {len} (")), "{text}");
                assert!(text.contains(&format!("found {found}")) && text.len() < 400, "{text}");
                // No size that is none, and never the size that is wanted.
                assert!(!text.contains(" 0×") && !text.contains("resize it to 0"), "{text}");
            }
        }
        let [huge, one] = [other_count(&[3, 8, 8], usize::MAX), other_count(&[3, 8, 8], 1)];
        assert!(huge.to_string().contains(&format!("found {}", usize::MAX)));
        assert!(one.to_string().len() < 400);
    }
}

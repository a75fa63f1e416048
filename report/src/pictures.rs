//! Small pictures as PNG files in base64: inputs of a net, and filters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};
use typenet_runtime::Normalization;

use crate::record::Picture;
use crate::{Error, Result};

/// How many filters, and how many of their channels, are shown at most.
const FILTERS: usize = 64;
const CHANNELS: usize = 8;
/// How many colour filters stand in a row.
const COLUMNS: usize = 16;
/// The grey value between two filters.
const GAP: u8 = 255;

/// How a picture's channels become colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Channels {
    Grey,
    Rgb,
}

impl Channels {
    pub(crate) fn of(count: usize) -> Option<Channels> {
        match count {
            1 => Some(Channels::Grey),
            3 => Some(Channels::Rgb),
            _ => None,
        }
    }

    fn count(self) -> usize {
        match self {
            Channels::Grey => 1,
            Channels::Rgb => 3,
        }
    }
}

/// An input in the order channel, row, column. Its normalisation is undone; numbers that are not in
/// 0..=1 even so are stretched to it.
pub(crate) fn of_input(
    numbers: &[f32],
    channels: Channels,
    height: usize,
    width: usize,
    normalization: Option<&Normalization>,
) -> Result<Picture> {
    let area = height * width;
    let mut numbers = numbers.to_vec();
    if let Some(normalization) = normalization {
        let stats = normalization.mean.iter().zip(&normalization.std);
        for (channel, (mean, std)) in numbers.chunks_exact_mut(area).zip(stats) {
            channel.iter_mut().for_each(|x| *x = *x * std + mean);
        }
    }
    let finite = || numbers.iter().copied().filter(|x| x.is_finite());
    let (low, high) = (finite().fold(0.0, f32::min), finite().fold(1.0, f32::max));
    // Rounding may leave 1.0000001.
    let (low, high) = if low > -0.01 && high < 1.01 { (0.0, 1.0) } else { (low, high) };
    let byte = |x: f32| (255.0 * (x - low) / (high - low)).round().clamp(0.0, 255.0) as u8;
    let pixel = |x: u32, y: u32| {
        let at = y as usize * width + x as usize;
        let of = |channel: usize| byte(numbers[channel % channels.count() * area + at]);
        image::Rgb([of(0), of(1), of(2)])
    };
    encode(&RgbImage::from_fn(width as u32, height as u32, pixel))
}

/// The filters of a weight `[out, channels, height, width]`: 0 is grey, and the largest number of each
/// filter black or white. Returns the picture and what it shows.
pub(crate) fn of_filters(numbers: &[f32], dims: [usize; 4]) -> Result<(Picture, String)> {
    let [out, channels, height, width] = dims;
    let shown = out.min(FILTERS);
    let is_rgb = channels == 3;
    let columns = if is_rgb || channels == 1 { shown.min(COLUMNS) } else { channels.min(CHANNELS) };
    let rows = if is_rgb || channels == 1 { shown.div_ceil(columns) } else { shown };
    let size = [columns * (width + 1) + 1, rows * (height + 1) + 1].map(|n| n as u32);
    let mut picture = RgbImage::from_pixel(size[0], size[1], image::Rgb([GAP; 3]));
    for filter in 0..shown {
        let own = &numbers[filter * channels * height * width..][..channels * height * width];
        let most = own.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let byte = |x: f32| {
            let share = if most > 0.0 { x / most } else { 0.0 };
            (127.5 * (1.0 + share)).round().clamp(0.0, 255.0) as u8
        };
        let area = height * width;
        let mut draw = |column: usize, row: usize, first: usize, step: usize| {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let of =
                    |channel: usize| byte(own[(first + channel * step) * area + y * width + x]);
                let at = [column * (width + 1) + 1 + x, row * (height + 1) + 1 + y];
                picture.put_pixel(at[0] as u32, at[1] as u32, image::Rgb([of(0), of(1), of(2)]));
            }
        };
        if is_rgb || channels == 1 {
            draw(filter % columns, filter / columns, 0, usize::from(is_rgb));
        } else {
            (0..columns).for_each(|channel| draw(channel, filter, channel, 0));
        }
    }
    let of = if shown < out { format!("the first {shown} of {out}") } else { format!("all {out}") };
    let caption = match channels {
        1 => format!("{of} filters; grey is 0"),
        3 => format!("{of} filters in their colours; grey is 0"),
        _ if channels > columns => {
            format!("{of} filters, one a row, with the first {columns} of {channels} channels")
        }
        _ => format!("{of} filters, one a row, with their {channels} channels; grey is 0"),
    };
    Ok((encode(&picture)?, caption))
}

fn encode(picture: &RgbImage) -> Result<Picture> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(Error::draw("picture"))?;
    let (width, height) = picture.dimensions();
    Ok(Picture { width, height, png: STANDARD.encode(bytes.into_inner()) })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    fn decoded(picture: &Picture) -> RgbImage {
        let bytes = STANDARD.decode(&picture.png).expect("base64");
        image::load_from_memory(&bytes).expect("a PNG file").into_rgb8()
    }

    #[test]
    fn an_input_is_shown_as_it_was_before_it_was_normalised() {
        let normalization = Normalization { mean: vec![0.5; 3], std: vec![0.25; 3] };
        let pixels = [0.0, 0.25, 0.5, 1.0, 0.75, 0.0];
        let numbers: Vec<f32> = pixels.iter().map(|x| (x - 0.5) / 0.25).collect();
        let picture = of_input(&numbers, Channels::Rgb, 1, 2, Some(&normalization)).expect("drawn");
        let image = decoded(&picture);
        assert_eq!(image.dimensions(), (2, 1));
        assert_eq!(image.get_pixel(0, 0).0, [0, 128, 191]);
        assert_eq!(image.get_pixel(1, 0).0, [64, 255, 0]);
    }

    #[test]
    fn numbers_outside_0_to_1_are_stretched_and_nan_is_no_panic() {
        let picture = of_input(&[-2.0, 2.0, f32::NAN, 0.0], Channels::Grey, 2, 2, None);
        let image = decoded(&picture.expect("drawn"));
        assert_eq!(image.get_pixel(0, 0).0, [0; 3]);
        assert_eq!(image.get_pixel(1, 0).0, [255; 3]);
        assert_eq!(image.get_pixel(1, 1).0, [128; 3]);
    }

    #[test]
    fn a_filter_of_three_channels_is_a_colour_picture() {
        // Two filters of 1×1: red against green and blue; nothing at all.
        let (picture, caption) =
            of_filters(&[0.5, -0.5, -0.5, 0.0, 0.0, 0.0], [2, 3, 1, 1]).expect("drawn");
        let image = decoded(&picture);
        assert_eq!(image.dimensions(), (5, 3));
        assert_eq!(image.get_pixel(1, 1).0, [255, 0, 0]);
        assert_eq!(image.get_pixel(3, 1).0, [128; 3]);
        assert_eq!(caption, "all 2 filters in their colours; grey is 0");
    }

    #[test]
    fn filters_of_many_channels_have_a_row_each() {
        let numbers: Vec<f32> = (0..3 * 12).map(|i| i as f32).collect();
        let (picture, caption) = of_filters(&numbers, [3, 12, 1, 1]).expect("drawn");
        let image = decoded(&picture);
        assert_eq!(image.dimensions(), (17, 7));
        assert_eq!(image.get_pixel(3, 1).0, [(127.5f32 * (1.0 + 1.0 / 11.0)).round() as u8; 3]);
        assert!(caption.contains("first 8 of 12 channels"), "{caption}");
    }
}

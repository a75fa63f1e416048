//! Decoded images as a net's numbers: with the feature `image`.

use ::image::imageops::{self, FilterType};
use ::image::{DynamicImage, GrayImage, ImageBuffer, Luma, Pixel, Rgb, RgbImage, Rgba};

use super::pixels;
use crate::{Error, Normalization, Result};

/// How an image becomes a net's input: for
/// [`Network::input_from_image`](crate::Network::input_from_image).
///
/// Use the same options as for the training images: a net that was trained on stretched images has not seen
/// cropped ones.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ImageOptions {
    resize: Resize,
    channels: Channels,
    background: [u8; 3],
}

impl ImageOptions {
    /// Resizes and converts to these channels, on a black background.
    pub fn new(resize: Resize, channels: Channels) -> ImageOptions {
        ImageOptions { resize, channels, background: [0; 3] }
    }

    /// The background colour (red, green, blue), `[0, 0, 0]` by default: of the bars of [`Resize::Fit`], and
    /// behind transparent pixels where the net has no alpha channel.
    #[must_use]
    pub fn background(self, background: [u8; 3]) -> ImageOptions {
        ImageOptions { background, ..self }
    }
}

/// How an image is resized to a net's input. A filter computes the new pixels: `FilterType::Triangle` is
/// also known as bilinear (with antialiasing, as in Pillow), `CatmullRom` as bicubic.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Resize {
    /// No resizing: an image of another size is an error.
    Exact,
    /// To width and height, each by its own factor.
    Stretch(FilterType),
    /// Keeps the aspect ratio and fits the whole image into the middle of the input; bars of the background
    /// fill the rest.
    Fit(FilterType),
    /// Keeps the aspect ratio and fills the input; what sticks out at two sides, half at each, is cut off
    /// (a centre crop).
    Crop(FilterType),
}

/// The channels of a net's input, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channels {
    /// One: `0.299 R + 0.587 G + 0.114 B`, as in Pillow and torchvision.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red: for nets that were trained on images read with OpenCV.
    Bgr,
    /// Red, green, blue and alpha, which is 0 where a pixel is transparent.
    Rgba,
}

impl Channels {
    fn count(self) -> usize {
        match self {
            Channels::Grey => 1,
            Channels::Rgb | Channels::Bgr => 3,
            Channels::Rgba => 4,
        }
    }
}

/// Writes an image into a net's input of this shape (channel, row, column), scaled to 0..=1 and
/// normalised.
///
/// # Errors
/// [`Error::Size`] when the input is no image, has another number of channels than the options or the
/// normalisation, or another size than the image where that stays as it is; or the image has no pixels.
pub(crate) fn from_image(
    dims: &[usize],
    image: &DynamicImage,
    options: &ImageOptions,
    normalization: Option<&Normalization>,
    numbers: &mut [f32],
) -> Result<()> {
    pixels::from_bytes(dims, &to_bytes(dims, image, options)?, normalization, numbers)
}

/// The image in the size and with the channels of a net's input of this shape (channel, row, column), as
/// bytes in the order row, column, channel.
///
/// # Errors
/// [`Error::Size`] as [`from_image`].
pub(super) fn to_bytes(
    dims: &[usize],
    image: &DynamicImage,
    options: &ImageOptions,
) -> Result<Vec<u8>> {
    let size = check(dims, image, options)?;
    let &ImageOptions { resize, channels, background } = options;
    Ok(match channels {
        Channels::Rgba => {
            let [r, g, b] = background;
            sized(image.to_rgba8(), resize, size, Rgba([r, g, b, 255])).into_raw()
        }
        Channels::Rgb => {
            sized(on_background(image, background), resize, size, Rgb(background)).into_raw()
        }
        Channels::Bgr => {
            let mut pixels = sized(on_background(image, background), resize, size, Rgb(background));
            pixels.pixels_mut().for_each(|pixel| pixel.0.reverse());
            pixels.into_raw()
        }
        Channels::Grey => {
            let colours = on_background(image, background);
            let pixels = colours.pixels().map(|pixel| grey(pixel.0)).collect();
            let (width, height) = colours.dimensions();
            // Just as many pixels.
            let greys = GrayImage::from_raw(width, height, pixels).unwrap_or_default();
            sized(greys, resize, size, Luma([grey(background)])).into_raw()
        }
    })
}

/// Checks that images can become inputs of this shape; returns their width and height then.
pub(super) fn check_options(dims: &[usize], options: &ImageOptions) -> Result<[u32; 2]> {
    let &[channels, height, width] = dims else {
        let expected = "[channels, height, width] for an image";
        return Err(Error::size("the shape of the net's input", expected, format!("{dims:?}")));
    };
    let found = options.channels.count();
    if channels != found {
        let way_out = match channels {
            1 => "say `Channels::Grey`",
            3 => "say `Channels::Rgb` or `Channels::Bgr`",
            4 => "say `Channels::Rgba`",
            _ => "no image has as many: fill the input by hand, with `input`",
        };
        return Err(Error::size(
            format!("channels of `Channels::{:?}`", options.channels),
            format!("{channels}, as the net's input {dims:?} has ({way_out})"),
            found,
        ));
    }
    let too_large = |_| Error::size("the net's input", "a side below 2³²", format!("{dims:?}"));
    Ok([u32::try_from(width).map_err(too_large)?, u32::try_from(height).map_err(too_large)?])
}

/// Checks that the image can become an input of this shape; returns its width and height then.
fn check(dims: &[usize], image: &DynamicImage, options: &ImageOptions) -> Result<[u32; 2]> {
    let size @ [width, height] = check_options(dims, options)?;
    let (found_width, found_height) = (image.width(), image.height());
    let found = format!("{found_width}×{found_height} pixels");
    if found_width == 0 || found_height == 0 {
        return Err(Error::size("the image", "at least 1×1 pixels", found));
    }
    if options.resize == Resize::Exact && size != [found_width, found_height] {
        let expected = format!("{width}×{height} pixels, as it is `Resize::Exact`");
        return Err(Error::size("the image", expected, found));
    }
    Ok(size)
}

/// The image in full colour, with the background behind transparent pixels.
fn on_background(image: &DynamicImage, background: [u8; 3]) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let pixels = image.to_rgba8();
    RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let &Rgba([r, g, b, alpha]) = pixels.get_pixel(x, y);
        let alpha = u32::from(alpha);
        let mix = |front: u8, back: u8| {
            ((u32::from(front) * alpha + u32::from(back) * (255 - alpha) + 127) / 255) as u8
        };
        let [r, g, b] = [mix(r, background[0]), mix(g, background[1]), mix(b, background[2])];
        Rgb([r, g, b])
    })
}

/// The luma of ITU-R BT.601, rounded, in units of 2⁻¹⁶ whose weights add up to 1: grey stays as it is.
fn grey([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
}

type Buffer<P> = ImageBuffer<P, Vec<u8>>;

/// The image with this width and height.
fn sized<P>(image: Buffer<P>, resize: Resize, [width, height]: [u32; 2], background: P) -> Buffer<P>
where
    P: Pixel<Subpixel = u8> + 'static,
{
    let (from_width, from_height) = image.dimensions();
    if [from_width, from_height] == [width, height] {
        return image;
    }
    // Which side decides: the image is wider than the input, in proportion.
    let [across, down] =
        [u64::from(from_width) * u64::from(height), u64::from(from_height) * u64::from(width)];
    match resize {
        Resize::Exact => image,
        Resize::Stretch(filter) => imageops::resize(&image, width, height, filter),
        Resize::Fit(filter) => {
            let inner = match across >= down {
                true => [width, share(height, down, across)],
                false => [share(width, across, down), height],
            };
            let inner_image = imageops::resize(&image, inner[0], inner[1], filter);
            let mut whole = Buffer::from_pixel(width, height, background);
            let left = i64::from((width - inner[0]) / 2);
            let top = i64::from((height - inner[1]) / 2);
            imageops::replace(&mut whole, &inner_image, left, top);
            whole
        }
        Resize::Crop(filter) => {
            let inner = match across >= down {
                true => [share(from_width, down, across), from_height],
                false => [from_width, share(from_height, across, down)],
            };
            let (left, top) = ((from_width - inner[0]) / 2, (from_height - inner[1]) / 2);
            let part = imageops::crop_imm(&image, left, top, inner[0], inner[1]).to_image();
            imageops::resize(&part, width, height, filter)
        }
    }
}

/// `side · part / whole`, rounded, at least 1; `part` is at most `whole`.
fn share(side: u32, part: u64, whole: u64) -> u32 {
    let share = (u128::from(side) * u128::from(part) + u128::from(whole) / 2) / u128::from(whole);
    u32::try_from(share).unwrap_or(side).clamp(1, side)
}

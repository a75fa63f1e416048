//! Image files of strangers as grey pictures.

use std::io::Cursor;

use axum::body::Bytes;
use axum::http::StatusCode;
use typenet::image::error::ImageError;
use typenet::image::{
    self, DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits,
};

use crate::refusal::Refusal;

/// The longest side of an image.
const MOST_PIXELS: u32 = 4096;
/// The memory that decoding may take.
const MOST_BYTES: u64 = 96 << 20;

/// A file's picture, upright, what is transparent in it on white paper. Takes as long as a large image does: not for
/// threads that must not block.
pub(crate) fn decode(file: Bytes) -> Result<GrayImage, Refusal> {
    let mut reader = ImageReader::new(Cursor::new(file));
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|error| broken(&error.into()))?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Refusal::new(status, "neither a PNG nor a JPEG file"));
    }
    let mut decoder = reader.into_decoder().map_err(|error| broken(&error))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Refusal::unprocessable("the image has no pixels"));
    }
    let orientation = decoder.orientation().map_err(|error| broken(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    picture.apply_orientation(orientation);
    Ok(grey(&picture))
}

fn grey(picture: &DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.to_luma8();
    }
    let shades = picture.to_luma_alpha8();
    GrayImage::from_fn(shades.width(), shades.height(), |x, y| {
        let [shade, alpha] = shades.get_pixel(x, y).0.map(u32::from);
        let on_white = (shade * alpha + 255 * (255 - alpha)) / 255;
        image::Luma([u8::try_from(on_white).unwrap_or(u8::MAX)])
    })
}

fn broken(error: &ImageError) -> Refusal {
    match error {
        ImageError::Limits(_) => {
            let why = format!("the image is too large: {MOST_PIXELS}×{MOST_PIXELS} at most");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, why)
        }
        ImageError::Unsupported(_) => {
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string())
        }
        _ => Refusal::unprocessable(error.to_string()),
    }
}

//! Decoded images as inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Cursor;

use typenet::Normalization;
use typenet::image::imageops::FilterType;
use typenet::image::{
    self, DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use typenet::prelude::*;

network! { struct Colour: [3, 2, 4] -> [2] { flatten, linear(2) } }
network! { struct Grey: [1, 2, 4] -> [2] { flatten, linear(2) } }
network! { struct Alpha: [4, 2, 4] -> [2] { flatten, linear(2) } }
network! { struct Two: [2, 2, 4] -> [2] { flatten, linear(2) } }
network! { struct Features: [8] -> [2] { linear(2) } }

/// A picture of 4×2 pixels with other numbers in each.
fn picture() -> RgbImage {
    RgbImage::from_fn(4, 2, |x, y| Rgb([x as u8 * 60, y as u8 * 200, (x + y) as u8 * 50 + 1]))
}

fn options(resize: Resize, channels: Channels) -> ImageOptions {
    ImageOptions::new(resize, channels)
}

fn bytes(input: &[[[f32; 4]; 2]]) -> Vec<Vec<u8>> {
    let plane =
        |plane: &[[f32; 4]; 2]| plane.as_flattened().iter().map(|x| (x * 255.0) as u8).collect();
    input.iter().map(plane).collect()
}

fn grey(image: &DynamicImage, resize: Resize, background: u8) -> Vec<u8> {
    let options = options(resize, Channels::Grey).background([background; 3]);
    bytes(&*Grey::seeded(1).input_from_image(image, &options).unwrap()).concat()
}

#[test]
fn a_file_of_the_right_size_is_its_bytes() {
    let mut net = Colour::seeded(1);
    net.metadata_mut().normalization =
        Some(Normalization { mean: vec![0.5, 0.25, 0.1], std: vec![0.5, 2.0, 0.3] });
    let mut file = Cursor::new(Vec::new());
    picture().write_to(&mut file, ImageFormat::Png).unwrap();
    let decoded = image::load_from_memory(file.get_ref()).unwrap();
    let expected = net.input_from_u8(&picture().into_raw()).unwrap();
    for resize in [
        Resize::Exact,
        Resize::Stretch(FilterType::Lanczos3),
        Resize::Fit(FilterType::Gaussian),
        Resize::Crop(FilterType::Triangle),
    ] {
        let input = net.input_from_image(&decoded, &options(resize, Channels::Rgb)).unwrap();
        assert_eq!(input, expected, "{resize:?}");
        let reversed = net.input_from_image(&decoded, &options(resize, Channels::Bgr)).unwrap();
        let mut turned = picture();
        turned.pixels_mut().for_each(|pixel| pixel.0.reverse());
        assert_eq!(reversed, net.input_from_u8(&turned.into_raw()).unwrap());
    }
    // Red in the second column of the first row: 60 / 255.
    assert_eq!(expected[0][0][1], (60.0 / 255.0 - 0.5) / 0.5);
}

#[test]
fn a_jpeg_file_is_read() {
    let mut file = Cursor::new(Vec::new());
    GrayImage::from_pixel(8, 4, Luma([200])).write_to(&mut file, ImageFormat::Jpeg).unwrap();
    let decoded = image::load_from_memory(file.get_ref()).unwrap();
    let found = grey(&decoded, Resize::Stretch(FilterType::Triangle), 0);
    assert!(found.iter().all(|&x| x.abs_diff(200) <= 1), "{found:?}");
}

#[test]
fn colours_become_grey_as_luma_weighs_them() {
    let colours = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
        [10, 200, 90],
        [1, 2, 3],
        [77, 77, 77],
        [0, 0, 0],
    ];
    let image = RgbImage::from_fn(4, 2, |x, y| Rgb(colours[(4 * y + x) as usize]));
    // By hand: 0.299 R + 0.587 G + 0.114 B, rounded.
    assert_eq!(grey(&image.into(), Resize::Exact, 0), [76, 150, 29, 255, 131, 2, 77, 0]);
}

#[test]
fn an_image_is_stretched_fitted_or_cropped() {
    // Columns of 0, 10, … 70, twice as many as the input has, in 2 rows.
    let wide: DynamicImage = GrayImage::from_fn(8, 2, |x, _| Luma([10 * x as u8])).into();
    let nearest = FilterType::Nearest;
    let stretched = grey(&wide, Resize::Stretch(nearest), 0);
    assert_eq!(stretched[..4], stretched[4..]);
    assert!(stretched.windows(2).take(3).all(|pair| pair[1] - pair[0] == 20), "{stretched:?}");
    // Each pixel the mean of its neighbours: the columns' order and mean stay.
    let smooth = grey(&wide, Resize::Stretch(FilterType::Triangle), 0);
    assert!(
        (33..=37).contains(&(smooth.iter().map(|&x| u32::from(x)).sum::<u32>() / 8)),
        "{smooth:?}"
    );
    // Half as high, so one row of image and one of background.
    let fitted = grey(&wide, Resize::Fit(nearest), 9);
    assert_eq!((&fitted[..4], &fitted[4..]), (&stretched[..4], &[9; 4][..]));
    assert_eq!(grey(&wide, Resize::Crop(nearest), 9), [20, 30, 40, 50, 20, 30, 40, 50]);

    // Rows of 0, 10, … 70, twice too high for its width.
    let high: DynamicImage = GrayImage::from_fn(4, 4, |_, y| Luma([10 * y as u8 + 5])).into();
    assert_eq!(grey(&high, Resize::Crop(nearest), 9), [15, 15, 15, 15, 25, 25, 25, 25]);
    let fitted = grey(&high, Resize::Fit(nearest), 9);
    assert_eq!([fitted[0], fitted[3], fitted[4], fitted[7]], [9; 4]);
    assert_eq!((fitted[1], fitted[1] - 5), (fitted[2], 10 * ((fitted[1] - 5) / 10)));

    // Larger: every pixel four times.
    let small: DynamicImage = GrayImage::from_fn(2, 1, |x, _| Luma([x as u8 + 7])).into();
    for resize in [Resize::Stretch(nearest), Resize::Fit(nearest), Resize::Crop(nearest)] {
        assert_eq!(grey(&small, resize, 0), [7, 7, 8, 8, 7, 7, 8, 8], "{resize:?}");
    }
}

#[test]
fn what_is_transparent_shows_the_background() {
    let colours = |alpha| Rgba([200, 100, 0, alpha]);
    let image = RgbaImage::from_fn(4, 2, |x, _| colours([0, 51, 204, 255][x as usize]));
    let image = DynamicImage::from(image);
    let (net, channels) = (Colour::seeded(1), Channels::Rgb);
    let on = options(Resize::Exact, channels).background([10, 100, 255]);
    let found = bytes(&*net.input_from_image(&image, &on).unwrap());
    assert_eq!(found[0][..4], [10, 48, 162, 200]);
    assert_eq!(found[1][..4], [100; 4]);
    assert_eq!(found[2][..4], [255, 204, 51, 0]);
    // A net with a channel for alpha gets it as it is.
    let found = Alpha::seeded(1).input_from_image(&image, &options(Resize::Exact, Channels::Rgba));
    let found = bytes(&*found.unwrap());
    assert_eq!((found[0][0], &found[3][..4]), (200, &[0, 51, 204, 255][..]));
    // An image without alpha is opaque, and so are bars.
    let line = DynamicImage::from(RgbImage::from_pixel(4, 1, Rgb([1, 2, 3])));
    let fit = options(Resize::Fit(FilterType::Nearest), Channels::Rgba).background([9, 8, 7]);
    let found = bytes(&*Alpha::seeded(1).input_from_image(&line, &fit).unwrap());
    assert_eq!(found[3], [255; 8]);
    assert_eq!((found[0][0], found[0][4], found[2][4]), (1, 9, 7));
}

#[test]
fn images_of_any_kind_become_bytes() {
    let deep = ImageBuffer::from_pixel(4, 2, Luma([0x5151_u16]));
    assert_eq!(grey(&DynamicImage::ImageLuma16(deep), Resize::Exact, 0), [0x51; 8]);
    let half = ImageBuffer::from_pixel(4, 2, LumaA([100_u8, 0]));
    assert_eq!(grey(&DynamicImage::ImageLumaA8(half), Resize::Exact, 30), [30; 8]);
    let float = ImageBuffer::from_pixel(4, 2, Rgb([1.0_f32, 1.0, 1.0]));
    assert_eq!(grey(&DynamicImage::ImageRgb32F(float), Resize::Exact, 0), [255; 8]);
    // Grey as colours: the same in each channel.
    let plain = DynamicImage::from(GrayImage::from_pixel(4, 2, Luma([8])));
    let input =
        Colour::seeded(1).input_from_image(&plain, &options(Resize::Exact, Channels::Rgb)).unwrap();
    assert_eq!(bytes(&*input), [[8; 8]; 3]);
}

#[test]
fn what_does_not_fit_says_so() {
    let image = DynamicImage::from(picture());
    let exact = |channels| options(Resize::Exact, channels);
    let rgb = exact(Channels::Rgb);
    let text = |found: typenet::Result<()>| found.unwrap_err().to_string();
    assert_eq!(
        text(Grey::seeded(1).input_from_image(&image, &rgb).map(drop)),
        "channels of `Channels::Rgb`: expected 1, as the net's input [1, 2, 4] has (say \
         `Channels::Grey`), found 3"
    );
    let found = text(Colour::seeded(1).input_from_image(&image, &exact(Channels::Grey)).map(drop));
    assert!(found.contains("`Channels::Rgb` or `Channels::Bgr`"), "{found}");
    let found = text(Alpha::seeded(1).input_from_image(&image, &rgb).map(drop));
    assert!(found.contains("`Channels::Rgba`"), "{found}");
    let found = text(Two::seeded(1).input_from_image(&image, &rgb).map(drop));
    assert!(found.contains("no image has as many"), "{found}");
    assert_eq!(
        text(Features::seeded(1).input_from_image(&image, &rgb).map(drop)),
        "the shape of the net's input: expected [channels, height, width] for an image, found [8]"
    );
    let net = Colour::seeded(1);
    let larger = DynamicImage::from(RgbImage::new(2, 4));
    assert_eq!(
        text(net.input_from_image(&larger, &rgb).map(drop)),
        "the image: expected 4×2 pixels, as it is `Resize::Exact`, found 2×4 pixels"
    );
    for size in [[0, 0], [0, 3], [3, 0]] {
        let empty = DynamicImage::from(RgbImage::new(size[0], size[1]));
        let crop = options(Resize::Crop(FilterType::Triangle), Channels::Rgb);
        let found = text(net.input_from_image(&empty, &crop).map(drop));
        assert!(found.starts_with("the image: expected at least 1×1 pixels"), "{found}");
    }
    let mut net = net;
    net.metadata_mut().normalization = Some(Normalization { mean: vec![0.5], std: vec![0.5] });
    assert!(text(net.input_from_image(&image, &rgb).map(drop)).contains("channels of the mean"));
}

#[test]
fn every_size_and_mode_keeps_an_even_colour() {
    let sizes = [1, 2, 3, 5, 8, 31, 200];
    let filters =
        [FilterType::Nearest, FilterType::Triangle, FilterType::CatmullRom, FilterType::Lanczos3];
    for width in sizes {
        for height in sizes {
            let image = DynamicImage::from(GrayImage::from_pixel(width, height, Luma([90])));
            for filter in filters {
                for resize in [Resize::Stretch(filter), Resize::Fit(filter), Resize::Crop(filter)] {
                    let found = grey(&image, resize, 90);
                    assert!(
                        found.iter().all(|&x| x.abs_diff(90) <= 1),
                        "{width}×{height} {resize:?}: {found:?}"
                    );
                }
            }
        }
    }
}

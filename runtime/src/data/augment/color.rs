//! Changes of brightness, contrast, saturation and hue, with the formulas of torchvision's `ColorJitter`
//! for tensors.

use rand::seq::SliceRandom;

use super::draw::Dice;
use super::picture::Picture;

/// How far each may go.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct ColorJitter {
    pub(super) brightness: f64,
    pub(super) contrast: f64,
    pub(super) saturation: f64,
    pub(super) hue: f64,
}

#[derive(Clone, Copy)]
enum Change {
    Brightness(f32),
    Contrast(f32),
    Saturation(f32),
    Hue(f32),
}

pub(super) fn jitter(picture: &mut Picture<'_>, jitter: ColorJitter, dice: &mut Dice) {
    let ColorJitter { brightness, contrast, saturation, hue } = jitter;
    let mut factor = |most: f64| dice.between((1.0 - most).max(0.0), 1.0 + most) as f32;
    let mut changes = [
        (brightness > 0.0, Change::Brightness(factor(brightness))),
        (contrast > 0.0, Change::Contrast(factor(contrast))),
        (saturation > 0.0, Change::Saturation(factor(saturation))),
        (hue > 0.0, Change::Hue(dice.between(-hue, hue) as f32)),
    ];
    changes.shuffle(dice.generator());
    if changes.iter().all(|(is_wanted, _)| !is_wanted) {
        return;
    }
    if let Some(normalization) = picture.normalization {
        let levels = normalization.mean.iter().zip(&normalization.std);
        picture.planes().zip(levels).for_each(|(plane, (mean, std))| {
            plane.iter_mut().for_each(|number| *number = *number * std + mean);
        });
    }
    for (_, change) in changes.iter().filter(|(is_wanted, _)| *is_wanted) {
        apply(picture, *change);
    }
    if let Some(normalization) = picture.normalization {
        let levels = normalization.mean.iter().zip(&normalization.std);
        picture.planes().zip(levels).for_each(|(plane, (mean, std))| {
            plane.iter_mut().for_each(|number| *number = (*number - mean) / std);
        });
    }
}

fn apply(picture: &mut Picture<'_>, change: Change) {
    match change {
        Change::Brightness(factor) => {
            picture.numbers.iter_mut().for_each(|number| *number = blend(*number, 0.0, factor));
        }
        Change::Contrast(factor) => {
            let area = picture.height * picture.width;
            let sum: f64 = if picture.channels == 3 {
                let (red, others) = picture.numbers.split_at(area);
                let pixels = red.iter().zip(&others[..area]).zip(&others[area..]);
                pixels.map(|((&r, &g), &b)| f64::from(grey([r, g, b]))).sum()
            } else {
                picture.numbers.iter().copied().map(f64::from).sum()
            };
            let mean = (sum / area as f64) as f32;
            picture.numbers.iter_mut().for_each(|number| *number = blend(*number, mean, factor));
        }
        Change::Saturation(factor) => each_pixel(picture, |pixel| {
            let grey = grey(pixel);
            pixel.map(|number| blend(number, grey, factor))
        }),
        Change::Hue(shift) => each_pixel(picture, |pixel| turn_hue(pixel, shift)),
    }
}

/// Grey images have no colours to change.
fn each_pixel(picture: &mut Picture<'_>, change: impl Fn([f32; 3]) -> [f32; 3]) {
    if picture.channels != 3 {
        return;
    }
    let area = picture.height * picture.width;
    let (red, others) = picture.numbers.split_at_mut(area);
    let (green, blue) = others.split_at_mut(area);
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        [*r, *g, *b] = change([*r, *g, *b]);
    }
}

fn blend(number: f32, other: f32, factor: f32) -> f32 {
    (factor * number + (1.0 - factor) * other).clamp(0.0, 1.0)
}

fn grey([r, g, b]: [f32; 3]) -> f32 {
    0.2989 * r + 0.587 * g + 0.114 * b
}

/// Moves the hue by a share of the circle.
fn turn_hue(pixel: [f32; 3], shift: f32) -> [f32; 3] {
    let [hue, saturation, value] = to_hsv(pixel);
    from_hsv([(hue + shift).rem_euclid(1.0), saturation, value])
}

/// Hue, saturation and value (A. R. Smith, "Color gamut transform pairs", 1978), each 0..=1.
fn to_hsv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let range = most - least;
    if range <= 0.0 {
        return [0.0, 0.0, most];
    }
    let [red, green, blue] = [r, g, b].map(|number| (most - number) / range);
    let hue = if most == r {
        blue - green
    } else if most == g {
        2.0 + red - blue
    } else {
        4.0 + green - red
    };
    [(hue / 6.0).rem_euclid(1.0), range / most, most]
}

fn from_hsv([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let sixth = hue * 6.0;
    let whole = sixth.floor();
    let part = sixth - whole;
    let low = (value * (1.0 - saturation)).clamp(0.0, 1.0);
    let falling = (value * (1.0 - saturation * part)).clamp(0.0, 1.0);
    let rising = (value * (1.0 - saturation * (1.0 - part))).clamp(0.0, 1.0);
    match whole as usize % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_are_those_of_the_colour_circle() {
        for (pixel, hsv) in [
            ([1.0, 0.0, 0.0], [0.0, 1.0, 1.0]),
            ([1.0, 1.0, 0.0], [1.0 / 6.0, 1.0, 1.0]),
            ([0.0, 0.5, 0.0], [1.0 / 3.0, 1.0, 0.5]),
            ([0.0, 1.0, 1.0], [0.5, 1.0, 1.0]),
            ([0.25, 0.25, 0.5], [2.0 / 3.0, 0.5, 0.5]),
            ([1.0, 0.0, 1.0], [5.0 / 6.0, 1.0, 1.0]),
            ([0.3, 0.3, 0.3], [0.0, 0.0, 0.3]),
            ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ] {
            let found = to_hsv(pixel);
            (0..3).for_each(|i| assert!((found[i] - hsv[i]).abs() <= 1e-6, "{found:?} {hsv:?}"));
            let back = from_hsv(found);
            (0..3).for_each(|i| assert!((back[i] - pixel[i]).abs() <= 1e-6, "{back:?} {pixel:?}"));
        }
    }

    #[test]
    fn a_third_of_the_circle_turns_red_into_green() {
        let green = turn_hue([0.8, 0.1, 0.1], 1.0 / 3.0);
        let expected = [0.1, 0.8, 0.1];
        (0..3).for_each(|i| assert!((green[i] - expected[i]).abs() <= 1e-6, "{green:?}"));
        let blue = turn_hue([0.8, 0.1, 0.1], -1.0 / 3.0);
        let expected = [0.1, 0.1, 0.8];
        (0..3).for_each(|i| assert!((blue[i] - expected[i]).abs() <= 1e-6, "{blue:?}"));
    }

    #[test]
    fn any_pixel_comes_back_from_hsv() {
        for i in 0..4096u16 {
            let pixel = [i & 15, (i >> 4) & 15, i >> 8].map(|level| f32::from(level) / 15.0);
            let back = from_hsv(to_hsv(pixel));
            (0..3).for_each(|c| assert!((back[c] - pixel[c]).abs() <= 1e-6, "{back:?} {pixel:?}"));
        }
    }
}

//! What the arguments of changes may be.

use std::fmt;

use super::color::ColorJitter;
use super::picture::Border;
use super::{Augment, Change};
use crate::data::ArrayShape;
use crate::data::shape::image_dims;
use crate::{Error, Normalization, Result};

/// The largest standard deviation of an elastic deformation, in sides of the image.
const WIDEST: f64 = 4.0;

impl Augment {
    /// Checks that the changes can be made to images of this type; returns their channels, height and
    /// width.
    pub(in crate::data) fn check<I: ArrayShape>(
        &self,
        normalization: Option<&Normalization>,
    ) -> Result<[usize; 3]> {
        let dims = image_dims::<I>()?;
        if let Some(Normalization { mean, std }) = normalization {
            for (what, of) in [("channels of the mean", mean), ("channels of the std", std)] {
                if of.len() != dims[0] {
                    return Err(Error::size(what, dims[0], of.len()));
                }
            }
        }
        self.changes.iter().try_for_each(|change| check(change, dims))?;
        Ok(dims)
    }
}

fn check(change: &Change, [channels, height, width]: [usize; 3]) -> Result<()> {
    let least_side = height.min(width);
    match *change {
        Change::AlternatingFlip => Ok(()),
        Change::Crop { padding, border } => {
            let most = match border {
                Border::Reflect => least_side - 1,
                Border::Zeros | Border::Replicate => least_side,
            };
            let expected = "at most a side of the image, and less than one with `Border::Reflect`";
            range("padding", padding, padding <= most, expected)
        }
        Change::HorizontalFlip(probability) | Change::VerticalFlip(probability) => {
            check_probability(probability)
        }
        Change::Cutout(size) => {
            let is_right = (1..=2 * height.max(width)).contains(&size);
            range("cutout", size, is_right, "1 to two sides of the image")
        }
        Change::Erasing { probability, scale, ratio } => {
            check_probability(probability)?;
            let expected = "least and most share of the area, 0 to 1";
            let is_right = 0.0 <= scale[0] && scale[0] <= scale[1] && scale[1] <= 1.0;
            range("scale", LeastAndMost(scale), is_right, expected)?;
            check_positive_range("ratio", ratio)
        }
        Change::ColorJitter(ColorJitter { brightness, contrast, saturation, hue }) => {
            if ![1, 3].contains(&channels) {
                let what = "channels of images whose colours change";
                return Err(Error::size(what, "1, or 3 for red, green and blue", channels));
            }
            for (name, value) in
                [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)]
            {
                let is_right = value >= 0.0 && value.is_finite();
                range(name, value, is_right, "a finite number of 0 or more")?;
            }
            range("hue", hue, (0.0..=0.5).contains(&hue), "0 to 0.5 of the colour circle")
        }
        Change::Rotation { degrees, .. } => {
            range("rotation", degrees, (0.0..=180.0).contains(&degrees), "0 to 180 degrees")
        }
        Change::Scale { range, .. } => check_positive_range("scale", range),
        Change::Translation { share, .. } => {
            range("translation", share, (0.0..=1.0).contains(&share), "0 to 1 of the image's sides")
        }
        Change::Elastic { alpha, sigma, .. } => {
            let is_right = (0.0..=1e6).contains(&alpha);
            range("alpha", alpha, is_right, "0 to a million pixels")?;
            let widest = WIDEST * height.max(width) as f64;
            let is_right = sigma > 0.0 && sigma <= widest;
            range("sigma", sigma, is_right, "above 0, and at most four sides of the image")
        }
    }
}

/// Written out only for an argument that is refused: a step allocates nothing.
struct LeastAndMost([f64; 2]);

impl fmt::Display for LeastAndMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

fn range(
    name: &'static str,
    value: impl ToString,
    is_right: bool,
    expected: &'static str,
) -> Result<()> {
    if is_right {
        return Ok(());
    }
    Err(Error::Argument { name, value: value.to_string(), expected })
}

fn check_probability(probability: f64) -> Result<()> {
    let is_right = (0.0..=1.0).contains(&probability);
    range("probability", probability, is_right, "a probability of 0 to 1")
}

fn check_positive_range(name: &'static str, [least, most]: [f64; 2]) -> Result<()> {
    let is_right = 0.0 < least && least <= most && most.is_finite();
    let expected = "least and most of a factor, both above 0 and finite";
    range(name, LeastAndMost([least, most]), is_right, expected)
}

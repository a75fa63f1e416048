//! Data augmentation: random changes of images, so that a net learns what does not matter.

mod check;
mod color;
mod draw;
mod erase;
mod picture;
mod shift;
mod warp;

use self::color::ColorJitter;
use self::picture::Picture;
use self::warp::{Move, Warp};
use super::ArrayShape;
use crate::{Normalization, Result};

pub use draw::Draw;
pub(super) use draw::{Dice, EpochSeed};
pub use picture::Border;
pub(super) use picture::Scratch;

/// Data augmentation: random changes of images, made in the order of the calls.
///
/// | method | what | source |
/// |---|---|---|
/// | [`random_crop`](Self::random_crop) | moves the image by whole pixels | |
/// | [`horizontal_flip`](Self::horizontal_flip), [`vertical_flip`](Self::vertical_flip) | mirrors it | |
/// | [`alternating_flip`](Self::alternating_flip) | mirrors it in every second epoch | Jordan 2024 |
/// | [`rotation`](Self::rotation), [`scale`](Self::scale), [`translation`](Self::translation) | moves it by fractions of pixels | |
/// | [`elastic`](Self::elastic) | bends it | Simard et al. 2003 |
/// | [`cutout`](Self::cutout) | hides a square | DeVries and Taylor 2017 |
/// | [`random_erasing`](Self::random_erasing) | hides a rectangle | Zhong et al. 2017 |
/// | [`color_jitter`](Self::color_jitter) | brightness, contrast, saturation, hue | torchvision |
///
/// Pixels from outside the image are black; [`border`](Self::border) sets another padding for the changes
/// that follow it. Consecutive changes that move the image by fractions of pixels are combined where
/// possible, so that the image is interpolated once.
///
/// [`Examples::augmented`](super::Examples::augmented) makes the changes while training, anew in every
/// epoch; evaluation sees the images as they are. [`apply`](Self::apply) makes them by hand. Each image's
/// changes depend on the seed, the epoch and its index in the set alone: not on threads, batches or the
/// order. Images are `[[[f32; width]; height]; channels]`, with the colours 0..=1 in the order red, green,
/// blue. They may also be normalised as the set says: colours are changed as before the normalisation.
///
/// ```
/// use typenet_runtime::data::{Augment, Border, Dataset, Examples, View};
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let augment = Augment::new().border(Border::Reflect).random_crop(1).horizontal_flip();
/// let image = [[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]];
/// let train = Dataset::from_inputs(&[image; 4], vec![0; 4])?.augmented(augment, 7)?;
///
/// let (mut images, mut labels) = (Vec::new(), Vec::new());
/// train.batch_into(View::Epoch(0), &[0, 1, 2, 3], &mut images, &mut labels)?;
/// assert_ne!(images[..6], images[6..12]);
/// train.batch_into(View::Plain, &[0], &mut images, &mut labels)?;
/// assert_eq!(images, image.as_flattened().as_flattened());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Augment {
    changes: Vec<Change>,
    border: Border,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Change {
    Crop { padding: usize, border: Border },
    HorizontalFlip(f64),
    VerticalFlip(f64),
    AlternatingFlip,
    Cutout(usize),
    Erasing { probability: f64, scale: [f64; 2], ratio: [f64; 2] },
    ColorJitter(ColorJitter),
    Rotation { degrees: f64, border: Border },
    Scale { range: [f64; 2], border: Border },
    Translation { share: f64, border: Border },
    Elastic { alpha: f64, sigma: f64, border: Border },
}

impl Augment {
    /// No changes.
    pub fn new() -> Augment {
        Augment::default()
    }

    fn with(mut self, change: Change) -> Augment {
        self.changes.push(change);
        self
    }

    /// The padding outside the image for the changes that follow; [`Border::Zeros`] by default.
    #[must_use]
    pub fn border(self, border: Border) -> Augment {
        Augment { border, ..self }
    }

    /// Pads the image by `padding` pixels on each side, and crops it to its own size at a random place: it
    /// moves by up to `padding` rows and columns, each number of them as likely. torchvision's
    /// `RandomCrop(size, padding)`.
    ///
    /// ```
    /// use typenet_runtime::data::{Augment, Draw};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let mut image = [[[1.0, 2.0, 3.0]]];
    /// Augment::new().random_crop(1).apply(&mut image, Draw { seed: 1, epoch: 0, index: 0 })?;
    /// let [[row]] = image;
    /// assert!([[0.0; 3], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 0.0]].contains(&row));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn random_crop(self, padding: usize) -> Augment {
        let border = self.border;
        self.with(Change::Crop { padding, border })
    }

    /// Mirrors images left to right with probability 0.5.
    #[must_use]
    pub fn horizontal_flip(self) -> Augment {
        self.horizontal_flip_with(0.5)
    }

    /// Mirrors images left to right with this probability, 0 to 1.
    #[must_use]
    pub fn horizontal_flip_with(self, probability: f64) -> Augment {
        self.with(Change::HorizontalFlip(probability))
    }

    /// Mirrors images top to bottom with this probability, 0 to 1.
    #[must_use]
    pub fn vertical_flip(self, probability: f64) -> Augment {
        self.with(Change::VerticalFlip(probability))
    }

    /// Mirrors a random half of the images in the first epoch, the others in the second, and so on by turns:
    /// over two epochs the net sees each image both ways, once (K. Jordan, "94% on CIFAR-10 in 3.29 seconds
    /// on a single GPU", 2024, section 3.6).
    ///
    /// ```
    /// use typenet_runtime::data::{Augment, Draw};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let augment = Augment::new().alternating_flip();
    /// let seen = |epoch| {
    ///     let mut image = [[[1.0, 2.0]]];
    ///     augment.apply(&mut image, Draw { seed: 7, epoch, index: 3 })?;
    ///     Ok::<_, typenet_runtime::Error>(image)
    /// };
    /// assert_ne!(seen(0)?, seen(1)?);
    /// assert_eq!(seen(0)?, seen(2)?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn alternating_flip(self) -> Augment {
        self.with(Change::AlternatingFlip)
    }

    /// Hides a square of `size`×`size` pixels around a random pixel; near the border, a part of it is
    /// outside (T. DeVries and G. W. Taylor, "Improved regularization of convolutional neural networks with
    /// Cutout", 2017: 16 for CIFAR-10). Hidden pixels are 0: the mean of normalised images, black in others.
    #[must_use]
    pub fn cutout(self, size: usize) -> Augment {
        self.with(Change::Cutout(size))
    }

    /// Hides a rectangle inside the image with this probability. Its share of the area is drawn from
    /// `0.02..=0.33`, its ratio of height to width log-uniformly from `0.3..=3.3` (Z. Zhong et al., "Random
    /// erasing data augmentation", 2017; torchvision's `RandomErasing`). Hidden pixels are 0: the mean of
    /// normalised images, black in others.
    #[must_use]
    pub fn random_erasing(self, probability: f64) -> Augment {
        self.random_erasing_with(probability, [0.02, 0.33], [0.3, 3.3])
    }

    /// As [`random_erasing`](Self::random_erasing), with the range (least and most) of the share of the area
    /// (`scale`) and of the ratio of height to width (`ratio`).
    #[must_use]
    pub fn random_erasing_with(
        self,
        probability: f64,
        scale: [f64; 2],
        ratio: [f64; 2],
    ) -> Augment {
        self.with(Change::Erasing { probability, scale, ratio })
    }

    /// Changes brightness, contrast, saturation and hue in random order, as torchvision's `ColorJitter`. The
    /// first three each change by a factor from `1 − x` (at least 0) to `1 + x`, the hue by a share of the
    /// colour circle from `−hue` to `hue`, at most 0.5. An argument of 0 leaves its property as it is. With
    /// `mix(a, b, f)` = `f a + (1 − f) b` within 0..=1, and grey `g = 0.2989 R + 0.587 G + 0.114 B` of a
    /// pixel:
    ///
    /// ```text
    /// brightness  mix(x, 0, f)
    /// contrast    mix(x, mean of g over the image, f)
    /// saturation  mix(x, g, f)
    /// hue         that of HSV, moved
    /// ```
    ///
    /// Images have one channel, whose saturation and hue do not change, or three: red, green, blue.
    #[must_use]
    pub fn color_jitter(
        self,
        brightness: f64,
        contrast: f64,
        saturation: f64,
        hue: f64,
    ) -> Augment {
        self.with(Change::ColorJitter(ColorJitter { brightness, contrast, saturation, hue }))
    }

    /// Turns the image around its centre by an angle from `−degrees` to `degrees`, which is 0 to 180.
    #[must_use]
    pub fn rotation(self, degrees: f64) -> Augment {
        let border = self.border;
        self.with(Change::Rotation { degrees, border })
    }

    /// Scales the image around its centre by a factor from `smallest` to `largest`; above 1 it grows, and
    /// its rim is lost.
    #[must_use]
    pub fn scale(self, smallest: f64, largest: f64) -> Augment {
        let border = self.border;
        self.with(Change::Scale { range: [smallest, largest], border })
    }

    /// Moves the image by up to this share of its height and width, 0 to 1, also by fractions of pixels.
    #[must_use]
    pub fn translation(self, share: f64) -> Augment {
        let border = self.border;
        self.with(Change::Translation { share, border })
    }

    /// Bends the image (elastic deformation): each pixel is taken from a place nearby. Its displacement is a
    /// random number of −1..1 in each direction, smoothed by a Gaussian of the standard deviation `sigma` and
    /// multiplied by `alpha`, both in pixels (P. Simard et al., "Best practices for convolutional neural
    /// networks applied to visual document analysis", 2003: alpha 34 and sigma 4 for digits of 29×29 pixels).
    /// Displacements have a standard deviation of about `0.16 alpha / sigma`, less near the border.
    #[must_use]
    pub fn elastic(self, alpha: f64, sigma: f64) -> Augment {
        let border = self.border;
        self.with(Change::Elastic { alpha, sigma, border })
    }

    /// Changes an image of numbers 0..=1 as training does for this draw.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when an argument of a change is out of range,
    /// [`Error::Size`](crate::Error::Size) when `I` is not the type of an image, or has a number of channels
    /// that a change does not take. The image is then as it was.
    ///
    /// ```
    /// use typenet_runtime::data::{Augment, Draw};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let mut image = [[[0.5; 32]; 32]; 3];
    /// let augment = Augment::new().color_jitter(0.4, 0.4, 0.4, 0.1).cutout(16);
    /// augment.apply(&mut image, Draw { seed: 7, epoch: 0, index: 12 })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply<I: ArrayShape>(&self, image: &mut I, draw: Draw) -> Result<()> {
        self.apply_with(image, None, draw)
    }

    /// As [`apply`](Self::apply), for an image that was normalised.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and when the normalisation is for other channels.
    pub fn apply_normalized<I: ArrayShape>(
        &self,
        image: &mut I,
        normalization: &Normalization,
        draw: Draw,
    ) -> Result<()> {
        self.apply_with(image, Some(normalization), draw)
    }

    fn apply_with<I: ArrayShape>(
        &self,
        image: &mut I,
        normalization: Option<&Normalization>,
        draw: Draw,
    ) -> Result<()> {
        let dims = self.check::<I>(normalization)?;
        let dice = Dice::of(draw);
        self.change(image.as_flat_mut(), dims, normalization, dice, &mut Scratch::default());
        Ok(())
    }

    /// Changes an image for which the arguments were checked.
    pub(super) fn change(
        &self,
        numbers: &mut [f32],
        [channels, height, width]: [usize; 3],
        normalization: Option<&Normalization>,
        mut dice: Dice,
        scratch: &mut Scratch,
    ) {
        let mut picture = Picture { numbers, channels, height, width, normalization };
        let dice = &mut dice;
        let mut warp: Option<Warp> = None;
        for change in &self.changes {
            if let Some((motion, border)) = motion(change, [height, width], dice) {
                if let Some(full) = warp.take_if(|warp| !warp.takes(border)) {
                    full.apply(&mut picture, scratch);
                }
                let before = warp.unwrap_or_else(|| Warp::new(border));
                warp = Some(match motion {
                    Motion::Move(change) => before.then(change),
                    Motion::Elastic { alpha, sigma } => {
                        before.then_elastic([height, width], alpha, sigma, dice, scratch)
                    }
                });
                continue;
            }
            if let Some(full) = warp.take() {
                full.apply(&mut picture, scratch);
            }
            match *change {
                Change::Crop { padding, border } => {
                    shift::crop(&mut picture, padding, border, dice, scratch);
                }
                Change::HorizontalFlip(probability) => {
                    if dice.happens(probability) {
                        shift::flip_horizontally(&mut picture);
                    }
                }
                Change::VerticalFlip(probability) => {
                    if dice.happens(probability) {
                        shift::flip_vertically(&mut picture);
                    }
                }
                Change::AlternatingFlip => {
                    if dice.alternates() {
                        shift::flip_horizontally(&mut picture);
                    }
                }
                Change::Cutout(size) => erase::cutout(&mut picture, size, dice),
                Change::Erasing { probability, scale, ratio } => {
                    erase::erasing(&mut picture, probability, scale, ratio, dice);
                }
                Change::ColorJitter(jitter) => color::jitter(&mut picture, jitter, dice),
                Change::Rotation { .. }
                | Change::Scale { .. }
                | Change::Translation { .. }
                | Change::Elastic { .. } => {}
            }
        }
        if let Some(rest) = warp {
            rest.apply(&mut picture, scratch);
        }
    }
}

/// A change that moves the image by parts of pixels.
enum Motion {
    Move(Move),
    Elastic { alpha: f64, sigma: f64 },
}

/// Draws such a change; nothing for one of another kind.
fn motion(
    change: &Change,
    [height, width]: [usize; 2],
    dice: &mut Dice,
) -> Option<(Motion, Border)> {
    Some(match *change {
        Change::Rotation { degrees, border } => {
            (Motion::Move(Move::Rotation(dice.between(-degrees, degrees))), border)
        }
        Change::Scale { range: [least, most], border } => {
            (Motion::Move(Move::Scale(dice.between(least, most))), border)
        }
        Change::Translation { share, border } => {
            let by = [width, height].map(|side| dice.between(-share, share) * side as f64);
            (Motion::Move(Move::Translation(by)), border)
        }
        Change::Elastic { alpha, sigma, border } => (Motion::Elastic { alpha, sigma }, border),
        _ => return None,
    })
}

//! What a batch norm consists of.

use std::ops::Range;

use typenet_shape::Activation;

use super::super::LANES;
use super::super::moments::not_negative;

/// `y = f((x − mean) · rstd · weight + bias)`: what is the same for all pixels of a channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Its length is the number of channels.
    pub mean: &'a [f32],
    /// What makes the variance 1.
    pub spread: Spread<'a>,
    /// Ones, when left out.
    pub weight: Option<&'a [f32]>,
    /// Zeros, when left out.
    pub bias: Option<&'a [f32]>,
    /// Of the result.
    pub f: Activation,
}

/// How far the numbers of each channel are from their mean.
#[derive(Clone, Copy, Debug)]
pub enum Spread<'a> {
    /// `1 / sqrt(var + eps)`, as [`merge`](super::merge) leaves it.
    Rstd(&'a [f32]),
    /// The variance itself, as the running statistics have it for inference.
    Variance {
        /// Of each channel.
        variance: &'a [f32],
        /// What is added to it.
        eps: f32,
    },
}

/// The statistics that inference uses, which each training step moves a little towards its own.
#[derive(Debug)]
pub struct Running<'a> {
    /// `(1 − momentum) · mean + momentum · batch's mean`
    pub mean: &'a mut [f32],
    /// The same of the variance, the unbiased one (Σ of squares / (count − 1)).
    pub variance: &'a mut [f32],
    /// As in PyTorch: the share of the new statistics, 0.1 by default there.
    pub momentum: f32,
}

impl<'a> BatchNorm<'a> {
    /// Of some channels.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn of(&self, channels: &Range<usize>) -> BatchNorm<'a> {
        let some = |numbers: &'a [f32]| &numbers[channels.clone()];
        let spread = match self.spread {
            Spread::Rstd(rstd) => Spread::Rstd(some(rstd)),
            Spread::Variance { variance, eps } => {
                Spread::Variance { variance: some(variance), eps }
            }
        };
        let (weight, bias) = (self.weight.map(some), self.bias.map(some));
        BatchNorm { mean: some(self.mean), spread, weight, bias, f: self.f }
    }

    /// Checks that all lengths fit, and returns the pixels of a channel.
    pub(super) fn check(&self, len: usize) -> usize {
        let channels = self.mean.len();
        let (Spread::Rstd(spread) | Spread::Variance { variance: spread, .. }) = self.spread;
        assert_eq!(spread.len(), channels, "the length of the spread");
        for numbers in [self.weight, self.bias].into_iter().flatten() {
            assert_eq!(numbers.len(), channels, "the length of weight or bias");
        }
        pixels(len, channels)
    }

    #[inline(always)]
    pub(in super::super) fn rstd(&self, channel: usize) -> f32 {
        match self.spread {
            Spread::Rstd(rstd) => rstd[channel],
            Spread::Variance { variance, eps } => {
                let variance = not_negative(f64::from(variance[channel]));
                (1.0 / (variance + f64::from(eps)).sqrt()) as f32
            }
        }
    }

    #[inline(always)]
    pub(in super::super) fn scale(&self, channel: usize) -> f32 {
        self.rstd(channel) * self.weight.map_or(1.0, |weight| weight[channel])
    }
}

pub(super) fn pairs_mut<'a>(norm: &BatchNorm<'_>, sums: &'a mut [f32]) -> &'a mut [[f32; 2]] {
    let (sums, rest) = sums.as_chunks_mut();
    assert!(rest.is_empty() && sums.len() == norm.mean.len(), "two numbers for each channel");
    sums
}

pub(super) fn pixels(len: usize, channels: usize) -> usize {
    let pixels = len.checked_div(channels).unwrap_or(0);
    assert!(pixels > 0 && pixels * channels == len, "pixels of each channel");
    pixels
}

/// Two numbers for each channel of each group.
pub(super) fn groups(images: usize, channels: usize, numbers: &[f32]) -> &[[f32; 2]] {
    assert!(images > 0 && channels > 0, "images and channels");
    let (pairs, rest) = numbers.as_chunks();
    let fits = rest.is_empty() && pairs.len() == images.div_ceil(LANES) * channels;
    assert!(fits, "two numbers for each channel of each group of images");
    pairs
}

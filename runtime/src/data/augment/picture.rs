//! An image while it is changed.

use crate::Normalization;

/// The padding outside an image, for changes that take pixels from there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Border {
    /// Black: 0 before the normalisation, as torchvision pads.
    #[default]
    Zeros,
    /// The image mirrored at its outermost pixels, which are not repeated: `c b a b c`. PyTorch's
    /// `reflect`.
    Reflect,
    /// The outermost pixels repeated. PyTorch's `replicate`.
    Replicate,
}

impl Border {
    /// Which of `len` pixels stands at `at`; none where there is black.
    pub(super) fn pixel(self, at: isize, len: usize) -> Option<usize> {
        if let Some(at) = usize::try_from(at).ok().filter(|&at| at < len) {
            return Some(at);
        }
        match self {
            Border::Zeros => None,
            Border::Replicate => Some(if at < 0 { 0 } else { len - 1 }),
            Border::Reflect => {
                let period = (2 * (len - 1)).max(1);
                let at = at.rem_euclid(period as isize) as usize;
                Some(if at < len { at } else { period - at })
            }
        }
    }
}

/// The numbers of an image: channel, row, column.
pub(super) struct Picture<'a> {
    pub(super) numbers: &'a mut [f32],
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// What was done to the numbers.
    pub(super) normalization: Option<&'a Normalization>,
}

impl Picture<'_> {
    pub(super) fn planes(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.numbers.chunks_exact_mut(self.height * self.width)
    }

    /// What black is in a channel.
    pub(super) fn black(&self, channel: usize) -> f32 {
        self.normalization.map_or(0.0, |n| (0.0 - n.mean[channel]) / n.std[channel])
    }
}

/// Memory that changes need, kept from image to image.
#[derive(Default)]
pub(in crate::data) struct Scratch {
    /// The image as it was.
    pub(super) old: Vec<f32>,
    /// How far each pixel moves, columns and rows.
    pub(super) field: [Vec<f32>; 2],
    pub(super) kernel: Vec<f32>,
}

//! The statistics of a batch norm, of one group of images: a whole value's at once, or band by band
//! while a convolution computes it.

use std::ops::Range;

use super::moments::{BLOCK, deviations, mask, not_negative, totals};
use super::simd::{Kernel, Simd};
use super::{Isa, LANES, Lanes};

/// Vectors of a band, 256 kB: gathered while they are in the second-level cache.
pub(super) const BAND: usize = 4096;

/// Where the statistics of a value go.
#[derive(Debug)]
pub struct Statistics<'a> {
    /// Images of the group, 1 to 16. Missing images may hold anything; they do not count.
    pub images: usize,
    /// The mean of each channel, and the sum of squared deviations from it: `[channels][2]`.
    pub numbers: &'a mut [f32],
}

impl Statistics<'_> {
    /// Adds the pixels in `range` of all channels of `y`; a range from pixel 0 on overwrites what was there.
    /// `pixels` is the number of pixels of a whole channel.
    ///
    /// # Panics
    /// When a length is wrong, `images` is not 1 to 16, or this machine lacks `isa`.
    pub(super) fn add(&mut self, isa: Isa, y: &[Lanes], pixels: usize, range: Range<usize>) {
        isa.run(Gather { images: self.images, pixels, range, y, numbers: self.numbers });
    }

    /// Those of some channels.
    pub(super) fn of(&mut self, channels: Range<usize>) -> Statistics<'_> {
        let numbers = &mut self.numbers[2 * channels.start..2 * channels.end];
        Statistics { images: self.images, numbers }
    }
}

/// [`Statistics::add`].
pub(super) struct Gather<'a> {
    pub(super) images: usize,
    pub(super) pixels: usize,
    pub(super) range: Range<usize>,
    pub(super) y: &'a [Lanes],
    pub(super) numbers: &'a mut [f32],
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Gather { images, pixels, range, y, numbers } = self;
        assert!((1..=LANES).contains(&images), "1 to 16 images");
        let (numbers, rest) = numbers.as_chunks_mut::<2>();
        assert!(rest.is_empty(), "two numbers for each channel");
        assert_eq!(y.len(), numbers.len() * pixels, "pixels of each channel");
        assert!(range.end <= pixels, "pixels of a channel");
        let mask = mask(images);
        // Four channels at a time, since four sums over lanes cost hardly more than one.
        for (y, numbers) in y.chunks(4 * pixels).zip(numbers.chunks_mut(4)) {
            let channels = numbers.len();
            let mut before = (range.start * images) as f64;
            let (mut shift, mut center, mut squares) = ([0.0; 4], [0.0; 4], [0.0; 4]);
            if range.start > 0 {
                for (c, &mut [mean, square]) in numbers.iter_mut().enumerate() {
                    (shift[c], center[c], squares[c]) = (mean, f64::from(mean), f64::from(square));
                }
            }
            for start in range.clone().step_by(BLOCK) {
                let len = BLOCK.min(range.end - start);
                let block = |channel: usize| &y[channel * pixels + start..][..len];
                let count = (len * images) as f64;
                if start == 0 {
                    let mut sum = [Lanes::ZERO; 4];
                    for c in 0..channels {
                        [sum[c], _] = deviations(s, block(c), &Lanes::ZERO);
                    }
                    shift = totals(s, &mask, &sum).map(|sum| sum / count as f32);
                }
                // Subtracts the mean of the blocks before: the rounding error of the sums stays small,
                // however far that mean is from zero, or from this block's.
                let (mut sum, mut square) = ([Lanes::ZERO; 4], [Lanes::ZERO; 4]);
                for c in 0..channels {
                    [sum[c], square[c]] = deviations(s, block(c), &Lanes([shift[c]; LANES]));
                }
                let (sum, square) = (totals(s, &mask, &sum), totals(s, &mask, &square));
                let (inverse, share) = (1.0 / count, count / (before + count));
                for c in 0..4 {
                    let sum = f64::from(sum[c]);
                    let delta = f64::from(shift[c]) + sum * inverse - center[c];
                    let own = f64::from(square[c]) - sum * sum * inverse;
                    center[c] += delta * share;
                    squares[c] += own + delta * delta * before * share;
                    shift[c] = center[c] as f32;
                }
                before += count;
            }
            for (c, numbers) in numbers.iter_mut().enumerate() {
                *numbers = [center[c] as f32, not_negative(squares[c]) as f32];
            }
        }
    }
}

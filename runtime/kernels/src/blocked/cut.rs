//! How a convolution of images with 16 channels side by side is cut into tasks: a pure function of sizes and threads.
//! What a task computes does not depend on the cut.

use super::super::LANES;
use super::super::team::largest_share;

/// Images, rows and blocks of output channels.
pub(super) type Size = [usize; 3];

/// What a convolution consists of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    /// Of the output.
    pub(super) all: Size,
    pub(super) columns: usize,
    /// Products of each output: taps of all input channels.
    pub(super) products: usize,
}

/// [`Lanes`](super::super::Lanes) of weights that stay in the second-level cache while other values pass.
pub(super) const LARGE: usize = (256 << 10) / (LANES * size_of::<f32>());

/// Cycles to hand on a task and begin it.
const BEGIN: usize = 2000;

impl Work {
    /// The size of one task, for `threads` threads.
    pub(super) fn task(&self, threads: usize) -> Size {
        let [images, rows, blocks] = self.all.map(|count| count.max(1));
        let mut best = (usize::MAX, [images, rows, blocks]);
        if threads < 2 {
            return best.1;
        }
        let mut parts = 1;
        loop {
            let some = self.blocks_of(parts);
            // More tasks than threads, for threads that come late.
            for wanted in [2 * threads, threads] {
                let wanted = wanted.div_ceil(blocks.div_ceil(some));
                let size = if images >= wanted {
                    [images.div_ceil(wanted), rows, some]
                } else {
                    [1, rows.div_ceil(wanted.div_ceil(images)), some]
                };
                let cycles = self.cycles(size, threads);
                if cycles < best.0 {
                    best = (cycles, size);
                }
            }
            if some <= self.tile() || parts >= blocks {
                return best.1;
            }
            parts *= 2;
        }
    }

    /// Blocks that a tile takes: four where rows are too short to fill it otherwise.
    fn tile(&self) -> usize {
        if self.columns <= 6 { 4 } else { 2 }
    }

    /// The blocks of one of `parts` parts: whole tiles.
    fn blocks_of(&self, parts: usize) -> usize {
        let blocks = self.all[2].max(1);
        blocks.div_ceil(parts).next_multiple_of(self.tile()).min(blocks)
    }

    /// The largest share of the outputs that one of `threads` threads gets, times `threads`: 1 is even.
    pub(super) fn balance(&self, threads: usize) -> f64 {
        let size = self.task(threads);
        let parts = |i: usize| {
            let all = self.all[i];
            (0..all).step_by(size[i]).map(move |first| size[i].min(all - first))
        };
        let tasks = parts(0).flat_map(|images| {
            parts(1).flat_map(move |rows| parts(2).map(move |blocks| images * rows * blocks))
        });
        largest_share(threads, tasks)
    }

    fn tasks(&self, size: Size) -> usize {
        [0, 1, 2].map(|i| self.all[i].div_ceil(size[i])).iter().product()
    }

    /// About how many cycles `threads` threads take.
    fn cycles(&self, [images, rows, blocks]: Size, threads: usize) -> usize {
        let outputs = images * rows * self.columns * blocks;
        // The more weights there are, the farther away is the cache that they come from.
        let line = match self.all[2] * self.products / LARGE {
            0 => 0,
            1..4 => 6,
            _ => 16,
        };
        let weights = line * blocks * self.products;
        let inputs = images * rows * self.columns * self.products / LANES;
        let task = outputs * self.products / 2 + weights + inputs + BEGIN;
        self.tasks([images, rows, blocks]).div_ceil(threads) * task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_whole_and_of_some_size() {
        for all in [[1, 7, 32], [1, 1, 63], [8, 14, 16], [3, 112, 1], [1, 0, 4], [40, 5, 2]] {
            for (columns, products) in [(1, 64), (7, 4608), (14, 2304), (112, 27)] {
                for threads in [1, 2, 3, 8, 16, 64] {
                    let work = Work { all, columns, products };
                    let size = work.task(threads);
                    assert!(
                        size.iter().zip(all).all(|(&some, all)| some > 0 && some <= all.max(1))
                    );
                    assert!(
                        size[2] == all[2] || size[2].is_multiple_of(work.tile()),
                        "{work:?} {size:?}"
                    );
                    assert!(work.balance(threads) >= 1.0);
                }
            }
        }
    }

    #[test]
    fn few_rows_are_cut_by_channels_where_weights_are_many() {
        // ResNet's last convolutions: 49 positions, and 9 MB of weights.
        let work = Work { all: [1, 7, 32], columns: 7, products: 4608 };
        let [_, rows, blocks] = work.task(16);
        assert_eq!((rows, blocks), (7, 2));
        assert!(work.balance(16) <= 1.01);
        // And by rows where they are few.
        let work = Work { all: [1, 56, 4], columns: 56, products: 576 };
        let [_, rows, blocks] = work.task(16);
        assert!(rows <= 7 && blocks >= 2);
        assert!(work.balance(16) <= 1.15);
    }
}

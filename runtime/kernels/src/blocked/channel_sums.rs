//! The gradient of a bias.

use super::super::moments::BLOCK;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::layout::blocks;

/// How many [`Lanes`] of scratch memory [`backward_bias`] needs.
pub const fn bias_gradient_room(channels: usize, images: usize) -> usize {
    images * blocks(channels)
}

/// `db[c] = Σ dy[c]` over all pixels and images, shared out among the team; overwrites `db`, or adds to it if
/// `accumulate`. `room` has the length [`bias_gradient_room`] and any contents.
///
/// # Panics
/// When `dy` is not so many images of so many channels, or this machine lacks `isa`.
pub fn backward_bias(
    isa: Isa,
    team: &Team,
    images: usize,
    dy: &[Lanes],
    room: &mut [Lanes],
    accumulate: bool,
    db: &mut [f32],
) {
    let channels = db.len();
    let planes = images * blocks(channels);
    let area = dy.len().checked_div(planes).unwrap_or(0);
    assert!(area > 0 && area * planes == dy.len(), "pixels of each block of channels");
    let sums = &mut room[..planes];
    team.for_each((chunks(dy, area), chunks_mut(sums, 1)), |_, (dy, sum)| {
        isa.run(Sum { dy, sum: &mut sum[0] });
    });
    for (channel, db) in db.iter_mut().enumerate() {
        let own = sums.iter().skip(channel / LANES).step_by(blocks(channels));
        let sum: f64 = own.map(|sum| f64::from(sum.0[channel % LANES])).sum();
        *db = if accumulate { *db } else { 0.0 } + sum as f32;
    }
}

struct Sum<'a> {
    dy: &'a [Lanes],
    sum: &'a mut Lanes,
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut total = [0.0; LANES];
        for dy in self.dy.chunks(BLOCK) {
            let mut block = Lanes::ZERO;
            for part in 0..S::PARTS {
                // Four accumulators, so that additions do not wait for each other.
                let mut sums = [s.splat(0.0); 4];
                for (i, dy) in dy.iter().enumerate() {
                    sums[i % 4] = s.add(sums[i % 4], s.load(dy, part));
                }
                let [a, b, c, d] = sums;
                s.store(&mut block, part, s.add(s.add(a, b), s.add(c, d)));
            }
            for (total, sum) in total.iter_mut().zip(block.0) {
                *total += f64::from(sum);
            }
        }
        self.sum.0 = total.map(|sum| sum as f32);
    }
}

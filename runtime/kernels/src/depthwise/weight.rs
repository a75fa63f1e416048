//! The weight's gradient.
#![allow(unsafe_code)]

use typenet_shape::{Conv2d, Shape};

use super::super::simd::{Kernel, Simd, unrolled};
use super::super::{LANES, Lanes};
use super::read::numbers;

/// Adds the gradient of the weight: `dw[o, u, v] += Σ dy[o, i, j] · x[o / shared, i·T + u − p, …]`.
#[derive(Debug)]
pub(in super::super) struct WeightGradient<'a> {
    pub(in super::super) g: &'a Conv2d,
    pub(in super::super) output: Shape,
    pub(in super::super) x: &'a [Lanes],
    pub(in super::super) dy: &'a [Lanes],
    pub(in super::super) dw: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match (self.g.kernel[0], self.g.stride[0]) {
            (3, 1) => self.planes::<S, 3, 1, 3>(s),
            (3, _) => self.planes::<S, 3, 2, 3>(s),
            (_, 1) => self.planes::<S, 5, 1, 1>(s),
            _ => self.planes::<S, 5, 2, 1>(s),
        }
    }
}

/// Outputs after which the lanes of a sum are added up.
const BLOCK: usize = 1024;

impl WeightGradient<'_> {
    /// Kernels of `K` rows, `R` of them at a time, with stride `T`.
    #[inline(always)]
    fn planes<S: Simd, const K: usize, const T: usize, const R: usize>(self, s: S) {
        let WeightGradient { g, output, x, dy, dw } = self;
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let [rows, columns] = [output.dim(1), output.dim(2)];
        let runs = g.reads_planes() && g.kernel == [K, K] && g.stride == [T, T];
        assert!(runs, "a geometry of this kernel");
        assert_eq!(x.len(), g.groups * height * width, "the input's length");
        assert_eq!(dy.len(), g.out_channels * rows * columns, "the output gradient's length");
        assert_eq!(dw.len(), g.out_channels * K * K, "the weight gradient's length");
        let shared = g.out_channels / g.groups;
        let block = BLOCK.div_ceil(columns);
        for (channel, dw) in dw.chunks_exact_mut(K * K).enumerate() {
            let x = x[channel / shared * height * width..].as_ptr().cast::<f32>();
            let dy = dy[channel * rows * columns..].as_ptr().cast::<f32>();
            for first in (0..K).step_by(R) {
                for start in (0..rows).step_by(block) {
                    s.run(Sums::<'_, K, T, R> {
                        x,
                        size: [height, width],
                        dy,
                        columns,
                        padding: g.padding,
                        first,
                        rows: start..(start + block).min(rows),
                        dw: &mut dw[first * K..][..R * K],
                    });
                }
            }
        }
    }
}

/// As [`WeightGradient`] of one block of 16 channels: adds a sum for each tap and lane.
#[derive(Debug)]
pub(in super::super) struct BlockedWeightGradient<'a> {
    pub(in super::super) g: &'a Conv2d,
    pub(in super::super) output: Shape,
    pub(in super::super) x: &'a [Lanes],
    pub(in super::super) dy: &'a [Lanes],
    pub(in super::super) sums: &'a mut [Lanes],
}

impl Kernel for BlockedWeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match (self.g.kernel[0], self.g.stride[0]) {
            (3, 1) => self.plane::<S, 3, 1, 3>(s),
            (3, _) => self.plane::<S, 3, 2, 3>(s),
            (_, 1) => self.plane::<S, 5, 1, 1>(s),
            _ => self.plane::<S, 5, 2, 1>(s),
        }
    }
}

impl BlockedWeightGradient<'_> {
    #[inline(always)]
    fn plane<S: Simd, const K: usize, const T: usize, const R: usize>(self, s: S) {
        let BlockedWeightGradient { g, output, x, dy, sums } = self;
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let [rows, columns] = [output.dim(1), output.dim(2)];
        let padding = (0..2).all(|axis| g.padding[axis] + g.extra[axis] < K);
        assert!(padding && g.kernel == [K, K] && g.stride == [T, T], "a geometry of this kernel");
        assert_eq!(x.len(), height * width, "the input's length");
        assert_eq!(dy.len(), rows * columns, "the output gradient's length");
        assert_eq!(sums.len(), K * K, "the sums' length");
        let block = BLOCK.div_ceil(columns);
        for first in (0..K).step_by(R) {
            for start in (0..rows).step_by(block) {
                let of = Sums::<'_, K, T, R> {
                    x: x.as_ptr().cast(),
                    size: [height, width],
                    dy: dy.as_ptr().cast(),
                    columns,
                    padding: g.padding,
                    first,
                    rows: start..(start + block).min(rows),
                    dw: &mut [],
                };
                let sums = &mut sums[first * K..][..R * K];
                s.run(LaneSums(of, sums));
            }
        }
    }
}

/// The sums of each lane by itself.
struct LaneSums<'a, const K: usize, const T: usize, const R: usize>(
    Sums<'a, K, T, R>,
    &'a mut [Lanes],
);

impl<const K: usize, const T: usize, const R: usize> Kernel for LaneSums<'_, K, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let LaneSums(of, to) = self;
        for part in 0..S::PARTS {
            let mut sums = [[s.splat(0.0); K]; R];
            for i in of.rows.clone() {
                let mut j = 0;
                while j + 4 <= of.columns {
                    of.add::<S, 4>(s, part, [i, j], &mut sums);
                    j += 4;
                }
                while j < of.columns {
                    of.add::<S, 1>(s, part, [i, j], &mut sums);
                    j += 1;
                }
            }
            for r in 0..R {
                for t in 0..K {
                    let to = &mut to[r * K + t];
                    let sum = s.add(s.load(to, part), sums[r][t]);
                    s.store(to, part, sum);
                }
            }
        }
    }
}

/// `R` rows of a kernel, over some rows of outputs. Only the weight gradients make one, and have compared
/// the lengths with the geometry.
struct Sums<'a, const K: usize, const T: usize, const R: usize> {
    x: *const f32,
    size: [usize; 2],
    dy: *const f32,
    columns: usize,
    padding: [usize; 2],
    /// The first of the kernel's rows.
    first: usize,
    rows: std::ops::Range<usize>,
    dw: &'a mut [f32],
}

impl<const K: usize, const T: usize, const R: usize> Kernel for Sums<'_, K, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut sums = [[s.splat(0.0); K]; R];
        for part in 0..S::PARTS {
            for i in self.rows.clone() {
                let mut j = 0;
                while j + 4 <= self.columns {
                    self.add::<S, 4>(s, part, [i, j], &mut sums);
                    j += 4;
                }
                while j < self.columns {
                    self.add::<S, 1>(s, part, [i, j], &mut sums);
                    j += 1;
                }
            }
        }
        // Four at a time.
        let mut all = [s.splat(0.0); 12];
        for r in 0..R {
            for t in 0..K {
                all[r * K + t] = sums[r][t];
            }
        }
        for (at, dw) in self.dw.chunks_mut(4).enumerate() {
            let four = [0, 1, 2, 3].map(|i| all[(at * 4 + i).min(11)]);
            for (dw, sum) in dw.iter_mut().zip(s.sums(four)) {
                *dw += sum;
            }
        }
    }
}

impl<const K: usize, const T: usize, const R: usize> Sums<'_, K, T, R> {
    /// Adds the products of `P` outputs.
    #[inline(always)]
    fn add<S: Simd, const P: usize>(
        &self,
        s: S,
        part: usize,
        [i, j]: [usize; 2],
        sums: &mut [[S::V; K]; R],
    ) {
        let [height, width] = self.size;
        let shift = part * S::WIDTH;
        let mut ds = [s.splat(0.0); P];
        for p in 0..P {
            // SAFETY: these are outputs.
            ds[p] = unsafe { s.read(self.dy.add((i * self.columns + j + p) * LANES + shift)) };
        }
        let left = (j * T) as isize - self.padding[1] as isize;
        let top = (i * T + self.first) as isize - self.padding[0] as isize;
        unrolled!(r < R, {
            let row = top + r as isize;
            if (0..height as isize).contains(&row) {
                let at = (row * width as isize + left) * LANES as isize;
                let x = self.x.wrapping_offset(at).wrapping_add(shift);
                // SAFETY: the row is inside, and the padding is less than the kernel.
                let xs = unsafe { numbers::<S, K, T, P>(s, x, left, width) };
                for t in 0..K {
                    for p in 0..P {
                        sums[r][t] = s.fma(ds[p], xs[p * T + t], sums[r][t]);
                    }
                }
            }
        });
    }
}

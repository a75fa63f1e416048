//! Tiles between the values and their transforms: `N`×`N` numbers each for `R`×`R` taps, of which
//! neighbouring tiles' inputs share `R − 1` rows or columns.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::Tiling;

use super::super::epilogue::{Bias, Plus};
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::Shared;
use super::super::{LANES, Lanes};
use super::transform;

/// The most tiles that are transformed together.
pub(super) const MOST_TOGETHER: usize = 12;

/// Some tiles of a value, in row-major order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    /// Outputs of a tile along an axis.
    pub(super) tile: usize,
    /// Rows and columns of all tiles.
    pub(super) of: [usize; 2],
    pub(super) first: usize,
    /// At most [`MOST_TOGETHER`].
    pub(super) count: usize,
}

impl Tiles {
    /// Some tiles of a pass.
    pub(super) fn new(tiling: &Tiling, first: usize, count: usize) -> Tiles {
        Tiles { tile: tiling.tile, of: tiling.tiles, first, count }
    }

    /// Row and column of the first output of each tile.
    #[inline(always)]
    fn places(self) -> [[usize; 2]; MOST_TOGETHER] {
        let mut places = [[0; 2]; MOST_TOGETHER];
        for (k, place) in places.iter_mut().enumerate().take(self.count) {
            let number = self.first + k;
            *place = [number / self.of[1] * self.tile, number % self.of[1] * self.tile];
        }
        places
    }
}

/// Transforms the inputs of tiles: point `p` of channel `c` of tile `t` becomes
/// `v[p · step + c · channel_step + t · tile_step]`.
#[derive(Debug)]
pub(super) struct Input<'a, const N: usize> {
    pub(super) x: &'a [Lanes],
    pub(super) channels: usize,
    /// Height and width of `x`.
    pub(super) size: [usize; 2],
    /// Row and column that the first number of the first tile reads.
    pub(super) start: [isize; 2],
    pub(super) tiles: Tiles,
    /// Nobody else writes these places.
    pub(super) v: Shared<'a, Lanes>,
    pub(super) step: usize,
    pub(super) channel_step: usize,
    pub(super) tile_step: usize,
}

impl<const N: usize> Kernel for Input<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Input { x, channels, size: [height, width], start, tiles, v, step, .. } = self;
        let count = tiles.count;
        assert_eq!(x.len(), channels * height * width, "the input's length");
        let last = (channels - 1) * self.channel_step + (count - 1) * self.tile_step;
        assert!(step > last && v.len() > (N * N - 1) * step + last, "the transformed length");
        let zeros = [Lanes::ZERO; N];
        let places = tiles.places();
        for c in 0..channels {
            let x: *const f32 = x[c * height * width..].as_ptr().cast();
            for (t, place) in places[..count].iter().enumerate() {
                let top = place[0] as isize + start[0];
                let left = place[1] as isize + start[1];
                // A row outside is read from zeros, of which there are enough for all columns.
                let mut rows = [zeros.as_ptr().cast::<f32>(); N];
                for (i, row) in rows.iter_mut().enumerate() {
                    let place = top + i as isize;
                    if (0..height as isize).contains(&place) {
                        *row = x.wrapping_offset((place * width as isize + left) * LANES as isize);
                    }
                }
                let columns = -left.min(0)..(width as isize - left).min(N as isize);
                let columns = columns.start as usize..columns.end.max(columns.start) as usize;
                let v = v.from(c * self.channel_step + t * self.tile_step);
                let v = v.as_mut_ptr().cast::<f32>();
                for part in 0..S::PARTS {
                    let shift = part * S::WIDTH;
                    let at = InputAt {
                        rows: rows.map(|row| row.wrapping_add(shift)),
                        columns: columns.clone(),
                        v: v.wrapping_add(shift),
                        step: step * LANES,
                    };
                    // SAFETY: `rows` and `columns` leave out what is not in `x`; the assertions
                    // compare the length of `v` with its steps.
                    unsafe {
                        if columns == (0..N) {
                            at.all::<S, true>(s);
                        } else {
                            at.all::<S, false>(s);
                        }
                    }
                }
            }
        }
    }
}

/// One tile of one channel.
struct InputAt<const N: usize> {
    rows: [*const f32; N],
    /// The columns that are inside.
    columns: Range<usize>,
    v: *mut f32,
    step: usize,
}

impl<const N: usize> InputAt<N> {
    /// # Safety
    /// The `columns` of each row can be read, all of them with `INSIDE`, and each point written.
    #[inline(always)]
    unsafe fn all<S: Simd, const INSIDE: bool>(&self, s: S) {
        // Half of six rows at a time, since all points of a tile are more than there are registers.
        // SAFETY: the caller vouches for the places.
        unsafe {
            if const { N == 6 } {
                self.rows::<S, INSIDE, 0, 3>(s);
                self.rows::<S, INSIDE, 3, 3>(s);
            } else {
                self.rows::<S, INSIDE, 0, 4>(s);
            }
        }
    }

    /// The points of `COUNT` rows from `FIRST` on.
    ///
    /// # Safety
    /// As [`all`](Self::all).
    #[inline(always)]
    unsafe fn rows<S: Simd, const INSIDE: bool, const FIRST: usize, const COUNT: usize>(
        &self,
        s: S,
    ) {
        let mut half = [[s.splat(0.0); N]; COUNT];
        for j in 0..N {
            if INSIDE || self.columns.contains(&j) {
                let mut column = [s.splat(0.0); N];
                for i in 0..N {
                    // SAFETY: the caller vouches for this column.
                    column[i] = unsafe { s.read(self.rows[i].wrapping_add(j * LANES)) };
                }
                let column = transform::input(s, column);
                for i in 0..COUNT {
                    half[i][j] = column[FIRST + i];
                }
            }
        }
        for i in 0..COUNT {
            let points = transform::input(s, half[i]);
            for j in 0..N {
                // SAFETY: the caller vouches for each point.
                unsafe { s.write(self.v.add(((FIRST + i) * N + j) * self.step), points[j]) };
            }
        }
    }
}

/// Transforms products back: `y = f(Aᵀ m A + b + plus)`, where point `p` of channel `c` of tile `t` is
/// `m[p · step + c · channel_step + t]`.
#[derive(Debug)]
pub(super) struct Output<'a, const N: usize, const R: usize> {
    pub(super) m: &'a [Lanes],
    pub(super) step: usize,
    pub(super) channels: usize,
    pub(super) channel_step: usize,
    pub(super) tiles: Tiles,
    pub(super) bias: Bias<'a>,
    pub(super) plus: Plus<'a>,
    pub(super) fused: Fused,
    /// Height and width of `y`.
    pub(super) size: [usize; 2],
    /// Nobody else writes these channels of these tiles.
    pub(super) y: Shared<'a, Lanes>,
}

impl<const N: usize, const R: usize> Kernel for Output<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Output {
            m, step, channels, tiles, bias, plus, fused, size: [height, width], y, ..
        } = self;
        let (count, channel_step) = (tiles.count, self.channel_step);
        assert_eq!(y.len(), channels * height * width, "the output's length");
        let last = (N * N - 1) * step + (channels - 1) * channel_step + count - 1;
        assert!(channel_step >= count && m.len() > last, "the products' length");
        if let Plus::Value(value) = plus {
            assert_eq!(value.len(), y.len(), "the added value's length");
        }
        let places = tiles.places();
        for c in 0..channels {
            let bias = bias.of(c);
            for (t, &[top, left]) in places[..count].iter().enumerate() {
                let at = (c * height + top) * width + left;
                let m: *const f32 = m[c * channel_step + t..].as_ptr().cast();
                let y: *mut f32 = y.from(at).as_mut_ptr().cast();
                let plus: *const f32 = match plus {
                    Plus::Nothing => std::ptr::null(),
                    Plus::Value(value) => value[at..].as_ptr().cast(),
                    Plus::Own => y,
                };
                let rows = (height - top).min(N - R + 1);
                let columns = (width - left).min(N - R + 1);
                for part in 0..S::PARTS {
                    let shift = part * S::WIDTH;
                    let at = OutputAt::<N, R> {
                        m: m.wrapping_add(shift),
                        step: step * LANES,
                        rows,
                        columns,
                        plus: if plus.is_null() { plus } else { plus.wrapping_add(shift) },
                        y: y.wrapping_add(shift),
                        y_row: width * LANES,
                    };
                    let bias = s.load(&bias, part);
                    // SAFETY: `rows` and `columns` leave out what is not in `y`; the assertions
                    // compare the length of `m` with its steps, and that of `plus` with `y`'s.
                    unsafe {
                        if rows == N - R + 1 && columns == N - R + 1 {
                            at.all::<S, true>(s, bias, fused);
                        } else {
                            at.all::<S, false>(s, bias, fused);
                        }
                    }
                }
            }
        }
    }
}

/// One tile of one channel.
struct OutputAt<const N: usize, const R: usize> {
    m: *const f32,
    step: usize,
    /// Rows and columns that are inside.
    rows: usize,
    columns: usize,
    /// What is added, with the steps of `y`; null for nothing.
    plus: *const f32,
    y: *mut f32,
    y_row: usize,
}

impl<const N: usize, const R: usize> OutputAt<N, R> {
    /// # Safety
    /// Each point can be read, and `rows` × `columns` numbers written (and read from `plus`, if it is
    /// not null), all with `INSIDE`.
    #[inline(always)]
    unsafe fn all<S: Simd, const INSIDE: bool>(&self, s: S, bias: S::V, fused: Fused) {
        // SAFETY: the caller vouches for the places.
        unsafe {
            self.rows::<S, INSIDE, 0>(s, bias, fused);
            if const { N - R + 1 == 4 } {
                self.rows::<S, INSIDE, 2>(s, bias, fused);
            }
        }
    }

    /// Two rows from `FIRST` on.
    ///
    /// # Safety
    /// As [`all`](Self::all).
    #[inline(always)]
    unsafe fn rows<S: Simd, const INSIDE: bool, const FIRST: usize>(
        &self,
        s: S,
        bias: S::V,
        fused: Fused,
    ) {
        let mut half = [[s.splat(0.0); N]; 2];
        for j in 0..N {
            let mut column = [s.splat(0.0); N];
            for i in 0..N {
                // SAFETY: the caller vouches for each point.
                column[i] = unsafe { s.read(self.m.add((i * N + j) * self.step)) };
            }
            let column = transform::output::<S, N, R>(s, column);
            half[0][j] = column[FIRST];
            half[1][j] = column[FIRST + 1];
        }
        for i in 0..2 {
            if !INSIDE && FIRST + i >= self.rows {
                continue;
            }
            let mut row = transform::output::<S, N, R>(s, half[i]);
            let at = (FIRST + i) * self.y_row;
            let columns = if INSIDE { N - R + 1 } else { self.columns };
            // SAFETY: the caller vouches for these rows and columns.
            unsafe {
                for j in 0..=N - R {
                    row[j] = s.add(row[j], bias);
                }
                if !self.plus.is_null() {
                    for j in 0..=N - R {
                        if j < columns {
                            row[j] = s.add(row[j], s.read(self.plus.add(at + j * LANES)));
                        }
                    }
                }
                let row = fused.apply_to_all(s, row);
                for j in 0..=N - R {
                    if j < columns {
                        s.write(self.y.add(at + j * LANES), row[j]);
                    }
                }
            }
        }
    }
}

/// Transforms the gradients of tiles' outputs, with 16 channels side by side: point `p` of 16 channels
/// from `16 b` on of image `l` of tile `t` becomes `d[p · step + (b · count + t) · 16 + l]`. Missing channels
/// become zeros.
#[derive(Debug)]
pub(super) struct OutputGradient<'a, const N: usize, const R: usize> {
    pub(super) dy: &'a [Lanes],
    pub(super) channels: usize,
    /// Height and width of `dy`.
    pub(super) size: [usize; 2],
    pub(super) tiles: Tiles,
    pub(super) d: &'a mut [Lanes],
    pub(super) step: usize,
}

impl<const N: usize, const R: usize> Kernel for OutputGradient<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let OutputGradient { dy, channels, size: [height, width], tiles, d, step } = self;
        let (count, plane) = (tiles.count, height * width);
        assert_eq!(dy.len(), channels * plane, "the output gradient's length");
        let padded = channels.next_multiple_of(LANES);
        assert!(step >= padded * count && d.len() >= N * N * step, "the transformed length");
        let places = tiles.places();
        let mut tile = [[[Lanes::ZERO; LANES]; 4]; 4];
        for block in 0..padded / LANES {
            let dy = &dy[block * LANES * plane..];
            let present = (channels - block * LANES).min(LANES);
            for (t, &[top, left]) in places[..count].iter().enumerate() {
                for (i, row) in tile.iter_mut().enumerate().take(N - R + 1) {
                    for (j, turned) in row.iter_mut().enumerate().take(N - R + 1) {
                        if top + i >= height || left + j >= width {
                            *turned = [Lanes::ZERO; LANES];
                            continue;
                        }
                        let dy = &dy[(top + i) * width + left + j..];
                        if present == LANES {
                            assert!(dy.len() > (LANES - 1) * plane, "16 channels");
                            // SAFETY: the assertion: the last of 16 rows is in `dy`.
                            unsafe {
                                s.transpose_strided(dy.as_ptr().cast(), plane * LANES, turned);
                            }
                        } else {
                            let mut numbers = [Lanes::ZERO; LANES];
                            for (c, to) in numbers.iter_mut().enumerate().take(present) {
                                *to = dy[c * plane];
                            }
                            s.transpose(&numbers, turned);
                        }
                    }
                }
                for image in 0..LANES {
                    let d = d[(block * count + t) * LANES + image..].as_mut_ptr().cast::<f32>();
                    for part in 0..S::PARTS {
                        let at = OutputGradientAt::<N, R> {
                            tile: &tile,
                            image,
                            part,
                            d: d.wrapping_add(part * S::WIDTH),
                            step: step * LANES,
                        };
                        // SAFETY: the assertion compares the length of `d` with its steps.
                        unsafe { at.all(s) };
                    }
                }
            }
        }
    }
}

/// Transforms the gradients of tiles' outputs, whose channels stand in blocks: point `p` of block `b` of tile
/// `t` becomes `d[p · step + b / 2 · pair_step + 2 t + b % 2]`.
#[derive(Debug)]
pub(super) struct BlockedOutputGradient<'a, const N: usize, const R: usize> {
    pub(super) dy: &'a [Lanes],
    /// Blocks of channels.
    pub(super) channels: usize,
    /// Height and width of `dy`.
    pub(super) size: [usize; 2],
    pub(super) tiles: Tiles,
    /// Nobody else writes these places.
    pub(super) d: Shared<'a, Lanes>,
    pub(super) step: usize,
    pub(super) pair_step: usize,
}

impl<const N: usize, const R: usize> Kernel for BlockedOutputGradient<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let BlockedOutputGradient { dy, channels, size: [height, width], tiles, d, .. } = self;
        let (count, plane) = (tiles.count, height * width);
        assert_eq!(dy.len(), channels * plane, "the output gradient's length");
        let place = |block: usize, t: usize| block / 2 * self.pair_step + 2 * t + block % 2;
        let last = (N * N - 1) * self.step + place(channels - 1, count - 1);
        assert!(self.pair_step >= 2 * count && d.len() > last, "the transformed length");
        let places = tiles.places();
        for block in 0..channels {
            let dy = &dy[block * plane..][..plane];
            for (t, &[top, left]) in places[..count].iter().enumerate() {
                let rows = (height - top).min(N - R + 1);
                let columns = (width - left).min(N - R + 1);
                let d = d.from(place(block, t)).as_mut_ptr().cast::<f32>();
                for part in 0..S::PARTS {
                    let dy: *const f32 = dy[top * width + left..].as_ptr().cast();
                    let at = BlockedOutputGradientAt::<N, R> {
                        dy: dy.wrapping_add(part * S::WIDTH),
                        dy_row: width * LANES,
                        rows,
                        columns,
                        d: d.wrapping_add(part * S::WIDTH),
                        step: self.step * LANES,
                    };
                    // SAFETY: `rows` and `columns` leave out what is not in `dy`; the assertion compares
                    // the length of `d` with its steps.
                    unsafe {
                        if rows == N - R + 1 && columns == N - R + 1 {
                            at.all::<S, true>(s);
                        } else {
                            at.all::<S, false>(s);
                        }
                    }
                }
            }
        }
    }
}

/// One tile of one block.
struct BlockedOutputGradientAt<const N: usize, const R: usize> {
    dy: *const f32,
    dy_row: usize,
    /// Rows and columns that are inside.
    rows: usize,
    columns: usize,
    d: *mut f32,
    step: usize,
}

impl<const N: usize, const R: usize> BlockedOutputGradientAt<N, R> {
    /// # Safety
    /// `rows` × `columns` numbers can be read, all with `INSIDE`, and each point written.
    #[inline(always)]
    unsafe fn all<S: Simd, const INSIDE: bool>(&self, s: S) {
        // Half of six rows at a time, since all points of a tile are more than there are registers.
        // SAFETY: the caller vouches for the places.
        unsafe {
            if const { N == 6 } {
                self.points::<S, INSIDE, 0, 3>(s);
                self.points::<S, INSIDE, 3, 3>(s);
            } else {
                self.points::<S, INSIDE, 0, 4>(s);
            }
        }
    }

    /// The points of `COUNT` rows from `FIRST` on.
    ///
    /// # Safety
    /// As [`all`](Self::all).
    #[inline(always)]
    unsafe fn points<S: Simd, const INSIDE: bool, const FIRST: usize, const COUNT: usize>(
        &self,
        s: S,
    ) {
        let mut half = [[s.splat(0.0); N]; COUNT];
        for j in 0..=N - R {
            if INSIDE || j < self.columns {
                let mut column = [s.splat(0.0); N];
                for i in 0..=N - R {
                    if INSIDE || i < self.rows {
                        let at = i * self.dy_row + j * LANES;
                        // SAFETY: the caller vouches for this row and column.
                        column[i] = unsafe { s.read(self.dy.add(at)) };
                    }
                }
                let column = transform::output_gradient::<S, N, R>(s, column);
                for i in 0..COUNT {
                    half[i][j] = column[FIRST + i];
                }
            }
        }
        for i in 0..COUNT {
            let points = transform::output_gradient::<S, N, R>(s, half[i]);
            for j in 0..N {
                // SAFETY: the caller vouches for each point.
                unsafe { s.write(self.d.add(((FIRST + i) * N + j) * self.step), points[j]) };
            }
        }
    }
}

/// One tile of one image: 16 channels.
struct OutputGradientAt<'a, const N: usize, const R: usize> {
    tile: &'a [[[Lanes; LANES]; 4]; 4],
    image: usize,
    part: usize,
    d: *mut f32,
    step: usize,
}

impl<const N: usize, const R: usize> OutputGradientAt<'_, N, R> {
    /// # Safety
    /// Each point can be written.
    #[inline(always)]
    unsafe fn all<S: Simd>(&self, s: S) {
        // SAFETY: the caller vouches for the places.
        unsafe {
            if const { N == 6 } {
                self.rows::<S, 0, 3>(s);
                self.rows::<S, 3, 3>(s);
            } else {
                self.rows::<S, 0, 4>(s);
            }
        }
    }

    /// The points of `COUNT` rows from `FIRST` on.
    ///
    /// # Safety
    /// As [`all`](Self::all).
    #[inline(always)]
    unsafe fn rows<S: Simd, const FIRST: usize, const COUNT: usize>(&self, s: S) {
        let mut half = [[s.splat(0.0); N]; COUNT];
        for j in 0..=N - R {
            let mut column = [s.splat(0.0); N];
            for i in 0..=N - R {
                column[i] = s.load(&self.tile[i][j][self.image], self.part);
            }
            let column = transform::output_gradient::<S, N, R>(s, column);
            for i in 0..COUNT {
                half[i][j] = column[FIRST + i];
            }
        }
        for i in 0..COUNT {
            let points = transform::output_gradient::<S, N, R>(s, half[i]);
            for j in 0..N {
                // SAFETY: the caller vouches for each point.
                unsafe { s.write(self.d.add(((FIRST + i) * N + j) * self.step), points[j]) };
            }
        }
    }
}

//! Passes over the values of a group of images, some channels at a time where there are threads for that.

use typenet_kernels::batch_norm::{self, BatchNorm};
use typenet_kernels::team::{Crew, chunks, chunks_mut};
use typenet_kernels::{Isa, Lanes, activation, elementwise};
use typenet_shape::{Activation, Pool2d, Shape};

/// How many channels each part has, and how many vectors these are in a value of `len`.
fn part(crew: &Crew<'_>, channels: usize, len: usize) -> (usize, usize) {
    let some = crew.channels_of_part(channels, len);
    (some, (len / channels.max(1) * some).max(1))
}

/// Calls `kernel` with parts of two values of equal length.
fn of_two(
    crew: &mut Crew<'_>,
    x: &[Lanes],
    y: &mut [Lanes],
    kernel: impl Fn(&[Lanes], &mut [Lanes]) + Sync,
) {
    let (_, len) = part(crew, x.len(), x.len());
    crew.for_each((chunks(x, len), chunks_mut(y, len)), |_, _, (x, y)| kernel(x, y));
}

/// `y += x`
pub(super) fn add(isa: Isa, crew: &mut Crew<'_>, x: &[Lanes], y: &mut [Lanes]) {
    of_two(crew, x, y, |x, y| elementwise::add(isa, x, y));
}

/// `y = f(y + x)`
pub(super) fn add_activated(
    isa: Isa,
    crew: &mut Crew<'_>,
    x: &[Lanes],
    f: Activation,
    y: &mut [Lanes],
) {
    of_two(crew, x, y, |x, y| elementwise::add_activated(isa, x, f, y));
}

/// `y = x`
pub(super) fn copy(crew: &mut Crew<'_>, x: &[Lanes], y: &mut [Lanes]) {
    of_two(crew, x, y, |x, y| y.copy_from_slice(x));
}

/// `y = f(x)`
pub(super) fn activate(isa: Isa, crew: &mut Crew<'_>, f: Activation, x: &[Lanes], y: &mut [Lanes]) {
    of_two(crew, x, y, |x, y| activation::forward(isa, f, x, y));
}

/// The gradient before an activation whose output is `y`.
pub(super) fn undo_activation(
    isa: Isa,
    crew: &mut Crew<'_>,
    f: Activation,
    y: &[Lanes],
    dy: &mut [Lanes],
) {
    of_two(crew, y, dy, |y, dy| activation::backward_in_place(isa, f, y, dy));
}

/// Windows over some channels of `x`, from which `kernel` computes those of `y`.
pub(super) fn pool(
    crew: &mut Crew<'_>,
    pool: &Pool2d,
    x: &[Lanes],
    y: &mut [Lanes],
    kernel: impl Fn(&Pool2d, &[Lanes], &mut [Lanes]) + Sync,
) {
    let channels = pool.input.dim(0);
    let (some, x_len) = part(crew, channels, x.len());
    let y_len = (y.len() / channels.max(1) * some).max(1);
    crew.for_each((chunks(x, x_len), chunks_mut(y, y_len)), |_, index, (x, y)| {
        kernel(&some_channels(pool, index * some, some), x, y);
    });
}

/// The gradient of maxima over windows.
pub(super) fn max_backward(
    isa: Isa,
    crew: &mut Crew<'_>,
    pool: &Pool2d,
    [x, y, dy]: [&[Lanes]; 3],
    dx: &mut [Lanes],
) {
    let channels = pool.input.dim(0);
    let (some, x_len) = part(crew, channels, x.len());
    let y_len = (y.len() / channels.max(1) * some).max(1);
    let parts = (chunks(x, x_len), chunks(y, y_len), chunks(dy, y_len), chunks_mut(dx, x_len));
    crew.for_each(parts, |_, index, (x, y, dy, dx)| {
        let pool = some_channels(pool, index * some, some);
        typenet_kernels::pool2d::max_backward(isa, &pool, x, y, dy, dx);
    });
}

fn some_channels(pool: &Pool2d, first: usize, count: usize) -> Pool2d {
    let [channels, height, width] = [0, 1, 2].map(|axis| pool.input.dim(axis));
    let input = Shape::new(&[count.min(channels - first), height, width]);
    Pool2d { input, ..*pool }
}

/// [`batch_norm::gather`]
pub(super) fn gather(isa: Isa, crew: &mut Crew<'_>, images: usize, x: &[Lanes], sums: &mut [f32]) {
    let (some, len) = part(crew, sums.len() / 2, x.len());
    crew.for_each((chunks(x, len), chunks_mut(sums, 2 * some)), |_, _, (x, sums)| {
        batch_norm::gather(isa, images, x, sums);
    });
}

/// [`batch_norm::apply`]
pub(super) fn apply(
    isa: Isa,
    crew: &mut Crew<'_>,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    let (some, len) = part(crew, norm.mean.len(), x.len());
    crew.for_each((chunks(x, len), chunks_mut(y, len)), |_, index, (x, y)| {
        let other = other.map(|other| &other[index * len..][..y.len()]);
        batch_norm::apply(isa, &some_of(norm, index * some, some), x, other, y);
    });
}

/// [`batch_norm::gather_backward`]
pub(super) fn gather_backward(
    isa: Isa,
    crew: &mut Crew<'_>,
    (images, norm): (usize, &BatchNorm<'_>),
    x: &[Lanes],
    dy: &[Lanes],
    sums: &mut [f32],
) {
    let (some, len) = part(crew, norm.mean.len(), x.len());
    let parts = (chunks(x, len), chunks(dy, len), chunks_mut(sums, 2 * some));
    crew.for_each(parts, |_, index, (x, dy, sums)| {
        let norm = some_of(norm, index * some, some);
        batch_norm::gather_backward(isa, images, &norm, x, dy, sums);
    });
}

/// [`batch_norm::gather_backward_masked`]
pub(super) fn gather_backward_masked(
    isa: Isa,
    crew: &mut Crew<'_>,
    (images, norm): (usize, &BatchNorm<'_>),
    [x, y]: [&[Lanes]; 2],
    dy: &mut [Lanes],
    sums: &mut [f32],
) {
    let (some, len) = part(crew, norm.mean.len(), x.len());
    let parts = (chunks(x, len), chunks_mut(dy, len), chunks_mut(sums, 2 * some));
    crew.for_each(parts, |_, index, (x, dy, sums)| {
        let norm = some_of(norm, index * some, some);
        // The output need not be there where nothing reads it.
        let y = y.get(index * len..index * len + x.len()).unwrap_or_default();
        batch_norm::gather_backward_masked(isa, images, &norm, x, y, dy, sums);
    });
}

/// [`batch_norm::apply_backward`]
pub(super) fn apply_backward(
    isa: Isa,
    crew: &mut Crew<'_>,
    (images, norm): (usize, &BatchNorm<'_>),
    [x, dy]: [&[Lanes]; 2],
    means: &[f32],
    dx: &mut [Lanes],
) {
    let (some, len) = part(crew, norm.mean.len(), x.len());
    let parts = (chunks(x, len), chunks(dy, len), chunks(means, 2 * some), chunks_mut(dx, len));
    crew.for_each(parts, |_, index, (x, dy, means, dx)| {
        let norm = some_of(norm, index * some, some);
        batch_norm::apply_backward(isa, images, &norm, x, dy, means, dx);
    });
}

fn some_of<'a>(norm: &BatchNorm<'a>, first: usize, count: usize) -> BatchNorm<'a> {
    norm.of(&(first..norm.mean.len().min(first + count)))
}

//! The buffers of a step in the arena of a group of images, and memory that grows.

use typenet_kernels::Lanes;
use typenet_kernels::memory::zeros;
use typenet_kernels::team::{EqualMut, Team, equal_mut};
use typenet_shape::{Buffer, Buffers, Step};

/// The generated code calls the method of a step's own kind; anything else is a bug of typenet.
pub(crate) fn wrong(step: &Step) {
    debug_assert!(false, "a step of kind {} was run as another kind", step.op.kind());
}

/// The buffers of a step's first input, of the value that it adds, which may be the same, and of its
/// output.
pub(crate) fn operands<'a>(
    arena: &'a mut [Lanes],
    &Buffers { input, added, output, .. }: &Buffers,
) -> (&'a [Lanes], Option<&'a [Lanes]>, &'a mut [Lanes]) {
    match added {
        Some(added) if added != input => {
            let [x, other, y] = apart(arena, [input, added, output]);
            (x, Some(other), y)
        }
        added => {
            let [x, y] = apart(arena, [input, output]);
            let x: &[Lanes] = x;
            (x, added.map(|_| x), y)
        }
    }
}

/// Several buffers of one arena at the same time.
#[allow(clippy::panic)]
pub(crate) fn apart<const K: usize>(
    arena: &mut [Lanes],
    buffers: [Buffer; K],
) -> [&mut [Lanes]; K] {
    match arena.get_disjoint_mut(buffers.map(|buffer| buffer.offset..buffer.end())) {
        Ok(slices) => slices,
        // The plan's tests show that this cannot be; going on would compute nonsense.
        Err(_) => panic!("the memory plan lets buffers of one step overlap"),
    }
}

/// Grows `buffer` to `len` numbers.
pub(crate) fn at_least<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
    if buffer.len() < len {
        let mut grown = zeros(zero, len);
        grown[..buffer.len()].clone_from_slice(buffer);
        *buffer = grown;
    }
}

/// As [`at_least`], where the contents do not matter.
pub(crate) fn fresh_at_least<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
    if buffer.len() < len {
        *buffer = Vec::new();
        *buffer = zeros(zero, len);
    }
}

/// Memory of `len` [`Lanes`] for each thread of a team.
pub(crate) fn rooms<'a>(all: &'a mut Vec<Lanes>, team: &Team, len: usize) -> EqualMut<'a, Lanes> {
    fresh_at_least(all, team.threads() * len, Lanes::ZERO);
    equal_mut(&mut all[..team.threads() * len], team.threads())
}

/// In u64: a step may want more memory than a machine of 32 bits has addresses.
pub(crate) fn bytes_of<T>(count: usize) -> u64 {
    count as u64 * size_of::<T>() as u64
}

//! Slices cut into parts that do not overlap, one for each task.
#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The `part`-th of `parts` parts of `count` things, as even as possible.
pub(crate) fn even_part(part: usize, parts: usize, count: usize) -> Range<usize> {
    part * count / parts..(part + 1) * count / parts
}

/// A slice that several threads write, each at places of its own. Every unsafe block that writes there says
/// why nobody else does.
#[derive(Debug)]
pub(crate) struct Shared<'a, T> {
    first: *mut T,
    len: usize,
    of: std::marker::PhantomData<&'a mut [T]>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

// SAFETY: it stands for the exclusive slice, and reads and writes nothing by itself.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: likewise.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Shared<'a, T> {
        let (first, len) = (slice.as_mut_ptr(), slice.len());
        Shared { first, len, of: std::marker::PhantomData }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The first place, from which as many follow as [`len`](Self::len) says.
    pub(crate) fn as_mut_ptr(self) -> *mut T {
        self.first
    }

    /// The places from `start` on.
    ///
    /// # Panics
    /// When there are not so many.
    pub(crate) fn from(self, start: usize) -> Shared<'a, T> {
        self.part(start..self.len)
    }

    /// Some of the places.
    ///
    /// # Panics
    /// When there are not so many.
    pub(crate) fn part(self, range: Range<usize>) -> Shared<'a, T> {
        assert!(range.start <= range.end && range.end <= self.len, "places of the slice");
        // SAFETY: just asserted.
        Shared { first: unsafe { self.first.add(range.start) }, len: range.len(), of: self.of }
    }

    /// All of these places as a slice.
    ///
    /// # Safety
    /// Nobody else reads or writes them while that lives.
    pub(crate) unsafe fn into_slice(self) -> &'a mut [T] {
        // SAFETY: they lie in a slice that is borrowed for 'a, and the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

/// Something that is shared out in parts, no two of which overlap: slices in chunks, and several of
/// them together.
pub trait Parts: Sync {
    /// One part.
    type Part;

    /// How many there are.
    fn count(&self) -> usize;

    /// The part at `index`.
    ///
    /// # Safety
    /// `index` is below the count, and nobody else has this part.
    unsafe fn part(&self, index: usize) -> Self::Part;
}

/// A slice in chunks of one length, of which the last may be shorter.
#[derive(Debug)]
pub struct Chunks<'a, T>(&'a [T], usize);

/// As [`Chunks`], to write.
#[derive(Debug)]
pub struct ChunksMut<'a, T> {
    all: Shared<'a, T>,
    chunk: usize,
}

/// `slice` in chunks of `chunk` numbers.
///
/// # Panics
/// When `chunk` is 0.
pub fn chunks<T: Sync>(slice: &[T], chunk: usize) -> Chunks<'_, T> {
    assert!(chunk > 0, "chunks of some length");
    Chunks(slice, chunk)
}

/// `slice` in chunks of `chunk` numbers, to write.
///
/// # Panics
/// When `chunk` is 0.
pub fn chunks_mut<T: Send>(slice: &mut [T], chunk: usize) -> ChunksMut<'_, T> {
    assert!(chunk > 0, "chunks of some length");
    ChunksMut { all: Shared::new(slice), chunk }
}

/// Parts that are nothing but their numbers.
#[derive(Clone, Copy, Debug)]
pub struct Numbered(pub usize);

impl Parts for Numbered {
    type Part = ();

    fn count(&self) -> usize {
        self.0
    }
    unsafe fn part(&self, _: usize) {}
}

/// A slice in parts of equal length, to write; it may be empty.
#[derive(Debug)]
pub struct EqualMut<'a, T> {
    whole: ChunksMut<'a, T>,
    parts: usize,
}

/// `slice` in `parts` parts of equal length.
///
/// # Panics
/// When `parts` does not divide its length.
pub fn equal_mut<T: Send>(slice: &mut [T], parts: usize) -> EqualMut<'_, T> {
    let chunk = slice.len().checked_div(parts).unwrap_or(0);
    assert_eq!(chunk * parts, slice.len(), "parts of one length");
    EqualMut { whole: ChunksMut { all: Shared::new(slice), chunk }, parts }
}

impl<'a, T: Send> Parts for EqualMut<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.parts
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        // SAFETY: the caller vouches for the index.
        unsafe { self.whole.part(index) }
    }
}

impl<'a, T: Sync> Parts for Chunks<'a, T> {
    type Part = &'a [T];

    fn count(&self) -> usize {
        self.0.len().div_ceil(self.1)
    }
    unsafe fn part(&self, index: usize) -> &'a [T] {
        let end = self.0.len().min((index + 1) * self.1);
        &self.0[index * self.1..end]
    }
}

impl<'a, T: Send> Parts for ChunksMut<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.all.len().div_ceil(self.chunk)
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        let start = index * self.chunk;
        let part = self.all.part(start..self.all.len().min(start + self.chunk));
        // SAFETY: nobody else has this part.
        unsafe { part.into_slice() }
    }
}

macro_rules! several {
    ($($name:ident $at:tt),*) => {
        impl<$($name: Parts),*> Parts for ($($name,)*) {
            type Part = ($($name::Part,)*);

            fn count(&self) -> usize {
                [$(self.$at.count()),*].into_iter().min().unwrap_or(0)
            }
            unsafe fn part(&self, index: usize) -> Self::Part {
                // SAFETY: what the caller vouches for holds for each of them.
                unsafe { ($(self.$at.part(index),)*) }
            }
        }
    };
}
several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);

/// One thing by itself, if there is one, and then parts.
#[derive(Debug)]
pub struct OneAnd<T, P> {
    one: Mutex<Option<T>>,
    ones: usize,
    parts: P,
}

/// A part of [`OneAnd`].
#[derive(Debug)]
pub enum OneOr<T, P> {
    /// The one thing.
    One(T),
    /// One of the parts, and its number among these.
    Part(usize, P),
}

/// First `one`, if there is one, and then `parts`.
pub fn one_and<T: Send, P: Parts>(one: Option<T>, parts: P) -> OneAnd<T, P> {
    let ones = usize::from(one.is_some());
    OneAnd { one: Mutex::new(one), ones, parts }
}

impl<T: Send, P: Parts> Parts for OneAnd<T, P> {
    type Part = OneOr<T, P::Part>;

    fn count(&self) -> usize {
        self.ones + self.parts.count()
    }
    #[allow(clippy::expect_used, reason = "the caller vouches for it")]
    unsafe fn part(&self, index: usize) -> Self::Part {
        let Some(number) = index.checked_sub(self.ones) else {
            let one = self.one.lock().unwrap_or_else(PoisonError::into_inner).take();
            return OneOr::One(one.expect("each part comes once"));
        };
        // SAFETY: the caller vouches for the index, which is behind the one thing, and that nobody has it.
        OneOr::Part(number, unsafe { self.parts.part(number) })
    }
}

/// Parts of a slice at given ranges, to write.
#[derive(Debug)]
pub struct RangesMut<'a, T, E> {
    all: Shared<'a, T>,
    owners: &'a [E],
    range: fn(&E) -> Range<usize>,
}

/// The parts of `slice` that belong to `owners`, where `range` says.
///
/// # Panics
/// When they overlap or do not ascend, or do not lie in the slice.
pub fn ranges_mut<'a, T: Send, E: Sync>(
    slice: &'a mut [T],
    owners: &'a [E],
    range: fn(&E) -> Range<usize>,
) -> RangesMut<'a, T, E> {
    let mut end = 0;
    for part in owners.iter().map(range) {
        assert!(end <= part.start && part.start <= part.end, "parts that ascend");
        end = part.end;
    }
    assert!(end <= slice.len(), "parts of the slice");
    RangesMut { all: Shared::new(slice), owners, range }
}

impl<'a, T: Send, E: Sync> Parts for RangesMut<'a, T, E> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.owners.len()
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        let part = self.all.part((self.range)(&self.owners[index]));
        // SAFETY: `ranges_mut` has compared all parts with each other, and nobody else has this one.
        unsafe { part.into_slice() }
    }
}

/// Each image's parts of some buffers, each of which holds the images one after the other.
#[derive(Debug)]
pub struct OfImages<'a, T, E> {
    all: Shared<'a, T>,
    images: usize,
    buffers: &'a [E],
    range: fn(&E) -> Range<usize>,
}

/// The parts of one image; see [`OfImages`].
#[derive(Debug)]
pub struct OfImage<'a, T, E> {
    of: OfImages<'a, T, E>,
    image: usize,
}

/// The parts of `images` images in buffers of a slice. `range` says where a buffer would be for a single
/// image; for `images` images its offset and its length are `images` times as large.
///
/// # Panics
/// When the buffers overlap or do not ascend, or do not lie in the slice.
pub fn of_images<'a, T: Send, E: Sync>(
    slice: &'a mut [T],
    images: usize,
    buffers: &'a [E],
    range: fn(&E) -> Range<usize>,
) -> OfImages<'a, T, E> {
    // `RangesMut` compares them.
    let len = slice.len().checked_div(images).unwrap_or(0);
    let ranges = ranges_mut(&mut slice[..len * images], buffers, range);
    assert!(buffers.iter().all(|buffer| range(buffer).end <= len), "parts of the slice");
    OfImages { all: ranges.all, images, buffers, range }
}

impl<'a, T: Send, E: Sync> Parts for OfImages<'a, T, E> {
    type Part = OfImage<'a, T, E>;

    fn count(&self) -> usize {
        self.images
    }
    unsafe fn part(&self, image: usize) -> OfImage<'a, T, E> {
        let OfImages { all, images, buffers, range } = *self;
        OfImage { of: OfImages { all, images, buffers, range }, image }
    }
}

impl<T: Send, E: Sync> OfImage<'_, T, E> {
    /// Its part of a buffer.
    pub fn get(&mut self, buffer: usize) -> &mut [T] {
        let OfImages { all, images, buffers, range } = &self.of;
        let Range { start, end } = range(&buffers[buffer]);
        let (len, first) = (end - start, start * images);
        let part = all.part(first + self.image * len..first + (self.image + 1) * len);
        // SAFETY: the buffers do not overlap, nor do the images in each; nobody else has this image, and
        // who has it is borrowed as long as the slice is.
        unsafe { part.into_slice() }
    }
}

/// A slice in chunks of one length, followed by chunks of another, to write.
#[derive(Debug)]
pub struct LongAndShort<'a, T> {
    long: ChunksMut<'a, T>,
    short: ChunksMut<'a, T>,
}

/// As [`LongAndShort`], to read.
#[derive(Debug)]
pub struct LongAndShortRead<'a, T>(Chunks<'a, T>, Chunks<'a, T>);

/// The first `end` numbers of `slice` in chunks of `long`, the others in chunks of `short`, to write.
///
/// # Panics
/// When there are fewer numbers than `end`, or a length is 0.
pub fn long_and_short_mut<T: Send>(
    slice: &mut [T],
    end: usize,
    long: usize,
    short: usize,
) -> LongAndShort<'_, T> {
    let (first, rest) = slice.split_at_mut(end);
    LongAndShort { long: chunks_mut(first, long), short: chunks_mut(rest, short) }
}

/// As [`long_and_short_mut`], to read.
///
/// # Panics
/// As [`long_and_short_mut`].
pub fn long_and_short<T: Sync>(
    slice: &[T],
    end: usize,
    long: usize,
    short: usize,
) -> LongAndShortRead<'_, T> {
    let (first, rest) = slice.split_at(end);
    LongAndShortRead(chunks(first, long), chunks(rest, short))
}

impl<'a, T: Send> Parts for LongAndShort<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.long.count() + self.short.count()
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        // SAFETY: the caller vouches for the index, and the two slices do not overlap.
        unsafe {
            match index.checked_sub(self.long.count()) {
                Some(index) => self.short.part(index),
                None => self.long.part(index),
            }
        }
    }
}

impl<'a, T: Sync> Parts for LongAndShortRead<'a, T> {
    type Part = &'a [T];

    fn count(&self) -> usize {
        self.0.count() + self.1.count()
    }
    unsafe fn part(&self, index: usize) -> &'a [T] {
        // SAFETY: the caller vouches for the index.
        unsafe {
            match index.checked_sub(self.0.count()) {
                Some(index) => self.1.part(index),
                None => self.0.part(index),
            }
        }
    }
}

//! What a careless caller passes comes back as a status.
#![allow(clippy::unwrap_used)]

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use fashion::{
    FASHION_CLASSES, FASHION_PIXELS, FashionStatus as Status, fashion_class_count,
    fashion_class_name, fashion_predict, fashion_predict_batch, fashion_status_text,
    fashion_version,
};

/// A batch in memory of its own, with room before and behind the probabilities that nobody may touch.
struct Batch {
    pixels: Vec<u8>,
    guarded: Vec<f32>,
}

const GUARD: usize = 16;
const UNTOUCHED: f32 = -7.0;

impl Batch {
    fn new(images: usize) -> Self {
        let pixels = (0..images * FASHION_PIXELS).map(|i| (i * 31 % 256) as u8).collect();
        Self { pixels, guarded: vec![UNTOUCHED; images * FASHION_CLASSES + 2 * GUARD] }
    }

    /// Calls with lengths that the memory has, or smaller ones: larger ones must be refused unseen.
    fn predict(&mut self, images: usize, pixels_len: usize, probabilities_len: usize) -> Status {
        let probabilities = self.guarded[GUARD..].as_mut_ptr();
        let pixels = self.pixels.as_ptr();
        // SAFETY: where the lengths fit the images there is so much memory, of this batch alone.
        unsafe {
            fashion_predict_batch(pixels, pixels_len, images, probabilities, probabilities_len)
        }
    }

    fn untouched(&self) -> bool {
        self.guarded.iter().all(|&number| number == UNTOUCHED)
    }
}

#[test]
fn a_null_pointer_is_refused() {
    let mut row = [UNTOUCHED; FASHION_CLASSES];
    let pixels = [0; FASHION_PIXELS];
    // SAFETY: one pointer is null, the other one leads to as much memory as its length says.
    unsafe {
        let status = fashion_predict(null(), FASHION_PIXELS, row.as_mut_ptr(), FASHION_CLASSES);
        assert_eq!(status, Status::Null);
        let status = fashion_predict(pixels.as_ptr(), FASHION_PIXELS, null_mut(), FASHION_CLASSES);
        assert_eq!(status, Status::Null);
        assert_eq!(fashion_predict_batch(null(), 0, 0, null_mut(), 0), Status::Null);
    }
    assert_eq!(row, [UNTOUCHED; FASHION_CLASSES]);
}

#[test]
fn wrong_lengths_and_counts_are_refused_before_anything_is_written() {
    let mut batch = Batch::new(2);
    let (pixels, row) = (FASHION_PIXELS, FASHION_CLASSES);
    for (images, pixels_len, probabilities_len) in [
        (2, 2 * pixels - 1, 2 * row),
        (2, 2 * pixels + 1, 2 * row),
        (2, 2 * pixels, 2 * row - 1),
        (2, 2 * pixels, 2 * row + 1),
        (1, 2 * pixels, 2 * row),
        (3, 2 * pixels, 2 * row),
        (2, 0, 0),
        (2, usize::MAX, usize::MAX),
    ] {
        assert_eq!(batch.predict(images, pixels_len, probabilities_len), Status::Length);
    }
    assert_eq!(batch.predict(0, 0, 0), Status::NoImages);
    assert_eq!(batch.predict(0, 2 * pixels, 2 * row), Status::NoImages);
    assert!(batch.untouched());
}

#[test]
fn counts_that_overflow_are_refused() {
    let mut batch = Batch::new(1);
    let most = isize::MAX as usize / FASHION_PIXELS;
    for images in [usize::MAX, usize::MAX / FASHION_PIXELS + 1, 1 << (usize::BITS - 1), most + 1] {
        let (pixels, row) =
            (images.wrapping_mul(FASHION_PIXELS), images.wrapping_mul(FASHION_CLASSES));
        assert_eq!(batch.predict(images, pixels, row), Status::TooMany, "{images}");
    }
    // As many as an `isize` counts, but further than the last address.
    let pixels = (usize::MAX - 100) as *const u8;
    let row = batch.guarded.as_mut_ptr();
    // SAFETY: no such memory can be had, and none is looked at.
    let status = unsafe { fashion_predict(pixels, FASHION_PIXELS, row, FASHION_CLASSES) };
    assert_eq!(status, Status::TooMany);
    assert!(batch.untouched());
}

#[test]
fn a_misaligned_pointer_is_refused() {
    let mut batch = Batch::new(1);
    let row = batch.guarded.as_mut_ptr().wrapping_byte_add(1);
    // SAFETY: the memory behind both is this batch's.
    let status =
        unsafe { fashion_predict(batch.pixels.as_ptr(), FASHION_PIXELS, row, FASHION_CLASSES) };
    assert_eq!(status, Status::Misaligned);
    assert!(batch.untouched());
}

#[test]
fn memory_that_is_read_and_written_is_refused() {
    let mut memory = vec![UNTOUCHED; FASHION_PIXELS + FASHION_CLASSES];
    let start = memory.as_mut_ptr();
    let row_bytes = 4 * FASHION_CLASSES;
    for (pixels, row, expected) in [
        (0, 0, Status::Overlap),
        (0, FASHION_PIXELS - 4, Status::Overlap),
        (0, FASHION_PIXELS, Status::Ok),
        (row_bytes - 1, 0, Status::Overlap),
        (row_bytes, 0, Status::Ok),
    ] {
        let pixels = start.wrapping_byte_add(pixels).cast::<u8>().cast_const();
        let row = start.wrapping_byte_add(row);
        // SAFETY: both lie in `memory`, which nobody else sees.
        let status = unsafe { fashion_predict(pixels, FASHION_PIXELS, row, FASHION_CLASSES) };
        assert_eq!(status, expected);
    }
}

#[test]
fn only_the_probabilities_are_written() {
    for images in [1, 2, 17, 1025] {
        let mut batch = Batch::new(images);
        let (pixels, rows) = (images * FASHION_PIXELS, images * FASHION_CLASSES);
        assert_eq!(batch.predict(images, pixels, rows), Status::Ok);
        let (before, rest) = batch.guarded.split_at(GUARD);
        let (rows, behind) = rest.split_at(rows);
        assert!(before.iter().chain(behind).all(|&number| number == UNTOUCHED));
        for row in rows.chunks(FASHION_CLASSES) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn texts_are_there_for_all_numbers() {
    // SAFETY: each text ends with a zero, and stays.
    let text = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap();
    assert_eq!(text(fashion_version()), env!("CARGO_PKG_VERSION"));
    assert_eq!(text(fashion_status_text(0)), "all went well");
    for status in [-1, 8, i32::MIN, i32::MAX] {
        assert_eq!(text(fashion_status_text(status)), "an unknown status");
    }
    assert_eq!(fashion_class_count(), FASHION_CLASSES);
    assert_eq!(text(fashion_class_name(0)), "t-shirt");
    assert_eq!(text(fashion_class_name(9)), "boot");
    assert!(fashion_class_name(10).is_null() && fashion_class_name(usize::MAX).is_null());
}

#[test]
fn many_threads_get_the_same_bits() {
    let run = || {
        let mut batch = Batch::new(40);
        assert_eq!(batch.predict(40, 40 * FASHION_PIXELS, 40 * FASHION_CLASSES), Status::Ok);
        batch.guarded
    };
    let expected = run();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..16).map(|_| scope.spawn(|| (0..5).all(|_| run() == expected))).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

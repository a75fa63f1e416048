//! A trained net as a C library: `include/fashion.h` is what C sees of this file.
//!
//! Whatever a caller passes comes back as a status, but for a pointer that does not lead to as much memory
//! as its length says: nobody can check that. A panic is caught and comes back as a status too; were one to
//! get past that, `extern "C"` would end the program rather than unwind into C.

mod net;

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::slice;

use net::FASHION;

/// Pixels of an image: 28 rows of 28.
pub const FASHION_PIXELS: usize = 784;

/// Classes, and so probabilities of an image.
pub const FASHION_CLASSES: usize = 10;

/// What came of a call. Where it is not 0, nothing was written, unless it says so.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FashionStatus {
    /// All went well.
    Ok = 0,
    /// A pointer is null.
    Null = 1,
    /// A length is not that of the images or of their probabilities.
    Length = 2,
    /// There are no images.
    NoImages = 3,
    /// No memory could hold so many images.
    TooMany = 4,
    /// The pointer to the probabilities is none to a `float`: its address does not divide by 4.
    Misaligned = 5,
    /// The pixels and the probabilities share memory.
    Overlap = 6,
    /// A mistake in the library. Probabilities may be half written.
    Internal = 7,
}

use FashionStatus as Status;

impl Status {
    const ALL: [(Self, &CStr); 8] = [
        (Status::Ok, c"all went well"),
        (Status::Null, c"a pointer is null"),
        (Status::Length, c"a length is not 784 pixels or 10 probabilities an image"),
        (Status::NoImages, c"there are no images"),
        (Status::TooMany, c"no memory could hold so many images"),
        (Status::Misaligned, c"the pointer to the probabilities is not aligned to a float"),
        (Status::Overlap, c"the pixels and the probabilities share memory"),
        (Status::Internal, c"a mistake in the library"),
    ];
}

/// The version of this library, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn fashion_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The number of classes: `FASHION_CLASSES` of the library that runs.
#[unsafe(no_mangle)]
pub extern "C" fn fashion_class_count() -> usize {
    FASHION_CLASSES
}

/// The name of a class, in UTF-8, or null where there is no such class.
#[unsafe(no_mangle)]
pub extern "C" fn fashion_class_name(index: usize) -> *const c_char {
    let name = catch_unwind(|| FASHION.names.get(index).map(|name| name.as_ptr()));
    name.ok().flatten().unwrap_or(null())
}

/// What a status means, for people; of any number.
#[unsafe(no_mangle)]
pub extern "C" fn fashion_status_text(status: i32) -> *const c_char {
    let known = Status::ALL.iter().find(|(known, _)| *known as i32 == status);
    known.map_or(c"an unknown status", |(_, text)| text).as_ptr()
}

/// Writes the probability of each class for one image, row after row of pixels, 0 for black to 255.
///
/// `pixels_len` is `FASHION_PIXELS`, `probabilities_len` is `FASHION_CLASSES`.
///
/// # Safety
/// There are as many pixels to read and probabilities to write as the lengths say, and nobody else writes the
/// pixels or touches the probabilities during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fashion_predict(
    pixels: *const u8,
    pixels_len: usize,
    probabilities: *mut f32,
    probabilities_len: usize,
) -> FashionStatus {
    // SAFETY: the caller's promise is the same.
    let buffers = unsafe { buffers(pixels, pixels_len, 1, probabilities, probabilities_len) };
    guarded(|| {
        let (images, rows) = buffers?;
        for (pixels, row) in images.iter().zip(rows) {
            *row = FASHION.one(pixels).map_err(|_| Status::Internal)?;
        }
        Ok(())
    })
}

/// Writes the probability of each class for many images, one after the other. They run on all cores.
///
/// `pixels_len` is `images * FASHION_PIXELS`, `probabilities_len` is `images * FASHION_CLASSES`. The last bits may
/// differ from those that `fashion_predict` writes: one image has kernels of its own.
///
/// # Safety
/// As for `fashion_predict`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fashion_predict_batch(
    pixels: *const u8,
    pixels_len: usize,
    images: usize,
    probabilities: *mut f32,
    probabilities_len: usize,
) -> FashionStatus {
    // SAFETY: the caller's promise is the same.
    let buffers = unsafe { buffers(pixels, pixels_len, images, probabilities, probabilities_len) };
    guarded(|| {
        let (images, rows) = buffers?;
        FASHION.many(images, rows).map_err(|_| Status::Internal)
    })
}

type Images<'a> = &'a [[u8; FASHION_PIXELS]];
type Rows<'a> = &'a mut [[f32; FASHION_CLASSES]];

/// The caller's memory, as so many images and as many rows.
///
/// # Safety
/// Where a pointer is not null and its length is right, there is as much memory, which for the time `'a` is
/// the caller's to read, or to write, and nobody else's to write, or to touch.
unsafe fn buffers<'a>(
    pixels: *const u8,
    pixels_len: usize,
    images: usize,
    probabilities: *mut f32,
    probabilities_len: usize,
) -> Result<(Images<'a>, Rows<'a>), Status> {
    if pixels.is_null() || probabilities.is_null() {
        return Err(Status::Null);
    }
    if images == 0 {
        return Err(Status::NoImages);
    }
    // Rust has no slice of more bytes than an `isize` counts. An image is larger than its row.
    let bytes = images.checked_mul(FASHION_PIXELS).filter(|&bytes| bytes <= isize::MAX as usize);
    let pixels_needed = bytes.ok_or(Status::TooMany)?;
    if pixels_len != pixels_needed || probabilities_len != images * FASHION_CLASSES {
        return Err(Status::Length);
    }
    if !probabilities.is_aligned() {
        return Err(Status::Misaligned);
    }
    let (read, written) = (pixels.addr(), probabilities.addr());
    let written_len = images * size_of::<[f32; FASHION_CLASSES]>();
    // The memory that the caller has ends before the last address. Lengths that say otherwise do not get past here.
    let (Some(read_end), Some(written_end)) =
        (read.checked_add(pixels_len), written.checked_add(written_len))
    else {
        return Err(Status::TooMany);
    };
    if read < written_end && written < read_end {
        return Err(Status::Overlap);
    }
    // SAFETY: there are `images * 784` bytes, fewer than `isize::MAX`, which nobody writes: the caller says so, and
    // they are no part of the probabilities. An array of bytes has their alignment.
    let images_read = unsafe { slice::from_raw_parts(pixels.cast(), images) };
    // SAFETY: there are `images * 10` numbers, aligned, in fewer bytes than the pixels have, which nobody else
    // touches: the caller says so, and they are no part of the pixels. Any bits are an `f32`, but memory that was
    // never written is none: so it becomes zeros first.
    let rows = unsafe {
        probabilities.write_bytes(0, probabilities_len);
        slice::from_raw_parts_mut(probabilities.cast(), images)
    };
    Ok((images_read, rows))
}

/// The status of what was done, or of a panic in it.
fn guarded(work: impl FnOnce() -> Result<(), Status>) -> Status {
    // Nothing is seen half changed after a panic but the caller's memory, and the status says so.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(_) => Status::Internal,
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_a_status() {
        assert_eq!(guarded(|| panic!("a mistake")), Status::Internal);
    }

    #[test]
    fn every_status_has_a_text() {
        for (status, text) in Status::ALL {
            // SAFETY: a text ends with a zero, and stays.
            let found = unsafe { CStr::from_ptr(fashion_status_text(status as i32)) };
            assert_eq!(found, text);
        }
    }
}

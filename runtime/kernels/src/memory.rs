//! Memory for large values.
//!
//! On Linux it asks for large pages (2 MB, *transparent huge pages*), if there is much of it: the system provides
//! them in fewer steps, and a core looks up fewer addresses.
#![allow(unsafe_code)]

/// From so many bytes on. Below, most memory would lie outside of whole large pages.
#[cfg(any(target_os = "linux", test))]
const LARGE: usize = 8 << 20;

/// What an allocation of the system is aligned to, on any machine of 64 bits.
const USUAL_ALIGN: usize = 16;

/// So many `zero`s.
///
/// The system provides zeros of numbers: pages that are never touched take no memory.
///
/// # Panics
/// When memory cannot have as many.
pub fn zeros<T: Clone>(zero: T, len: usize) -> Vec<T> {
    if align_of::<T>() <= USUAL_ALIGN {
        let mut zeros = vec![zero; len];
        prefer_large_pages(&mut zeros);
        return zeros;
    }
    // These are written one by one: a page keeps the size that it had when it was touched first.
    let mut zeros = Vec::with_capacity(len);
    prefer_large_pages(zeros.spare_capacity_mut());
    zeros.resize(len, zero);
    zeros
}

/// Asks the system for large pages. Where it has none, nothing changes.
#[cfg(target_os = "linux")]
fn prefer_large_pages<T>(memory: &mut [T]) {
    const PAGE: usize = 2 << 20;
    let bytes = size_of_val(memory);
    if bytes < LARGE {
        return;
    }
    let start = memory.as_mut_ptr().cast::<u8>();
    let before = start.align_offset(PAGE);
    let whole = bytes.saturating_sub(before) / PAGE * PAGE;
    // SAFETY: whole pages of memory that is borrowed; the call changes nothing that is stored there.
    unsafe { libc::madvise(start.wrapping_add(before).cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn prefer_large_pages<T>(_: &mut [T]) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lanes;

    #[test]
    fn zeros_are_zero_and_as_many() {
        for len in [0, 1, 1000, (3 * LARGE + 100) / size_of::<Lanes>()] {
            let numbers = zeros(0.0_f32, len * 16);
            assert!(numbers.len() == len * 16 && numbers.iter().all(|&number| number == 0.0));
            let lanes = zeros(Lanes::ZERO, len);
            assert!(lanes.len() == len && lanes.iter().all(|&lanes| lanes == Lanes::ZERO));
        }
    }
}

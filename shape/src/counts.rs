//! Saturating arithmetic on sizes and counts. Code that uses a size has checked it; code that shows or compares
//! one may get the largest number.

/// How many numbers along an axis a kernel with gaps lies over.
pub(crate) const fn reach(kernel: usize, dilation: usize) -> usize {
    dilation.saturating_mul(kernel.saturating_sub(1)).saturating_add(1)
}

/// A side with a border on both ends.
pub(crate) const fn bordered(side: usize, padding: usize) -> usize {
    side.saturating_add(padding.saturating_mul(2))
}

/// A product of counts; [`u64::MAX`] where it is more than that.
pub(crate) const fn product<const N: usize>(factors: [u64; N]) -> u64 {
    let (mut product, mut i) = (1u64, 0);
    while i < N {
        product = product.saturating_mul(factors[i]);
        i += 1;
    }
    product
}

/// A sum of counts; [`u64::MAX`] where it is more than that.
pub(crate) const fn sum<const N: usize>(summands: [u64; N]) -> u64 {
    let (mut sum, mut i) = (0u64, 0);
    while i < N {
        sum = sum.saturating_add(summands[i]);
        i += 1;
    }
    sum
}

/// So many numbers in whole vectors of 16.
pub(crate) const fn whole_vectors(numbers: usize) -> usize {
    numbers.div_ceil(16).saturating_mul(16)
}

/// The channels of one group; 0 where there are no groups.
pub(crate) const fn of_group(channels: usize, groups: usize) -> usize {
    match channels.checked_div(groups) {
        Some(channels) => channels,
        None => 0,
    }
}

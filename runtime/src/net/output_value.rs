//! How outputs are returned by value.

use typenet_engine::Flat;

/// How an output is returned by value: as it is, or boxed where it is large.
pub trait OutputValue<T> {
    /// An output of zeros.
    fn zeroed() -> Self;
    /// A copy of an output.
    fn copied(output: &T) -> Self;
    /// The output, mutable.
    fn get_mut(&mut self) -> &mut T;
}

impl<T: Flat + Copy> OutputValue<T> for T {
    fn zeroed() -> T {
        T::zero()
    }
    fn copied(output: &T) -> T {
        *output
    }
    fn get_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: Flat> OutputValue<T> for Box<T> {
    fn zeroed() -> Box<T> {
        <T as Flat>::zeroed()
    }
    fn copied(output: &T) -> Box<T> {
        output.to_boxed()
    }
    fn get_mut(&mut self) -> &mut T {
        self
    }
}

/// Chooses how to return an output whose size only the compiler knows: boxed if `LARGE`, for over 64 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Boxed<const LARGE: bool>;

/// The choice that [`Boxed`] makes.
pub trait Returned {
    /// `T`, or a box of it.
    type Value<T: Flat + Copy>: OutputValue<T>;
}

impl Returned for Boxed<false> {
    type Value<T: Flat + Copy> = T;
}

impl Returned for Boxed<true> {
    type Value<T: Flat + Copy> = Box<T>;
}

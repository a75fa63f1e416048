//! Which targets fit which outputs, as far as types can tell.

use typenet_engine::Flat;
use typenet_shape::{Shape, Text};

use crate::data::{ArrayShape, MixedLabel};

/// A target of this type fits an output of type `O`. A target that does not fit fails to compile.
///
/// | target | outputs |
/// |---|---|
/// | `usize`, the index of a class, or [`MixedLabel`] | all |
/// | an array | of the same type |
/// | an array that is nested in another way | of as many numbers |
/// | `f32` | of one number |
/// | `Box<T>`, for what is too large for the stack | as for `T` |
/// | tuples, other numbers, `bool`, strings, `Vec` | all: they are for losses of your own, which check them |
///
/// The compiler counts the numbers of arrays nested in another way when it builds the program, as it checks
/// the rules of nets with generics. A target type of your own implements the trait for its outputs:
///
/// ```
/// # use typenet_runtime::loss::Fits;
/// /// A value with its uncertainty, for nets of any output.
/// struct Measured {
///     value: f32,
///     uncertainty: f32,
/// }
///
/// impl<O> Fits<O> for Measured {}
/// ```
#[diagnostic::on_unimplemented(
    message = "a target of type `{Self}` does not fit an output of type `{O}`",
    label = "not a target for outputs of `{O}`",
    note = "help: targets are of the output's own type, `{O}` (`f32` for one number), or numbers of classes, `usize`"
)]
pub trait Fits<O> {
    /// Fails to evaluate where the numbers are not as many.
    #[doc(hidden)]
    const FITS: () = ();
}

#[diagnostic::do_not_recommend]
impl Fits<[f32; 1]> for f32 {}

#[diagnostic::do_not_recommend]
impl Fits<[[[f32; 1]; 1]; 1]> for f32 {}

#[diagnostic::do_not_recommend]
impl<A: Flat, const N: usize> Fits<[A; N]> for [A; N] {}

#[diagnostic::do_not_recommend]
impl<const N: usize, const C: usize, const H: usize, const W: usize> Fits<[[[f32; W]; H]; C]>
    for [f32; N]
{
    const FITS: () = as_many::<Self, [[[f32; W]; H]; C]>();
}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize, const H: usize, const W: usize>
    Fits<[[[f32; W]; H]; C]> for [[f32; B]; A]
{
    const FITS: () = as_many::<Self, [[[f32; W]; H]; C]>();
}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const N: usize> Fits<[f32; N]> for [[f32; B]; A] {
    const FITS: () = as_many::<Self, [f32; N]>();
}

#[diagnostic::do_not_recommend]
impl<const C: usize, const H: usize, const W: usize, const N: usize> Fits<[f32; N]>
    for [[[f32; W]; H]; C]
{
    const FITS: () = as_many::<Self, [f32; N]>();
}

#[diagnostic::do_not_recommend]
impl<O, T: Fits<O>> Fits<O> for Box<T> {
    const FITS: () = T::FITS;
}

/// Targets whose type says nothing about the output's size.
macro_rules! any_output {
    ($([$($generics:tt)*] $target:ty,)*) => {
        $(#[diagnostic::do_not_recommend]
        impl<O, $($generics)*> Fits<O> for $target {})*
    };
}

any_output! {
    [] usize, [] MixedLabel, [] f64, [] bool, [] String, [] &'static str,
    [] u8, [] u16, [] u32, [] u64, [] i8, [] i16, [] i32, [] i64, [] isize,
    [T] Vec<T>, [A] (A,), [A, B] (A, B),
}

#[allow(clippy::panic, reason = "a constant that is wrong stops the compiler")]
#[track_caller]
const fn as_many<T: ArrayShape, O: ArrayShape>() {
    if T::LEN != O::LEN {
        let message = said(Text::new().str("targets of "), T::SHAPE, T::LEN);
        let message = said(message.str(" do not fit outputs of "), O::SHAPE, O::LEN);
        panic!("{}", message.str("\nhelp: a target has as many numbers as an output").as_str());
    }
}

/// `[2, 3], 6 numbers`
const fn said(text: Text, shape: Shape, len: usize) -> Text {
    text.shape(&shape).str(", ").number(len).str(" numbers,")
}

/// Outputs that targets of type `T` [fit](Fits). A net with heads has a struct of its own for its outputs;
/// each head is compared with its target.
#[diagnostic::on_unimplemented(
    message = "targets of type `{T}` do not fit outputs of type `{Self}`",
    label = "outputs of `{Self}`, targets of `{T}`",
    note = "help: targets are of the outputs' own type, `{Self}` (`f32` for one number), or numbers of classes, `usize`"
)]
pub trait Matches<T> {
    /// Fails to evaluate where the numbers are not as many.
    #[doc(hidden)]
    const MATCHES: () = ();
}

#[diagnostic::do_not_recommend]
impl<T: Fits<[A; N]>, A: Flat, const N: usize> Matches<T> for [A; N] {
    const MATCHES: () = T::FITS;
}

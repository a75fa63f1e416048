//! Types that are nothing but numbers: arrays of `f32`, and structs of such.
#![allow(unsafe_code)]

use typenet_kernels::memory::zeros;

/// A type that is a sequence of `f32` and nothing else, so that a slice of numbers of the right length can be
/// viewed as one value, and the other way round.
///
/// # Safety
/// The type has the alignment of `f32`, a size that is a multiple of it, no padding and no other
/// content; any pattern of bits is a valid value.
pub unsafe trait Flat: Send + Sync + 'static + Sized {
    /// How many numbers a value holds.
    const LEN: usize = {
        assert!(align_of::<Self>() <= align_of::<f32>());
        size_of::<Self>() / size_of::<f32>()
    };

    /// The numbers, the last dimension running fastest.
    fn as_flat(&self) -> &[f32] {
        Self::flatten(std::slice::from_ref(self))
    }

    /// The numbers, to change.
    fn as_flat_mut(&mut self) -> &mut [f32] {
        Self::flatten_mut(std::slice::from_mut(self))
    }

    /// Views many values as the slice of their numbers.
    fn flatten(values: &[Self]) -> &[f32] {
        // A value without numbers may stand anywhere, also where no number could.
        if Self::LEN == 0 {
            return &[];
        }
        // SAFETY: each value is exactly LEN f32 without padding.
        unsafe {
            std::slice::from_raw_parts(
                values.as_ptr().cast(),
                size_of_val(values) / size_of::<f32>(),
            )
        }
    }

    /// Views many values as the slice of their numbers, to change.
    fn flatten_mut(values: &mut [Self]) -> &mut [f32] {
        if Self::LEN == 0 {
            return &mut [];
        }
        // SAFETY: each value is exactly LEN f32 without padding, and every pattern of bits is valid.
        unsafe {
            std::slice::from_raw_parts_mut(
                values.as_mut_ptr().cast(),
                size_of_val(values) / size_of::<f32>(),
            )
        }
    }

    /// The numbers as one value, if there are just enough.
    fn from_flat(numbers: &[f32]) -> Option<&Self> {
        // SAFETY: there are LEN numbers at the alignment of f32, and any of them are valid.
        (numbers.len() == Self::LEN).then(|| unsafe { &*numbers.as_ptr().cast() })
    }

    /// The numbers as one value, to change, if there are just enough.
    fn from_flat_mut(numbers: &mut [f32]) -> Option<&mut Self> {
        // SAFETY: there are LEN numbers at the alignment of f32, and any of them are valid.
        (numbers.len() == Self::LEN).then(|| unsafe { &mut *numbers.as_mut_ptr().cast() })
    }

    /// The numbers as values in a row, if they divide evenly. Values without numbers have no slices.
    fn slice_from_flat(numbers: &[f32]) -> Option<&[Self]> {
        // SAFETY: there are a multiple of LEN numbers at the alignment of f32.
        (Self::LEN > 0 && numbers.len().is_multiple_of(Self::LEN)).then(|| unsafe {
            std::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len() / Self::LEN)
        })
    }

    /// The numbers as values in a row, to change, if they divide evenly.
    fn slice_from_flat_mut(numbers: &mut [f32]) -> Option<&mut [Self]> {
        // SAFETY: there are a multiple of LEN numbers at the alignment of f32, any of them valid.
        (Self::LEN > 0 && numbers.len().is_multiple_of(Self::LEN)).then(|| unsafe {
            std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), numbers.len() / Self::LEN)
        })
    }

    /// The numbers as values in a row, if they divide evenly, without copying those that fill their
    /// memory. Values without numbers have none.
    fn vec_from_flat(numbers: Vec<f32>) -> Option<Vec<Self>> {
        if Self::LEN == 0 || !numbers.len().is_multiple_of(Self::LEN) {
            return None;
        }
        let len = numbers.len() / Self::LEN;
        let first = Box::into_raw(numbers.into_boxed_slice()).cast();
        // SAFETY: the allocation is `len` times LEN f32, with the size and alignment of so many values,
        // any numbers of which are valid.
        Some(unsafe { Vec::from_raw_parts(first, len, len) })
    }

    /// So many values of zeros, made on the heap and never on the stack.
    fn zeroed_vec(count: usize) -> Vec<Self> {
        if Self::LEN == 0 {
            // Values without content, which the stack holds any number of.
            return std::iter::repeat_with(|| *Self::zeroed()).take(count).collect();
        }
        // More than memory can have are refused where they are allocated.
        Self::vec_from_flat(vec![0.0; count.saturating_mul(Self::LEN)]).unwrap_or_default()
    }

    /// A copy on the heap, which never is on the stack, as one by `clone` may be.
    fn to_boxed(&self) -> Box<Self> {
        let mut copy = Self::zeroed();
        copy.as_flat_mut().copy_from_slice(self.as_flat());
        copy
    }

    /// All zeros, for values that fit on the stack.
    fn zero() -> Self {
        // SAFETY: any pattern of bits is a valid value.
        unsafe { std::mem::zeroed() }
    }

    /// All zeros, made on the heap and never on the stack.
    fn zeroed() -> Box<Self> {
        if Self::LEN == 0 {
            // SAFETY: a type without content has one value, and a box of it needs no memory.
            return unsafe { Box::from_raw(std::ptr::NonNull::dangling().as_ptr()) };
        }
        let numbers: Box<[f32]> = zeros(0.0, Self::LEN).into();
        // SAFETY: the allocation is LEN f32, with the size and alignment of Self.
        unsafe { Box::from_raw(Box::into_raw(numbers).cast()) }
    }
}

/// Views little-endian bytes as numbers, where this machine is little-endian and the bytes are aligned for
/// `f32`. An incomplete number at the end is left out.
pub fn floats(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: any pattern of bits is an f32.
    let (before, numbers, _) = unsafe { bytes.align_to::<f32>() };
    (cfg!(target_endian = "little") && before.is_empty()).then_some(numbers)
}

// SAFETY: one f32.
unsafe impl Flat for f32 {}
// SAFETY: arrays have no padding between or after their elements.
unsafe impl<T: Flat, const N: usize> Flat for [T; N] {}

/// Declares a parameter struct: `repr(C)`, every field [`Flat`], hence itself [`Flat`].
/// The `network!` macro writes its parameter structs with this.
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter_struct {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_attribute:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$attribute])*
        #[repr(C)]
        #[derive(PartialEq)]
        #[allow(clippy::derive_partial_eq_without_eq)]
        $visibility struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }
        const _: () = {
            const fn plain<T: $crate::Flat>() -> usize { ::core::mem::size_of::<T>() }
            assert!(::core::mem::size_of::<$name>() == 0 $(+ plain::<$type>())*);
        };
        // SAFETY: `repr(C)`, and the lines above check that every field is Flat and that their
        // sizes add up to the struct's, so that there is no padding.
        unsafe impl $crate::Flat for $name {}
        impl ::core::clone::Clone for $name {
            fn clone(&self) -> Self {
                Self { $($field: ::core::clone::Clone::clone(&self.$field),)* }
            }
            /// Number by number, without a copy in between.
            fn clone_from(&mut self, source: &Self) {
                let numbers = $crate::Flat::as_flat(source);
                $crate::Flat::as_flat_mut(self).copy_from_slice(numbers);
            }
        }
        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($name)).finish_non_exhaustive()
            }
        }
    };
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident<$(const $generic:ident: usize),+> {
        $($(#[$field_attribute:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$attribute])*
        #[repr(C)]
        #[derive(PartialEq)]
        #[allow(clippy::derive_partial_eq_without_eq)]
        $visibility struct $name<$(const $generic: usize),+> {
            $($(#[$field_attribute])* pub $field: $type,)*
        }
        $crate::__plain_parameters!($name<$($generic),+>: $($type,)*);
        impl<$(const $generic: usize),+> ::core::clone::Clone for $name<$($generic),+> {
            fn clone(&self) -> Self {
                Self { $($field: ::core::clone::Clone::clone(&self.$field),)* }
            }
            /// Number by number, without a copy in between.
            fn clone_from(&mut self, source: &Self) {
                let numbers = $crate::Flat::as_flat(source);
                $crate::Flat::as_flat_mut(self).copy_from_slice(numbers);
            }
        }
    };
}

/// Makes a generic struct [`Flat`].
#[doc(hidden)]
#[macro_export]
macro_rules! __plain_generic {
    ($name:ident<$($generic:ident),+>: $($type:ty,)*) => {
        // SAFETY: `repr(C)`, and `LEN`, without which there is no view of the numbers, checks that
        // every field is Flat and that their sizes add up to the struct's, so that there is no
        // padding.
        unsafe impl<$(const $generic: usize),+> $crate::Flat for $name<$($generic),+> {
            const LEN: usize = {
                const fn plain<T: $crate::Flat>() -> usize { ::core::mem::size_of::<T>() }
                assert!(::core::mem::size_of::<Self>() == 0 $(+ plain::<$type>())*);
                ::core::mem::size_of::<Self>() / ::core::mem::size_of::<f32>()
            };
        }
    };
}

/// Makes a generic parameter struct [`Flat`].
#[doc(hidden)]
#[macro_export]
macro_rules! __plain_parameters {
    ($name:ident<$($generic:ident),+>: $($type:ty,)*) => {
        $crate::__plain_generic!($name<$($generic),+>: $($type,)*);
        impl<$(const $generic: usize),+> ::core::fmt::Debug for $name<$($generic),+> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Declares a struct of arrays that is copied like them: the inputs or outputs of a net that names
/// them. The `network!` macro writes such structs with this.
#[doc(hidden)]
#[macro_export]
macro_rules! __value_struct {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_attribute:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$attribute])*
        #[repr(C)]
        #[derive(Clone, Copy, PartialEq, Debug)]
        $visibility struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }
        const _: () = {
            const fn plain<T: $crate::Flat>() -> usize { ::core::mem::size_of::<T>() }
            assert!(::core::mem::size_of::<$name>() == 0 $(+ plain::<$type>())*);
        };
        // SAFETY: `repr(C)`, and the lines above check that every field is Flat and that their
        // sizes add up to the struct's, so that there is no padding.
        unsafe impl $crate::Flat for $name {}
    };
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident<$(const $generic:ident: usize),+> {
        $($(#[$field_attribute:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$attribute])*
        #[repr(C)]
        #[derive(Clone, Copy, PartialEq, Debug)]
        $visibility struct $name<$(const $generic: usize),+> {
            $($(#[$field_attribute])* pub $field: $type,)*
        }
        $crate::__plain_generic!($name<$($generic),+>: $($type,)*);
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let mut value = [[1.0f32, 2.0], [3.0, 4.0]];
        assert_eq!(value.as_flat(), [1.0, 2.0, 3.0, 4.0]);
        value.as_flat_mut()[3] = 5.0;
        assert_eq!(value[1][1], 5.0);
        assert_eq!(<[[f32; 2]; 2]>::from_flat(&[0.0; 3]), None);
        assert_eq!(<[f32; 2]>::slice_from_flat(&[1.0, 2.0, 3.0, 4.0]).map(<[_]>::len), Some(2));
        assert_eq!(*<[[f32; 3]; 2]>::zeroed(), [[0.0; 3]; 2]);
        assert_eq!(*value.to_boxed(), value);
    }

    #[test]
    fn vectors_of_numbers_are_vectors_of_values() {
        let mut numbers = Vec::with_capacity(100);
        numbers.extend([1.0, 2.0, 3.0, 4.0]);
        let mut values = <[f32; 2]>::vec_from_flat(numbers).unwrap_or_default();
        assert_eq!(values, [[1.0, 2.0], [3.0, 4.0]]);
        values.push([5.0, 6.0]);
        assert_eq!(values.len(), 3);
        assert_eq!(<[f32; 2]>::vec_from_flat(vec![0.0; 3]), None);
        assert_eq!(<[f32; 2]>::vec_from_flat(Vec::new()), Some(Vec::new()));
        assert_eq!(<[f32; 0]>::vec_from_flat(Vec::new()), None);
        assert_eq!(<[f32; 2]>::zeroed_vec(3), [[0.0; 2]; 3]);
        assert_eq!(<[f32; 0]>::zeroed_vec(3), [[0.0; 0]; 3]);
        assert_eq!(<[f32; 2]>::zeroed_vec(0), Vec::<[f32; 2]>::new());
    }

    #[test]
    #[should_panic(expected = "capacity overflow")]
    fn more_values_than_memory_can_have_are_refused() {
        let _ = <[f32; 8]>::zeroed_vec(usize::MAX / 4);
    }
}

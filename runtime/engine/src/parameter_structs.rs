//! The parameter structs of a repeat's rounds.

/// As `__parameter_struct`, for fields without names: the rounds of a `repeat`,
/// which may differ in shape.
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter_tuple {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident(
        $($(#[$field_attribute:meta])* pub $type:ty,)*
    );) => {
        $(#[$attribute])*
        #[repr(C)]
        #[derive(PartialEq)]
        #[allow(clippy::derive_partial_eq_without_eq)]
        $visibility struct $name($($(#[$field_attribute])* pub $type,)*);
        const _: () = {
            const fn plain<T: $crate::Flat>() -> usize { ::core::mem::size_of::<T>() }
            assert!(::core::mem::size_of::<$name>() == 0 $(+ plain::<$type>())*);
        };
        // SAFETY: `repr(C)`, and the lines above check that every field is Flat and that their
        // sizes add up to the struct's, so that there is no padding.
        unsafe impl $crate::Flat for $name {}
        impl ::core::clone::Clone for $name {
            fn clone(&self) -> Self {
                *$crate::Flat::to_boxed(self)
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
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident<$(const $generic:ident: usize),+>(
        $($(#[$field_attribute:meta])* pub $type:ty,)*
    );) => {
        $(#[$attribute])*
        #[repr(C)]
        #[derive(PartialEq)]
        #[allow(clippy::derive_partial_eq_without_eq)]
        $visibility struct $name<$(const $generic: usize),+>($($(#[$field_attribute])* pub $type,)*);
        $crate::__plain_parameters!($name<$($generic),+>: $($type,)*);
        impl<$(const $generic: usize),+> ::core::clone::Clone for $name<$($generic),+> {
            fn clone(&self) -> Self {
                *$crate::Flat::to_boxed(self)
            }
            /// Number by number, without a copy in between.
            fn clone_from(&mut self, source: &Self) {
                let numbers = $crate::Flat::as_flat(source);
                $crate::Flat::as_flat_mut(self).copy_from_slice(numbers);
            }
        }
    };
}

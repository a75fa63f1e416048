use typenet_shape::{MAX_RANK, Shape};

use typenet_engine::Flat;

use crate::{Error, Result};

/// Nested arrays of `f32` and their dimensions, the outermost first.
///
/// ```
/// use typenet_runtime::data::ArrayShape;
///
/// assert_eq!(<[[[f32; 32]; 24]; 3]>::SHAPE.dims(), [3, 24, 32]);
/// assert_eq!(f32::SHAPE.rank(), 0);
/// ```
pub trait ArrayShape: Flat {
    /// The dimensions: `[channels, height, width]` for `[[[f32; width]; height]; channels]`.
    /// More than four do not compile.
    const SHAPE: Shape;
}

impl ArrayShape for f32 {
    const SHAPE: Shape = Shape::new(&[]);
}

impl<T: ArrayShape, const N: usize> ArrayShape for [T; N] {
    const SHAPE: Shape = prepend(N, T::SHAPE);
}

const fn prepend(first: usize, rest: Shape) -> Shape {
    let mut dims = [first; MAX_RANK + 1];
    let mut i = 0;
    while i < rest.rank() {
        dims[i + 1] = rest.dim(i);
        i += 1;
    }
    Shape::new(dims.split_at(rest.rank() + 1).0)
}

/// The channels, height and width of images of this type.
pub(super) fn image_dims<I: ArrayShape>() -> Result<[usize; 3]> {
    let dims = I::SHAPE.dims();
    match *dims {
        [channels, height, width] if I::LEN > 0 => Ok([channels, height, width]),
        _ => {
            let expected = "[channels, height, width], each at least 1";
            Err(Error::size("the shape of an image", expected, format!("{dims:?}")))
        }
    }
}

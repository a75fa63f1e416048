use crate::geometry::check_pair;
use crate::{Argument, Shape, ShapeError};

/// How upsampling finds the numbers between those of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interpolation {
    /// Each is the input's number at the place where it lies.
    Nearest,
    /// Each is interpolated linearly, along both axes, from the four around it.
    Bilinear,
}

/// The geometry of an upsampling layer (PyTorch's `Upsample`). Pairs are `[height, width]`.
///
/// With [`Nearest`](Interpolation::Nearest), place `i` of the output lies at `i / scale` of the input. With
/// [`Bilinear`](Interpolation::Bilinear) it lies at `(i + ½) / scale − ½`, no less than 0, or with
/// `align_corners` at `i · (input − 1) / (output − 1)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upsample2d {
    /// Input shape `[channels, height, width]`.
    pub input: Shape,
    /// How many times as high and as wide the output is.
    pub scale: [usize; 2],
    /// How the numbers between are found.
    pub mode: Interpolation,
    /// Whether the corner pixels of output and input coincide, rather than their outer edges.
    pub align_corners: bool,
}

impl Upsample2d {
    /// `[channels, height · scale, width · scale]`.
    ///
    /// # Errors
    /// The first rule these numbers break.
    pub const fn output(&self) -> Result<Shape, ShapeError> {
        let Upsample2d { input, scale, mode, align_corners } = *self;
        if input.rank() != 3 {
            return Err(ShapeError::NeedsImage { found: input });
        }
        if let Err(error) = check_pair(Argument::ScaleFactor, scale, 1) {
            return Err(error);
        }
        if let Err(error) = check_corners(mode, align_corners) {
            return Err(error);
        }
        let height = input.dim(1).saturating_mul(scale[0]);
        let width = input.dim(2).saturating_mul(scale[1]);
        Shape::new(&[input.dim(0), height, width]).checked()
    }
}

/// The rule of `align_corners`.
pub(crate) const fn check_corners(
    mode: Interpolation,
    align_corners: bool,
) -> Result<(), ShapeError> {
    if align_corners && matches!(mode, Interpolation::Nearest) {
        return Err(ShapeError::AlignCorners);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_multiplied() {
        let input = Shape::new(&[3, 4, 5]);
        let mode = Interpolation::Bilinear;
        let g = Upsample2d { input, scale: [2, 3], mode, align_corners: true };
        assert_eq!(g.output(), Ok(Shape::new(&[3, 8, 15])));
        let nearest = Upsample2d { mode: Interpolation::Nearest, ..g };
        assert_eq!(nearest.output(), Err(ShapeError::AlignCorners));
        let argument = Argument::ScaleFactor;
        let none = Upsample2d { scale: [0, 2], ..g };
        assert_eq!(none.output(), Err(ShapeError::ZeroArgument { argument }));
        let huge = Upsample2d { scale: [1 << 20, 1 << 20], ..g };
        assert!(matches!(huge.output(), Err(ShapeError::Overflow { .. })));
    }
}

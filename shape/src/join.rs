//! Shapes of layers that read several values.

use crate::{Shape, ShapeError};

/// The sum of values: all of one shape.
pub(crate) const fn add(inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let mut i = 1;
    while i < inputs.len() {
        if !inputs[i].equals(&inputs[0]) {
            return Err(ShapeError::Unlike { first: inputs[0], other: inputs[i] });
        }
        i += 1;
    }
    Ok(inputs[0])
}

/// The product of values: all of the first one's shape, or one factor a channel, `[c]` or
/// `[c, 1, 1]`.
pub(crate) const fn mul(inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let first = inputs[0];
    let mut i = 1;
    while i < inputs.len() {
        if !inputs[i].equals(&first) && !is_factor_a_channel(first, inputs[i]) {
            return Err(ShapeError::Unlike { first, other: inputs[i] });
        }
        i += 1;
    }
    Ok(first)
}

/// Whether `factor` has one number for each channel of `image`: `[c]` or `[c, 1, 1]`.
pub const fn is_factor_a_channel(image: Shape, factor: Shape) -> bool {
    image.rank() == 3
        && factor.rank() > 0
        && factor.dim(0) == image.dim(0)
        && factor.elements() == factor.dim(0)
        && (factor.rank() == 1 || factor.rank() == 3)
}

/// Values concatenated along the channels: all of one height and width.
pub(crate) const fn concat(inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let first = inputs[0];
    let mut channels = first.dim(0);
    let mut i = 1;
    while i < inputs.len() {
        let other = inputs[i];
        let fits = other.rank() == first.rank()
            && (first.rank() < 3 || (other.dim(1) == first.dim(1) && other.dim(2) == first.dim(2)));
        if !fits {
            return Err(ShapeError::UnlikeSizes { first, other });
        }
        channels = channels.saturating_add(other.dim(0));
        i += 1;
    }
    match first.rank() {
        1 => Shape::new(&[channels]).checked(),
        _ => Shape::new(&[channels, first.dim(1), first.dim(2)]).checked(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Shape = Shape::new(&[4, 5, 6]);

    #[test]
    fn sums_are_of_one_shape() {
        assert_eq!(add(&[IMAGE, IMAGE, IMAGE]), Ok(IMAGE));
        let other = Shape::new(&[4, 5, 5]);
        assert_eq!(add(&[IMAGE, other]), Err(ShapeError::Unlike { first: IMAGE, other }));
    }

    #[test]
    fn products_spread_one_factor_a_channel() {
        let (features, pixels) = (Shape::new(&[4]), Shape::new(&[4, 1, 1]));
        assert_eq!(mul(&[IMAGE, features, pixels, IMAGE]), Ok(IMAGE));
        assert_eq!(mul(&[features, features]), Ok(features));
        let other = Shape::new(&[5]);
        assert_eq!(mul(&[IMAGE, other]), Err(ShapeError::Unlike { first: IMAGE, other }));
        assert_eq!(
            mul(&[features, IMAGE]),
            Err(ShapeError::Unlike { first: features, other: IMAGE })
        );
    }

    #[test]
    fn channels_are_joined() {
        assert_eq!(concat(&[IMAGE, Shape::new(&[3, 5, 6])]), Ok(Shape::new(&[7, 5, 6])));
        assert_eq!(concat(&[Shape::new(&[2]), Shape::new(&[3])]), Ok(Shape::new(&[5])));
        let other = Shape::new(&[4, 5, 5]);
        assert_eq!(concat(&[IMAGE, other]), Err(ShapeError::UnlikeSizes { first: IMAGE, other }));
        let huge = Shape::new(&[usize::MAX]);
        assert!(concat(&[huge, huge]).is_err());
    }
}

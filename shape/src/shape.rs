/// The most dimensions a [`Shape`] can have.
pub const MAX_RANK: usize = 4;

/// The dimensions of one image's value, without the batch: `[channels, height, width]` or
/// `[features]`. Parameters use up to four.
///
/// ```
/// use typenet_shape::Shape;
/// let image = Shape::new(&[3, 32, 32]);
/// assert_eq!(image.rank(), 3);
/// assert_eq!(image.elements(), 3072);
/// assert_eq!(image.text().as_str(), "[3, 32, 32]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Shape {
    rank: usize,
    dims: [usize; MAX_RANK],
}

impl Shape {
    /// The shape with these dimensions.
    ///
    /// # Panics
    /// With more than [`MAX_RANK`] dimensions.
    pub const fn new(dims: &[usize]) -> Shape {
        assert!(dims.len() <= MAX_RANK, "a shape has at most 4 dimensions");
        let mut shape = Shape { rank: dims.len(), dims: [0; MAX_RANK] };
        let mut i = 0;
        while i < dims.len() {
            shape.dims[i] = dims[i];
            i += 1;
        }
        shape
    }

    /// How many dimensions there are.
    pub const fn rank(&self) -> usize {
        self.rank
    }

    /// Dimension `index`, counted from 0.
    ///
    /// # Panics
    /// When `index` is not below the rank.
    pub const fn dim(&self, index: usize) -> usize {
        assert!(index < self.rank, "this shape has fewer dimensions");
        self.dims[index]
    }

    /// Dimension `index`, or 1 where there is none.
    pub const fn padded(&self, index: usize) -> usize {
        if index < self.rank { self.dims[index] } else { 1 }
    }

    /// The dimensions.
    pub const fn dims(&self) -> &[usize] {
        self.dims.split_at(self.rank).0
    }

    /// How many numbers a value of this shape holds; `usize::MAX` where there are more.
    pub const fn elements(&self) -> usize {
        let mut product: usize = 1;
        let mut i = 0;
        while i < self.rank {
            product = product.saturating_mul(self.dims[i]);
            i += 1;
        }
        product
    }

    /// Whether both shapes have the same dimensions.
    pub const fn equals(&self, other: &Shape) -> bool {
        if self.rank != other.rank {
            return false;
        }
        let mut i = 0;
        while i < self.rank {
            if self.dims[i] != other.dims[i] {
                return false;
            }
            i += 1;
        }
        true
    }
}

use std::ops::Add;

/// A loss, and its slope (directional derivative) along a direction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slope {
    /// The loss.
    pub loss: f64,
    /// How fast the loss grows along the direction `v`: `∇L · v`.
    pub slope: f64,
}

/// The value and the slope of a sum: of a loss and a regulariser, say.
impl Add for Slope {
    type Output = Slope;

    fn add(self, other: Slope) -> Slope {
        Slope { loss: self.loss + other.loss, slope: self.slope + other.slope }
    }
}

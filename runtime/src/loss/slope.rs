use std::ops::Add;

/// A loss, and its slope along a direction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slope {
    /// The loss.
    pub loss: f64,
    /// How fast it grows for each step along the direction: `∇L · v`.
    pub slope: f64,
}

/// Of a sum: a loss and a regulariser, say.
impl Add for Slope {
    type Output = Slope;

    fn add(self, other: Slope) -> Slope {
        Slope { loss: self.loss + other.loss, slope: self.slope + other.slope }
    }
}

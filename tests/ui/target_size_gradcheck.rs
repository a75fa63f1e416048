//! Gradients checked with targets of another size than the net's output.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let _ = gradcheck(&Net::seeded(1), &SumSquaredError::new(), &[[0.5; 4]], &[[0.0, 1.0, 0.0]]);
}

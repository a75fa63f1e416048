//! The net comes first.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}

fn main() {
    let _ = gradcheck(&CrossEntropy::new(), &Net::seeded(1), &[[0.5; 4]], &[1]);
}

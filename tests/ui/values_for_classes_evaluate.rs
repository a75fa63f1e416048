//! Values for a loss of classes, in an evaluation.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let data = Dataset::from_inputs(&[[0.5; 4]], vec![[0.0, 1.0]]).unwrap();
    println!("{}", evaluate(&Net::seeded(1), &CrossEntropy::new(), &data).unwrap());
}

//! Cross-entropy takes logits; this net ends in logarithms of probabilities.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
        log_softmax,
    }
}

fn main() {
    let data = Dataset::from_inputs(&[[[[0.0; 8]; 8]]], vec![0]).unwrap();
    let mut net = Net::seeded(1);
    Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).fit(&mut net, &data, None).unwrap();
}

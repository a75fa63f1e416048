//! Cross-entropy of a net whose last layer is a net that ends in `softmax`.
use typenet::prelude::*;

mod nets {
    typenet::network! { pub struct Head: [8] -> [3] { linear(3), softmax } }
}

network! {
    struct Net: [4] -> [3] {
        linear(8), relu,
        head: nets::Head,
    }
}

fn main() -> typenet::Result<()> {
    let mut net = Net::seeded(1);
    let data = Dataset::from_inputs(&[[0.0; 4]], vec![1])?;
    Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new()).fit(&mut net, &data, None)?;
    Ok(())
}

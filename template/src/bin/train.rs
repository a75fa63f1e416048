//! Trains the net and writes its weights.

use net::Digits;
use typenet::prelude::*;

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/digits.safetensors");

fn main() -> Result<(), typenet::Error> {
    let [train, test] = net::data()?;
    let mut net = Digits::seeded(42);
    let sgd = Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(5e-4);
    let history = Trainer::new(sgd.schedule(Schedule::cosine(30)))
        .loss(CrossEntropy::new())
        .batch(32)
        .epochs(30)
        .fit(&mut net, &train, Some(&test))?;
    println!("{history}");
    net.save(WEIGHTS)?;
    println!("weights saved to {WEIGHTS}");
    Ok(())
}

//! The trained net on images that it has not seen.
#![cfg(feature = "pretrained")]

use net::Digits;
use typenet::prelude::*;

#[test]
fn it_is_right_of_97_in_100_digits() -> Result<(), typenet::Error> {
    let [_, test] = net::data()?;
    let result = evaluate(&Digits::pretrained(), &CrossEntropy::new(), &test)?;
    assert!(result.accuracy().is_some_and(|accuracy| accuracy >= 0.97), "{result}");
    Ok(())
}

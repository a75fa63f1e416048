//! How weights change: stochastic gradient descent, schedules of its rate, and penalties.

mod regularizer;
mod schedule;
mod sgd;

pub use regularizer::Regularizer;
pub use schedule::Schedule;
pub use sgd::{Group, Sgd, SgdState};

use typenet_shape::{Graph, Tensor};

use crate::{Error, Result, io};

/// Whether a path chooses a tensor: it is the tensor's name, or a part of it up to a dot.
/// `fc1` chooses `fc1.weight` and `fc1.bias`, not `fc10.weight`.
fn chooses(path: &str, name: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Fails if a path chooses no tensor of the net.
fn check_path(argument: &'static str, path: &str, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
    if tensors.iter().any(|tensor| chooses(path, &io::tensor_name(graph, tensor))) {
        return Ok(());
    }
    let value = format!("\"{path}\"");
    Err(Error::Argument { name: argument, value, expected: "the name of a layer or tensor of the net" })
}

/// Fails unless `value` is finite and at least 0.
fn check_not_negative(name: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Argument { name, value: value.to_string(), expected: "a finite number, 0 or more" })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_ends_at_a_dot() {
        use super::chooses;
        assert!(chooses("fc1", "fc1.weight") && chooses("fc1.bias", "fc1.bias"));
        assert!(!chooses("fc1", "fc10.weight") && !chooses("fc1.b", "fc1.bias"));
    }
}

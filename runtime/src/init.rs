//! Random initial weights.
use typenet_shape::Tensor;
/// How weights are drawn.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Scheme {
    /// PyTorch's default.
    #[default]
    KaimingUniform,
}
/// Fills all parameters.
pub fn initialize(scheme: &Scheme, tensors: &[Tensor], parameters: &mut [f32], seed: u64) {
    let _ = (scheme, tensors, parameters, seed);
    todo!()
}

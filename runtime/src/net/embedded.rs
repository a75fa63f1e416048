//! Nets whose parameters are part of the program.

use typenet_engine::Flat;
use typenet_shape::WeightFile;

use super::{Metadata, Model, Network, Normalization};
use crate::io;

/// A weight file that is part of the program. `#[weights("…")]` writes one, and the compiler has checked it
/// against the net.
#[derive(Debug)]
pub struct Embedded {
    /// The content of its header.
    pub file: WeightFile<'static>,
    /// Whether its numbers are laid out as in the net's parameter struct.
    pub is_in_order: bool,
    /// The bytes after its header.
    pub numbers: &'static [u8],
    /// The classes' names.
    pub class_names: &'static [&'static str],
    /// Mean and standard deviation of each input channel.
    pub normalization: Option<(&'static [f32], &'static [f32])>,
}

/// A value aligned to 64 bytes, so that any vector may be read from it.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Aligned<T: ?Sized>(pub T);

/// A net with these parameters, which are used in place where the layout allows.
pub fn pretrained<N: Network>(embedded: &'static Embedded) -> N {
    let Embedded { file, is_in_order, numbers, class_names, normalization } = embedded;
    let metadata = Metadata {
        class_names: class_names.iter().map(|&name| name.to_owned()).collect(),
        normalization: normalization
            .map(|(mean, std)| Normalization { mean: mean.to_vec(), std: std.to_vec() }),
    };
    let in_place = is_in_order.then(|| typenet_engine::floats(numbers)).flatten();
    let in_place = in_place.and_then(|all| all.get(..N::Parameters::LEN));
    if let Some(parameters) = in_place.and_then(N::Parameters::from_flat) {
        return N::from_model(Model::embedded(parameters, metadata));
    }
    let mut model = Model::zeroed();
    let parameters: &mut N::Parameters = model.parameters_mut();
    let parameters = parameters.as_flat_mut();
    for (index, tensor) in N::LAYOUT.tensors.iter().enumerate() {
        if let Some(at) = file.find(&N::GRAPH, tensor, index) {
            let found = &file.tensors[at];
            let to = &mut parameters[tensor.offset..][..tensor.shape.elements()];
            io::read_numbers(found.dtype, &numbers[found.start..], to);
        }
    }
    model.metadata = metadata;
    N::from_model(model)
}

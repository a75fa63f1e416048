//! Weights as the kernels want them, made of the parameters after each change.

mod folded;
mod transformed;

use std::sync::{Mutex, OnceLock, PoisonError};

pub(crate) use folded::Folded;
pub(crate) use transformed::{Prepared, transform};

use crate::one_image::OneImageWeights;
use crate::spec::NetSpec;

/// What inference makes of a net's parameters, once after each change of them.
#[derive(Debug, Default)]
pub struct PreparedWeights {
    /// The parameters with the batch norms folded in.
    folded: OnceLock<Option<Box<Folded>>>,
    /// The weights transformed for inference.
    transformed: OnceLock<Vec<f32>>,
    /// The parameters packed for one image.
    one_image: OnceLock<Option<Box<OneImageWeights>>>,
    /// The memory of what was made before the last change, for the next time.
    spare: Mutex<Spare>,
}

#[derive(Debug, Default)]
struct Spare {
    folded: Box<Folded>,
    transformed: Vec<f32>,
    one_image: Option<Box<OneImageWeights>>,
}

impl PreparedWeights {
    /// Forgets what was made: the parameters change.
    pub fn clear(&mut self) {
        let spare = self.spare.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(folded)) = self.folded.take() {
            spare.folded = folded;
        }
        if let Some(transformed) = self.transformed.take() {
            spare.transformed = transformed;
        }
        if let Some(one_image) = self.one_image.take().flatten() {
            spare.one_image = Some(one_image);
        }
    }

    /// What inference of many images needs beside the parameters.
    pub(crate) fn of_batch(&self, spec: &NetSpec, parameters: &[f32]) -> Prepared<'_> {
        let folded = self.folded(spec, parameters);
        let transform = || {
            let spare = self.take_spare(|spare| &mut spare.transformed);
            transformed::for_inference(spec.layout, parameters, folded, spare)
        };
        Prepared { folded, transformed: self.transformed.get_or_init(transform) }
    }

    /// The parameters packed for one image, if the net has kernels for that.
    pub(crate) fn of_one_image(
        &self,
        spec: &NetSpec,
        parameters: &[f32],
    ) -> Option<&OneImageWeights> {
        let pack = || {
            let folded = self.folded(spec, parameters);
            let spare = self.take_spare(|spare| &mut spare.one_image);
            OneImageWeights::new(spec, parameters, folded, spare)
        };
        self.one_image.get_or_init(pack).as_deref()
    }

    /// The parameters with the batch norms folded in, if there are any.
    fn folded(&self, spec: &NetSpec, parameters: &[f32]) -> Option<&Folded> {
        let fold = || {
            let spare = self.take_spare(|spare| &mut spare.folded);
            Folded::new(spec.graph, spec.layout, parameters, spare)
        };
        self.folded.get_or_init(fold).as_deref()
    }

    fn take_spare<T: Default>(&self, field: impl FnOnce(&mut Spare) -> &mut T) -> T {
        std::mem::take(field(&mut self.spare.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

//! Weights as the kernels want them, made from the parameters after each change.

mod folded;
mod transformed;

use std::sync::{Mutex, OnceLock, PoisonError};

pub(crate) use folded::Folded;
pub(crate) use transformed::{Prepared, transform};

use crate::blocked::{BlockedPlan, BlockedWeights};
use crate::spec::NetSpec;

/// What inference makes from a net's parameters, once after each change of them.
#[derive(Debug, Default)]
pub struct PreparedWeights {
    /// The parameters with the batch norms folded in.
    folded: OnceLock<Option<Box<Folded>>>,
    /// The weights transformed for inference.
    transformed: OnceLock<Vec<f32>>,
    /// How the net runs with 16 channels side by side, whatever its parameters are.
    plan: OnceLock<BlockedPlan>,
    /// The parameters packed for that.
    blocked: OnceLock<BlockedWeights>,
    /// The memory of what was made before the last change, for the next time.
    spare: Mutex<Spare>,
}

#[derive(Debug, Default)]
struct Spare {
    folded: Box<Folded>,
    transformed: Vec<f32>,
    blocked: BlockedWeights,
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
        if let Some(blocked) = self.blocked.take() {
            spare.blocked = blocked;
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

    /// How the net runs with 16 channels side by side.
    pub(crate) fn plan(&self, spec: &NetSpec) -> &BlockedPlan {
        self.plan.get_or_init(|| BlockedPlan::new(spec))
    }

    /// The parameters packed for 16 channels side by side.
    pub(crate) fn blocked(&self, spec: &NetSpec, parameters: &[f32]) -> &BlockedWeights {
        let pack = || {
            let folded = self.folded(spec, parameters);
            let spare = self.take_spare(|spare| &mut spare.blocked);
            BlockedWeights::new(spec, self.plan(spec), parameters, folded, spare)
        };
        self.blocked.get_or_init(pack)
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

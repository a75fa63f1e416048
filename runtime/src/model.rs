use std::sync::{Mutex, OnceLock, PoisonError};

use crate::folded::Folded;
use crate::single::Single;
use crate::trained::Trained;
use crate::transformed::{self, Prepared};
use crate::{Error, Network, Plain, Result};

/// What a net's struct holds: its parameters on the heap, and what is stored beside them.
pub struct Model<P> {
    pub(crate) parameters: Box<P>,
    pub(crate) metadata: Metadata,
    /// The parameters with the batch norms folded in, since they were last changed.
    folded: OnceLock<Option<Box<Folded>>>,
    /// The weights transformed for inference, since they were last changed.
    transformed: OnceLock<Vec<f32>>,
    /// The memory of those before the last change, for the next ones.
    spare: Mutex<Vec<f32>>,
    /// The parameters packed for one image, since they were last changed.
    single: OnceLock<Option<Box<Single>>>,
    /// Which parameters are trained; as the declaration says until it is asked for or changed.
    trained: OnceLock<Box<Trained>>,
}

impl<P: Plain> Model<P> {
    /// All parameters zero, no metadata.
    pub fn zeroed() -> Model<P> {
        Model::of(P::zeroed(), Metadata::default())
    }

    fn of(parameters: Box<P>, metadata: Metadata) -> Model<P> {
        Model {
            parameters,
            metadata,
            folded: OnceLock::new(),
            transformed: OnceLock::new(),
            spare: Mutex::default(),
            single: OnceLock::new(),
            trained: OnceLock::new(),
        }
    }

    /// The parameters.
    pub fn parameters(&self) -> &P {
        &self.parameters
    }

    /// The parameters, to change.
    pub fn parameters_mut(&mut self) -> &mut P {
        self.forget();
        &mut self.parameters
    }

    /// Drops what was made of the parameters: they change.
    fn forget(&mut self) {
        self.folded.take();
        if let Some(transformed) = self.transformed.take() {
            *self.spare.get_mut().unwrap_or_else(PoisonError::into_inner) = transformed;
        }
        self.single.take();
    }

    /// Which parameters are trained.
    pub(crate) fn trained<N: Network<Parameters = P>>(&self) -> &Trained {
        let declared = || Box::new(Trained::declared(&N::GRAPH, N::LAYOUT.tensors));
        self.trained.get_or_init(declared)
    }

    pub(crate) fn set_trained(&mut self, trained: Trained) {
        self.trained = OnceLock::from(Box::new(trained));
    }

    /// Which parameters are trained, and the parameters, to change.
    pub(crate) fn trained_and_parameters<N: Network<Parameters = P>>(
        &mut self,
    ) -> (&Trained, &mut P) {
        let declared = || Box::new(Trained::declared(&N::GRAPH, N::LAYOUT.tensors));
        self.forget();
        (self.trained.get_or_init(declared), &mut self.parameters)
    }

    /// The parameters with the batch norms folded in, if there are any.
    pub(crate) fn folded<N: Network<Parameters = P>>(&self) -> Option<&Folded> {
        let fold = || Folded::new(&N::GRAPH, &N::LAYOUT, self.parameters.as_flat()).map(Box::new);
        self.folded.get_or_init(fold).as_deref()
    }

    /// What inference of many images needs beside the parameters.
    pub(crate) fn prepared<N: Network<Parameters = P>>(&self) -> Prepared<'_> {
        let folded = self.folded::<N>();
        let transform = || {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            let spare = std::mem::take(&mut *spare);
            transformed::for_inference(&N::LAYOUT, self.parameters.as_flat(), folded, spare)
        };
        Prepared { folded, transformed: self.transformed.get_or_init(transform) }
    }

    /// The parameters packed for one image, if the net has kernels for that.
    pub(crate) fn single<N: Network<Parameters = P>>(&self) -> Option<&Single> {
        let pack = || {
            let (parameters, folded) = (self.parameters.as_flat(), self.folded::<N>());
            Single::new(&N::GRAPH, N::SHAPES, &N::LAYOUT, parameters, folded).map(Box::new)
        };
        self.single.get_or_init(pack).as_deref()
    }
}

impl<P: PartialEq> PartialEq for Model<P> {
    fn eq(&self, other: &Model<P>) -> bool {
        self.parameters == other.parameters && self.metadata == other.metadata
    }
}

impl<P: Plain> Clone for Model<P> {
    fn clone(&self) -> Model<P> {
        // Copied in place: a large parameter struct does not fit on the stack.
        let mut parameters = P::zeroed();
        parameters.as_flat_mut().copy_from_slice(self.parameters.as_flat());
        Model { trained: self.trained.clone(), ..Model::of(parameters, self.metadata.clone()) }
    }
}

impl<P> std::fmt::Debug for Model<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

/// What is stored with the weights to use a net on new images.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metadata {
    /// The classes' names in the order of the outputs; empty where none were given.
    pub class_names: Vec<String>,
    /// What was done to the training images, and so must be done to new ones.
    pub normalization: Option<Normalization>,
}

/// The mean and standard deviation of each input channel: a number `x` in 0..=1 enters the net as
/// `(x − mean) / std`.
#[derive(Clone, PartialEq, Debug)]
pub struct Normalization {
    /// One mean a channel.
    pub mean: Vec<f32>,
    /// One standard deviation a channel.
    pub std: Vec<f32>,
}

impl Normalization {
    /// Normalises numbers in the order channel, row, column in place.
    ///
    /// # Errors
    /// [`Error::Size`] when mean and std are not one number a channel.
    pub fn apply(&self, numbers: &mut [f32], channels: usize) -> Result<()> {
        for (what, found) in
            [("channels of the mean", &self.mean), ("channels of the std", &self.std)]
        {
            if found.len() != channels {
                return Err(Error::size(what, channels, found.len()));
            }
        }
        let area = (numbers.len() / channels).max(1);
        for (channel, numbers) in numbers.chunks_mut(area).enumerate() {
            let (mean, std) = (self.mean[channel % channels], self.std[channel % channels]);
            for number in numbers {
                *number = (*number - mean) / std;
            }
        }
        Ok(())
    }
}

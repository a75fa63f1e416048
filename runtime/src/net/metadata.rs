//! What is stored with the weights of a net.

use crate::{Error, Result};

/// What is stored with the weights to use a net on new images.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metadata {
    /// The classes' names in the order of the outputs; empty if none were given.
    pub class_names: Vec<String>,
    /// The normalisation of the training images, which new images need too.
    pub normalization: Option<Normalization>,
}

/// The mean and standard deviation of each input channel: a number `x` in 0..=1 enters the net as
/// `(x − mean) / std`. All are finite and `std` is above 0, or the net cannot be saved.
#[derive(Clone, PartialEq, Debug)]
pub struct Normalization {
    /// One mean a channel.
    pub mean: Vec<f32>,
    /// One standard deviation a channel.
    pub std: Vec<f32>,
}

impl Normalization {
    /// Normalises numbers in place; they are in the order channel, row, column.
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
        // Of no channels there is nothing to normalise.
        let Some(area) = numbers.len().checked_div(channels) else { return Ok(()) };
        for (channel, numbers) in numbers.chunks_mut(area.max(1)).enumerate() {
            let (mean, std) = (self.mean[channel % channels], self.std[channel % channels]);
            for number in numbers {
                *number = (*number - mean) / std;
            }
        }
        Ok(())
    }
}

//! Nets that the service can have inside.

use typenet::prelude::*;
use typenet::zoo::LeNet5;
use typenet::{Result, SingleOutput};
use typenet_digit_page::{DigitNet, Picture};

/// How many classes the nets tell apart.
pub const CLASSES: usize = 10;

/// A net of the service.
pub trait Served: Network<Output = [f32; CLASSES]> + SingleOutput {
    /// The numbers of the net's input for a picture.
    ///
    /// # Errors
    /// Why there are none.
    fn numbers(&self, picture: &Picture<'_>) -> std::result::Result<Vec<f32>, String>;

    /// The outputs for a batch.
    ///
    /// # Errors
    /// As [`outputs_into`](Network::outputs_into).
    fn answer(
        &self,
        workspace: &mut Workspace<Self>,
        inputs: &[Self::Input],
        outputs: &mut [Self::Output],
    ) -> Result<()> {
        self.outputs_into(workspace, inputs, outputs)
    }
}

impl Served for DigitNet {
    fn numbers(&self, picture: &Picture<'_>) -> std::result::Result<Vec<f32>, String> {
        let input = typenet_digit_page::input(picture).ok_or("nothing is drawn")?;
        Ok(input.as_flattened().as_flattened().to_vec())
    }
}

impl Served for LeNet5 {
    fn numbers(&self, picture: &Picture<'_>) -> std::result::Result<Vec<f32>, String> {
        let input = self.input_from_u8(picture.pixels()).map_err(|error| error.to_string())?;
        Ok(input.as_flattened().as_flattened().to_vec())
    }
}

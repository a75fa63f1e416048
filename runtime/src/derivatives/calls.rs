use typenet_engine::jvp::{self, Jvp, JvpMemory};
use typenet_engine::{Flat, NetSpec};

use super::derivation::Derivation;
use super::direction::Direction;
use crate::error::same_count;
use crate::loss::{Accepts, Compares, Slope, denominators, slope_of_rows};
use crate::net::network::Network;
use crate::net::output_value::OutputValue;
use crate::net::workspace::Workspace;
use crate::{Error, Result};

/// Derivatives along a direction, and the equations of the backward pass. Every net has them.
///
/// Forward mode gives the value of a net and its derivative along a [`Direction`], in one pass (Baydin
/// and others, *Automatic Differentiation in Machine Learning: a Survey*, 2018, section 3.1;
/// `torch.func.jvp`).
///
/// For a function `f` of the input and the parameters, the derivative along `(ẋ, Ẇ)` is the product of
/// its matrix of derivatives with that vector, `∂f/∂x · ẋ + ∂f/∂W · Ẇ`. Nothing is kept for a way back,
/// so the memory is that of inference with two numbers in each place.
///
/// ```
/// # use typenet_runtime::{Network, Result};
/// # use typenet_runtime::derivatives::{Direction, Derivatives};
/// # fn example<N: Network>(net: &N, image: &N::Input, direction: &N::Input) -> Result<()> {
/// let (output, tangent) = net.jvp(image, Direction::of_input(direction))?;
/// # Ok(())
/// # }
/// ```
///
/// At a kink it takes the side that the backward pass takes: the slope of `relu` at 0 is 0, that of
/// `leaky_relu` its `negative_slope`, those of `relu6` at 0 and 6 are 0, and of equal largest values
/// of `max_pool2d` the first in row-major order counts. So `⟨u, J v⟩ = ⟨Jᵀ u, v⟩` holds there too.
pub trait Derivatives: Network {
    /// The equations of the net's backward pass, layer by layer from the loss to the input, with this net's
    /// names and shapes: what the gradients of each layer's parameters and of what it reads are.
    ///
    /// ```
    /// # use typenet_runtime::Network;
    /// # use typenet_runtime::derivatives::Derivatives;
    /// # fn example<N: Network>() -> std::io::Result<()> {
    /// println!("{}", N::derivation());
    /// std::fs::write("derivation.md", N::derivation().markdown())
    /// # }
    /// ```
    fn derivation() -> Derivation {
        Derivation::new(const { &Self::SPEC })
    }

    /// The output for one image, and its derivative along a direction, as the net predicts: batch norms
    /// take their running statistics, dropout leaves all.
    ///
    /// It allocates its memory and computes what 16 images take; [`jvp_into`](Self::jvp_into) does so
    /// once for many calls.
    ///
    /// # Errors
    /// [`Error::Size`] when the direction is of another number of images.
    fn jvp(
        &self,
        image: &Self::Input,
        direction: Direction<'_, Self>,
    ) -> Result<(Self::OutputValue, Self::OutputValue)> {
        let images = std::slice::from_ref(image);
        let mut rows = [(); 2].map(|()| vec![0.0; Self::Output::LEN]);
        let [outputs, tangents] = &mut rows;
        predict(self, &mut JvpMemory::default(), images, direction, outputs, tangents)?;
        let [output, tangent] = rows.map(|row| match Self::Output::from_flat(&row) {
            Some(output) => Self::OutputValue::copied(output),
            None => unreachable!("a row has as many numbers as its net has outputs"),
        });
        Ok((output, tangent))
    }

    /// The outputs for many images, and their derivatives along a direction, as the net predicts; images
    /// run on all threads, and the results are the same on any number of them. With a workspace's memory,
    /// so nothing is allocated but in the first call, or for more images.
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many outputs, tangents or directions as images.
    fn jvp_into(
        &self,
        ws: &mut Workspace<Self>,
        images: &[Self::Input],
        direction: Direction<'_, Self>,
        outputs: &mut [Self::Output],
        tangents: &mut [Self::Output],
    ) -> Result<()> {
        same_count("outputs to write", images.len(), outputs.len())?;
        same_count("tangents to write", images.len(), tangents.len())?;
        let (outputs, tangents) = (Flat::flatten_mut(outputs), Flat::flatten_mut(tangents));
        predict(self, ws.memory.jvp(), images, direction, outputs, tangents)
    }

    /// The outputs for a minibatch and their derivatives along a direction, as the net trains: batch norms
    /// take the statistics of these images, which move with them, and dropout drops what the last
    /// [`forward`](Network::forward) in this workspace dropped. Running statistics stay, and so does what
    /// that forward left for a backward pass.
    ///
    /// # Errors
    /// [`Error::Size`] when there are no images, or not as many directions of inputs as images.
    fn forward_jvp<'w>(
        &self,
        images: &[Self::Input],
        direction: Direction<'_, Self>,
        ws: &'w mut Workspace<Self>,
    ) -> Result<[&'w [Self::Output]; 2]> {
        let rows = train(self, images, direction, ws)?;
        Ok(rows.map(|rows| Self::Output::slice_from_flat(rows).unwrap_or_default()))
    }

    /// The loss of a minibatch and its slope along a direction, as the net trains: see
    /// [`forward_jvp`](Self::forward_jvp). It is the dot product of the direction with the gradient that
    /// [`backward`](Network::backward) gives.
    ///
    /// ```
    /// # use typenet_runtime::{Network, Result, Workspace};
    /// # use typenet_runtime::derivatives::{Direction, Derivatives};
    /// # use typenet_runtime::loss::{Accepts, Compares, CrossEntropy};
    /// # fn example<N: Network>(net: &N, images: &[N::Input], labels: &[usize], v: &N::Parameters) -> Result<()>
    /// # where CrossEntropy: Compares<N::Output, usize> + Accepts<N> {
    /// # let mut ws = N::workspace(images.len());
    /// let along = Direction::of_parameters(v);
    /// let result = net.slope(&CrossEntropy::new(), images, labels, along, &mut ws)?;
    /// println!("{} grows by {} for each step along v", result.loss, result.slope);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A regulariser is added: `net.slope(…)? + regularizer.slope_of(&net, v)`.
    ///
    /// # Errors
    /// As [`forward_jvp`](Self::forward_jvp), and when there are not as many targets as images, or a
    /// target does not belong to the net's output.
    fn slope<T, L: Compares<Self::Output, T> + Accepts<Self>>(
        &self,
        loss: &L,
        images: &[Self::Input],
        targets: &[T],
        direction: Direction<'_, Self>,
        ws: &mut Workspace<Self>,
    ) -> Result<Slope> {
        let () = L::COMPARES;
        same_count("targets of a batch", images.len(), targets.len())?;
        train(self, images, direction, ws)?;
        let rows = ws.memory.jvp().rows(images.len() * Self::Output::LEN);
        slope_of_rows::<Self, T, L>(loss, targets, rows, &denominators(loss, targets))
    }
}

impl<N: Network> Derivatives for N {}

/// What a call needs, once the direction is seen to fit.
fn call<'a, N: Network>(
    net: &'a N,
    images: &'a [N::Input],
    direction: Direction<'a, N>,
) -> Result<Jvp<'a>> {
    if let Some(inputs) = direction.inputs {
        same_count("inputs of a direction", images.len(), inputs.len())?;
    }
    let direction = jvp::Direction {
        inputs: direction.inputs.map(Flat::flatten),
        parameters: direction.parameters.map(Flat::as_flat),
    };
    let spec: &NetSpec = const { &N::SPEC };
    Ok(Jvp { spec, parameters: net.parameters_flat(), direction, inputs: Flat::flatten(images) })
}

fn predict<N: Network>(
    net: &N,
    memory: &mut JvpMemory,
    images: &[N::Input],
    direction: Direction<'_, N>,
    outputs: &mut [f32],
    tangents: &mut [f32],
) -> Result<()> {
    let prepared = net.model().prepared();
    memory.predict(call(net, images, direction)?, prepared, outputs, tangents);
    Ok(())
}

fn train<'w, N: Network>(
    net: &N,
    images: &[N::Input],
    direction: Direction<'_, N>,
    ws: &'w mut Workspace<N>,
) -> Result<[&'w [f32]; 2]> {
    if images.is_empty() {
        return Err(Error::size("images of a minibatch", "1 or more", 0));
    }
    let trained = net.model().trainable(&N::SPEC);
    ws.memory.train_jvp(call(net, images, direction)?, trained);
    let [outputs, tangents, _] = ws.memory.jvp().rows(images.len() * N::Output::LEN);
    Ok([outputs, tangents])
}

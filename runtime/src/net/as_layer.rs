//! What a path in a declaration may name: another net, or a layer of the user's own.

use std::marker::PhantomData;

use typenet_engine::Flat;
use typenet_engine::parameters::{Weight, WeightBias};
use typenet_engine::pass::{Backward, Forward};
use typenet_shape::{Gradients, Graph, Layer, Own, Parameters, Part, Shape, ShapeError};

use super::network::Network;
use super::outputs::{EndsInLogProbabilities, EndsInLogits};

/// Numbers that a parameter struct can hold.
pub trait Values: Flat + Clone + PartialEq {}

impl<T: Flat + Clone + PartialEq> Values for T {}

/// A type that a declaration can use as a layer, by its path: every net, and types with
/// `#[typenet::layer]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a net nor a layer",
    label = "neither a net nor a layer",
    note = "a net is declared with `network!`; a layer of your own has `#[typenet::layer]` on its `impl`"
)]
pub trait AsLayer: 'static {
    /// The names of its arguments; `None` for a net, which takes none.
    const ARGUMENTS: Option<&'static [&'static str]>;
    /// The net that it is, if it is one.
    const NET: Option<Graph<'static>> = None;
    /// How many nodes of the graph it becomes.
    const NODES: usize;
    /// The layer with these arguments, for an input of this shape.
    type At<A: Numbers, I: Extent>: HasPart;
    /// The field in the parameter struct, for a weight and a bias of these types.
    type Parameters<W: Values, B: Values>: Values;

    /// The forward pass of a group of images; it begins at the node `first`.
    fn forward<W: Values, B: Values>(
        parameters: &Self::Parameters<W, B>,
        first: usize,
        run: &mut Forward<'_>,
    );

    /// The backward pass.
    fn backward<W: Values, B: Values>(
        parameters: &Self::Parameters<W, B>,
        gradients: &mut Self::Parameters<W, B>,
        first: usize,
        run: &mut Backward<'_>,
    );
}

/// An [`AsLayer`] with its arguments and the shape of its input.
pub trait HasPart {
    /// What it becomes in the graph.
    const PART: Part;
}

impl<N: Network> AsLayer for N {
    const ARGUMENTS: Option<&'static [&'static str]> = None;
    const NET: Option<Graph<'static>> = Some(N::GRAPH);
    const NODES: usize = Part::net(N::GRAPH).nodes();
    type At<A: Numbers, I: Extent> = NetPart<N>;
    type Parameters<W: Values, B: Values> = N::Parameters;

    fn forward<W: Values, B: Values>(
        parameters: &N::Parameters,
        first: usize,
        run: &mut Forward<'_>,
    ) {
        run.within(first, |run| N::forward_group(parameters, run));
    }

    fn backward<W: Values, B: Values>(
        parameters: &N::Parameters,
        gradients: &mut N::Parameters,
        first: usize,
        run: &mut Backward<'_>,
    ) {
        run.within(first, |run| N::backward_whole(parameters, gradients, run));
    }
}

/// A net as a layer.
#[derive(Clone, Copy, Debug)]
pub struct NetPart<N>(PhantomData<N>);

impl<N: Network> HasPart for NetPart<N> {
    const PART: Part = {
        // Checks the rules of a net with generics.
        let () = N::RULES;
        Part::net(N::GRAPH)
    };
}

/// The parameters of a layer of the user's own, as a field of a net's.
pub trait OwnParameters: Flat {
    /// The numbers of the weight and of the bias.
    fn both(&self) -> Parameters<'_>;
    /// Both, mutable.
    fn both_mut(&mut self) -> Gradients<'_>;
}

impl<W: Flat, B: Flat> OwnParameters for WeightBias<W, B> {
    fn both(&self) -> Parameters<'_> {
        Parameters { weight: self.weight.as_flat(), bias: self.bias.as_flat() }
    }
    fn both_mut(&mut self) -> Gradients<'_> {
        let (weight, bias) = (self.weight.as_flat_mut(), self.bias.as_flat_mut());
        Gradients { weight, bias }
    }
}

impl<W: Flat> OwnParameters for Weight<W> {
    fn both(&self) -> Parameters<'_> {
        Parameters { weight: self.weight.as_flat(), bias: &[] }
    }
    fn both_mut(&mut self) -> Gradients<'_> {
        Gradients { weight: self.weight.as_flat_mut(), bias: &mut [] }
    }
}

/// A layer without parameters.
impl OwnParameters for [f32; 0] {
    fn both(&self) -> Parameters<'_> {
        Parameters { weight: &[], bias: &[] }
    }
    fn both_mut(&mut self) -> Gradients<'_> {
        Gradients { weight: &mut [], bias: &mut [] }
    }
}

/// A list of whole numbers as a type.
pub trait Numbers: 'static {
    /// The numbers.
    const ALL: &'static [usize];
}

/// The number at this index; 1 if there is none, which another check reports.
pub const fn number_of(all: &[usize], index: usize) -> usize {
    if index < all.len() { all[index] } else { 1 }
}

/// The arguments of a layer: `COUNT` of these numbers.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<
    const COUNT: usize,
    const A: usize = 0,
    const B: usize = 0,
    const C: usize = 0,
    const D: usize = 0,
    const E: usize = 0,
    const F: usize = 0,
    const G: usize = 0,
    const H: usize = 0,
>;

impl<
    const COUNT: usize,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
    const F: usize,
    const G: usize,
    const H: usize,
> Numbers for Arguments<COUNT, A, B, C, D, E, F, G, H>
{
    const ALL: &'static [usize] = {
        let all: &'static [usize; 8] = &[A, B, C, D, E, F, G, H];
        all.split_at(if COUNT < 8 { COUNT } else { 8 }).0
    };
}

/// A shape as a type: `RANK` of these dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Dims<const RANK: usize, const A: usize, const B: usize, const C: usize, const D: usize>;

/// The shape of a [`Dims`].
pub trait Extent: 'static {
    /// That shape.
    const SHAPE: Shape;
}

impl<const RANK: usize, const A: usize, const B: usize, const C: usize, const D: usize> Extent
    for Dims<RANK, A, B, C, D>
{
    const SHAPE: Shape = {
        let all = [A, B, C, D];
        Shape::new(all.split_at(RANK).0)
    };
}

/// The array of a [`Dims`].
pub trait Array: 'static {
    /// `[[f32; 3]; 2]` for the shape `[2, 3]`.
    type Numbers: Values;
}

impl<const A: usize, const B: usize, const C: usize, const D: usize> Array for Dims<0, A, B, C, D> {
    type Numbers = [f32; 0];
}
impl<const A: usize, const B: usize, const C: usize, const D: usize> Array for Dims<1, A, B, C, D> {
    type Numbers = [f32; A];
}
impl<const A: usize, const B: usize, const C: usize, const D: usize> Array for Dims<2, A, B, C, D> {
    type Numbers = [[f32; B]; A];
}
impl<const A: usize, const B: usize, const C: usize, const D: usize> Array for Dims<3, A, B, C, D> {
    type Numbers = [[[f32; C]; B]; A];
}
impl<const A: usize, const B: usize, const C: usize, const D: usize> Array for Dims<4, A, B, C, D> {
    type Numbers = [[[[f32; D]; C]; B]; A];
}

/// A layer of the user's own, as a part of a graph.
pub const fn own_part<L: Layer>(
    layer: &'static L,
    input: Shape,
    output: Shape,
    weight: Option<Shape>,
    bias: Option<Shape>,
) -> Part {
    Part::Own(Own { layer, input, output: Ok(output), weight, bias, ..Own::UNKNOWN })
}

/// A layer of the user's own that does not fit its input.
pub const fn unfit_part(error: ShapeError) -> Part {
    Part::Own(Own { output: Err(error), ..Own::UNKNOWN })
}

/// A layer of the user's own whose shapes are unknown after a mistake that was reported.
pub const fn unknown_part() -> Part {
    let shape = Shape::new(&[]);
    unfit_part(ShapeError::NetInput { net: "", takes: shape, found: shape })
}

/// A net whose last layer is another net, or a layer of the user's own. It ends in logits if that layer does.
#[diagnostic::on_unimplemented(
    message = "the last layer of `{Self}` is `softmax`, `log_softmax` or `sigmoid`, and this loss would apply it a second time",
    label = "this net already ends in `softmax`, `log_softmax` or `sigmoid`",
    note = "help: remove that last layer; `probabilities` applies it when predicting"
)]
pub trait LogitsOfLast {
    /// That layer.
    type Last;
}

/// As [`LogitsOfLast`], for the logarithms of probabilities.
#[diagnostic::on_unimplemented(
    message = "this loss takes the logarithms of probabilities, and the last layer of `{Self}` is not `log_softmax`",
    label = "this net does not end in `log_softmax`",
    note = "help: end the net with `log_softmax`, or take `CrossEntropy`, which applies it to logits"
)]
pub trait LogarithmsOfLast {
    /// That layer.
    type Last;
}

impl<N: LogitsOfLast<Last: EndsInLogits>> EndsInLogits for N {}

impl<N: LogarithmsOfLast<Last: EndsInLogProbabilities>> EndsInLogProbabilities for N {}

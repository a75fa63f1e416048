//! What every net can do.

use typenet_engine::pass::{Backward, Forward};
use typenet_engine::rows::largest;
use typenet_engine::{Flat, Inference, Layout, NetSpec, Trainable, step_bytes};
use typenet_shape::{Graph, LayerInfo};

use super::metadata::Metadata;
use super::model::Model;
use super::output_value::OutputValue;
use super::outputs::{SingleInput, SingleOutput};
use super::scores::top_k;
use super::targets::Matches;
use super::trainable;
use super::workspace::Workspace;
use crate::data::{Dataset, pixels};
#[cfg(feature = "image")]
use crate::data::{ImageOptions, image};
use crate::error::same_count;
use crate::inspect::{Summary, Trace};
use crate::io::LoadOptions;
use crate::reference::evaluate_single;
use crate::{Error, Result, init, io};
use one::{as_probabilities, check_size, look, value};

mod one;
mod without_seed;

#[doc(hidden)]
pub use without_seed::WithoutSeed;

/// A net declared with `network!`.
///
/// The macro writes the types, constants and the two passes; everything else is the same for every
/// net and is here. Images are typed: `Self::Input` is `[[[f32; width]; height]; channels]`, or
/// `[f32; features]`, or for a net with several inputs a struct with a field for each; so are outputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no net",
    label = "a net is needed here",
    note = "help: `network!` declares nets; functions take the net first, then the loss, inputs and targets"
)]
pub trait Network: Sized + Clone + Send + Sync + 'static {
    /// One input image.
    type Input: Flat;
    /// One output.
    type Output: Flat + Matches<usize> + Matches<Self::Output>;
    /// An output returned by value: [`Output`](Self::Output), boxed if it is over 64 kB.
    type OutputValue: OutputValue<Self::Output>;
    /// All parameters; gradients have the same type.
    type Parameters: Flat + Clone + PartialEq;

    /// The net as data.
    const GRAPH: Graph<'static>;
    /// The output shape of every node of the graph.
    const SHAPES: &'static [typenet_shape::Shape];
    /// What is known of every node of the graph: the rows of the [`summary`](Self::summary) as
    /// constants.
    const LAYERS: &'static [LayerInfo];
    /// Sizes and places.
    #[doc(hidden)]
    const LAYOUT: Layout;
    /// All of them, without the net's types.
    #[doc(hidden)]
    const SPEC: NetSpec = NetSpec {
        graph: &Self::GRAPH,
        shapes: Self::SHAPES,
        layers: Self::LAYERS,
        layout: &Self::LAYOUT,
    };
    /// Fails to evaluate where a choice of generics breaks a rule.
    #[doc(hidden)]
    const RULES: () = ();

    #[doc(hidden)]
    fn from_model(model: Model<Self::Parameters>) -> Self;
    #[doc(hidden)]
    fn model(&self) -> &Model<Self::Parameters>;
    #[doc(hidden)]
    fn model_mut(&mut self) -> &mut Model<Self::Parameters>;
    #[doc(hidden)]
    fn forward_group(parameters: &Self::Parameters, run: &mut Forward<'_>);
    #[doc(hidden)]
    fn backward_group(
        parameters: &Self::Parameters,
        gradients: &mut Self::Parameters,
        run: &mut Backward<'_>,
    );

    /// As [`backward_group`](Self::backward_group), where something before the net is trained: also
    /// frozen layers pass gradients on.
    #[doc(hidden)]
    fn backward_whole(
        parameters: &Self::Parameters,
        gradients: &mut Self::Parameters,
        run: &mut Backward<'_>,
    ) {
        Self::backward_group(parameters, gradients, run);
    }

    /// A new net with random weights: the same seed gives the same weights. They are Kaiming
    /// uniform, within `±√(6 / fan_in)`, and biases are zero: the default of
    /// [`Scheme`](init::Scheme). Layers that the declaration marks `#[init(…)]` start as it says.
    fn seeded(seed: u64) -> Self {
        let () = Self::RULES;
        seeded(init::Scheme::default(), seed)
    }

    #[doc(hidden)]
    fn new() -> Self
    where
        Self: WithoutSeed,
    {
        Self::seeded(0)
    }

    /// A new net with random weights of another scheme, but for layers marked `#[init(…)]`.
    fn seeded_with(scheme: init::Scheme, seed: u64) -> Self {
        let () = Self::RULES;
        seeded(scheme, seed)
    }

    /// Gives the layer marked `#[init(whitening)]` its weights, from the patches of these images (as
    /// they enter the net: normalise them first); at most 5,000 of them, evenly chosen. Its bias
    /// becomes zero. See [`Scheme::Whitening`](init::Scheme::Whitening).
    ///
    /// # Errors
    /// [`Error::Argument`] when no layer is marked so, or an image has a number that is not finite;
    /// [`Error::Size`] when there are no images, or they are smaller than the kernel. The net is then
    /// as it was.
    fn init_from_data<T>(&mut self, data: &Dataset<Self::Input, T>) -> Result<()> {
        let images = Flat::flatten(data.inputs());
        let parameters = self.parameters_flat_mut();
        init::from_data(&Self::GRAPH, Self::SHAPES, Self::LAYOUT.tensors, images, parameters)
    }

    /// Switches training of some parameters off or on again. The path names a layer (`conv1`), one of
    /// its tensors (`conv1.weight`), or all layers of a structure (`stage1`), as in
    /// [`Sgd::group`](crate::optim::Sgd::group).
    ///
    /// What is off stays as it is: the optimiser leaves it, its velocity and its decay; its
    /// gradients, those of values before which nothing is trained, and their sums are not computed
    /// (they read as zeros); a batch norm uses its running statistics, as in inference, and leaves
    /// them too (PyTorch needs `eval()` for that beside `requires_grad = False`). Dropout goes on.
    /// The choice is kept by `clone`, and is no part of weight files.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when there is no such layer; [`Error::Frozen`] for switching on what the
    /// declaration has `#[frozen]`, where the path names nothing else. Nothing is changed then.
    fn set_trainable(&mut self, path: &str, trainable: bool) -> Result<()> {
        let now = self.model().trainable(&Self::SPEC);
        let (graph, tensors) = (&Self::GRAPH, Self::LAYOUT.tensors);
        let then = trainable::switched(now, graph, tensors, path, trainable)?;
        self.model_mut().set_trainable(then);
        Ok(())
    }

    /// [`set_trainable`](Self::set_trainable) for all parameters, but for those that the declaration
    /// has `#[frozen]`: switch all off, then on what a new task needs.
    fn set_all_trainable(&mut self, trainable: bool) {
        let tensors = Self::LAYOUT.tensors;
        let off = vec![!trainable; tensors.len()].into();
        self.model_mut().set_trainable(Trainable::new(&Self::GRAPH, tensors, off));
    }

    /// Whether all parameters that the path names are trained.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when there is no such layer.
    fn is_trainable(&self, path: &str) -> Result<bool> {
        let now = self.model().trainable(&Self::SPEC);
        trainable::all(now, &Self::GRAPH, Self::LAYOUT.tensors, path)
    }

    /// The memory of a training step for up to `batch` images.
    fn workspace(batch: usize) -> Workspace<Self> {
        let () = Self::RULES;
        Workspace::new(&Self::SPEC, batch)
    }

    /// Bytes that a training step of `batch` images takes on as many threads as the pool has: the net's
    /// parameters, their gradients, and the workspace. Momentum takes as much as the parameters
    /// once more.
    fn training_memory(batch: usize) -> u64 {
        step_bytes(&Self::SPEC, batch)
    }

    /// All parameters and running statistics in the order of the declaration, as one slice.
    fn parameters_flat(&self) -> &[f32] {
        self.model().parameters().as_flat()
    }

    /// All parameters and running statistics in the order of the declaration, as one slice to change.
    fn parameters_flat_mut(&mut self) -> &mut [f32] {
        self.model_mut().parameters_mut().as_flat_mut()
    }

    /// Class names and normalisation, which are stored with the weights.
    fn metadata(&self) -> &Metadata {
        &self.model().metadata
    }

    /// Class names and normalisation, to change.
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.model_mut().metadata
    }

    /// The training forward pass: outputs are in [`Workspace::output`], and all that
    /// [`backward`](Self::backward) needs is kept in `ws`. Dropout drops; batch norms take the
    /// statistics of these images, and move their running statistics, which is why the net changes.
    /// The workspace grows if there are more images than it was made for.
    fn forward(&mut self, inputs: &[Self::Input], ws: &mut Workspace<Self>) {
        let (model, spec) = (self.model(), &Self::SPEC);
        let (parameters, trained) = (model.parameters(), model.trainable(spec));
        let flat = parameters.as_flat();
        ws.memory.forward(spec, trained, flat, Flat::flatten(inputs), &|run| {
            Self::forward_group(parameters, run);
        });
        if !Self::LAYOUT.norms.is_empty() {
            let (trained, parameters) = self.model_mut().trainable_and_parameters(&Self::SPEC);
            ws.memory.update_running(&Self::LAYOUT, trained, parameters.as_flat_mut());
        }
    }

    /// The backward pass for the images of the last [`forward`](Self::forward): from the loss's
    /// gradient at the outputs to [`Workspace::gradients`].
    ///
    /// # Panics
    /// When `inputs` is not as long as the last forward's.
    fn backward(&self, inputs: &[Self::Input], ws: &mut Workspace<Self>) {
        backward(self, inputs, ws, false);
    }

    /// As [`backward`](Self::backward), but adds to the gradients that are there: for a batch taken
    /// in parts.
    ///
    /// # Panics
    /// When `inputs` is not as long as the last forward's.
    fn backward_accumulate(&self, inputs: &[Self::Input], ws: &mut Workspace<Self>) {
        backward(self, inputs, ws, true);
    }

    /// The output for one image: logits, or whatever the last layer gives; of a net with heads a struct
    /// with a field for each.
    ///
    /// One image has kernels of its own, so its last bits may differ from those that
    /// [`outputs`](Self::outputs) gives it among others. Their weights are packed at the first
    /// prediction after a change, which takes as much memory as the weights.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn output(&self, image: &Self::Input) -> Self::OutputValue { // of a slice: `Net::input(&numbers)?`
        const { check_size::<Self>() };
        look(self, None, image, value::<Self>)
    }

    /// Writes the outputs of many images, in `ws`'s memory; images run on all threads.
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many outputs as images.
    fn outputs_into(
        &self,
        ws: &mut Workspace<Self>,
        images: &[Self::Input],
        outputs: &mut [Self::Output],
    ) -> Result<()> {
        same_count("outputs to write", images.len(), outputs.len())?;
        infer(self, Some(ws), Flat::flatten(images), Flat::flatten_mut(outputs));
        Ok(())
    }

    /// The outputs of many images; images run on all threads.
    fn outputs(&self, images: &[Self::Input]) -> Vec<Self::Output> {
        let mut outputs = Self::Output::zeroed_vec(images.len());
        infer(self, None, Flat::flatten(images), Flat::flatten_mut(&mut outputs));
        outputs
    }

    /// The class of an image: the index of its largest output.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn predict(&self, image: &Self::Input) -> usize // of a slice: `Net::input(&numbers)?`
    where
        Self: SingleOutput,
    {
        look(self, None, image, |row| largest(row))
    }

    /// As [`predict`](Self::predict), in a workspace's memory instead of the thread's own.
    fn predict_with(&self, ws: &mut Workspace<Self>, image: &Self::Input) -> usize
    where
        Self: SingleOutput,
    {
        look(self, Some(ws), image, |row| largest(row))
    }

    /// The classes of many images; images run on all threads.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn predict_batch(&self, images: &[Self::Input]) -> Vec<usize> // of a slice: `Net::inputs(&numbers)?`
    where
        Self: SingleOutput,
    {
        let mut rows = vec![0.0; images.len() * Self::Output::LEN];
        infer(self, None, Flat::flatten(images), &mut rows);
        rows.chunks_exact(Self::Output::LEN).map(largest).collect()
    }

    /// As [`predict_batch`](Self::predict_batch), without allocating: in a workspace's memory, into
    /// a slice of the caller's.
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many classes as images.
    fn predict_into(
        &self,
        ws: &mut Workspace<Self>,
        images: &[Self::Input],
        classes: &mut [usize],
    ) -> Result<()>
    where
        Self: SingleOutput,
    {
        same_count("classes to write", images.len(), classes.len())?;
        inference(self, &|run| Self::forward_group(self.model().parameters(), run)).classes(
            &mut ws.memory,
            Flat::flatten(images),
            classes,
        );
        Ok(())
    }

    /// The probability of each class: the softmax of the outputs, or the outputs themselves where
    /// the net ends in `softmax` or `sigmoid`, or `e` to them where it ends in `log_softmax`.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn probabilities(&self, image: &Self::Input) -> Self::OutputValue // of a slice: `Net::input(&numbers)?`
    where
        Self: SingleOutput,
    {
        const { check_size::<Self>() };
        look(self, None, image, |row| {
            as_probabilities(&Self::GRAPH, row);
            value::<Self>(row)
        })
    }

    /// The `k` most probable classes with their probabilities, the most probable first.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn top_k(&self, image: &Self::Input, k: usize) -> Vec<(usize, f32)> // of a slice: `Net::input(&x)?`
    where
        Self: SingleOutput,
    {
        look(self, None, image, |row| {
            as_probabilities(&Self::GRAPH, row);
            top_k(row, k)
        })
    }

    /// Numbers in the input's order (channel, row, column) seen as an input, without copying.
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many numbers as the input has.
    fn input(numbers: &[f32]) -> Result<&Self::Input> {
        Self::Input::from_flat(numbers)
            .ok_or_else(|| Error::size("numbers of an input", Self::Input::LEN, numbers.len()))
    }

    /// As [`input`](Self::input), the numbers of many inputs, one after the other.
    ///
    /// # Errors
    /// [`Error::Size`] when they do not divide into inputs.
    fn inputs(numbers: &[f32]) -> Result<&[Self::Input]> {
        Self::Input::slice_from_flat(numbers).ok_or_else(|| {
            let expected = format!("a multiple of the {} of one", Self::Input::LEN);
            Error::size("numbers of inputs", expected, numbers.len())
        })
    }

    /// An image of bytes, as image decoders give them (row, column, channel), as an input: scaled
    /// to 0..=1, then normalised as the training images were (see [`Metadata::normalization`]).
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many bytes as the input has numbers, with what they may be
    /// (another size, other channels), or the stored normalisation has another number of channels.
    fn input_from_u8(&self, pixels: &[u8]) -> Result<Box<Self::Input>>
    where
        Self: SingleInput,
    {
        let mut input = Self::Input::zeroed();
        let (dims, numbers) = (Self::SHAPES[0].dims(), input.as_flat_mut());
        pixels::from_bytes(dims, pixels, self.metadata().normalization.as_ref(), numbers)?;
        Ok(input)
    }

    /// A decoded image as an input: with the size and the channels that the options say, scaled to
    /// 0..=1, then normalised as the training images were (see [`Metadata::normalization`]). Images of 16
    /// bits a channel, or of `f32`, become bytes first. How the camera was held, which some files say, is
    /// not looked at: `DynamicImage::apply_orientation` turns an image. With the feature `image`.
    ///
    /// # Errors
    /// [`Error::Size`] when the input is no image, or has another number of channels than the options or
    /// the stored normalisation, or another size than the image with `Resize::Exact`; or the image has no
    /// pixels.
    #[cfg(feature = "image")]
    fn input_from_image(
        &self,
        image: &::image::DynamicImage,
        options: &ImageOptions,
    ) -> Result<Box<Self::Input>>
    where
        Self: SingleInput,
    {
        let mut input = Self::Input::zeroed();
        let (dims, normalization) =
            (Self::SHAPES[0].dims(), self.metadata().normalization.as_ref());
        image::from_image(dims, image, options, normalization, input.as_flat_mut())?;
        Ok(input)
    }

    /// The table of layers: names, shapes, parameters, multiply-adds, memory.
    fn summary() -> Summary {
        Summary::new(&Self::SPEC)
    }

    /// The net as a picture: SVG or Mermaid text, with shapes on the edges. With the feature
    /// `diagram`.
    #[cfg(feature = "diagram")]
    fn diagram() -> crate::inspect::diagram::Diagram {
        crate::inspect::diagram::Diagram::new(&Self::SPEC)
    }

    /// The value of every layer for one image, by name: what each one computes in inference, from
    /// f32 numbers and rounded to f32. No layer is computed in the pass of another, so that each has
    /// a value of its own; the last is [`output`](Self::output) but for rounding. Slow: it is there
    /// to look inside a net.
    fn trace(&self, image: &Self::Input) -> Trace {
        let values = evaluate_single(&Self::SPEC, self.parameters_flat(), image.as_flat());
        Trace::new(&Self::SPEC, values)
    }

    /// Writes weights, class names and normalisation as a safetensors file. The file is complete or
    /// not there: it is written under a temporary name and renamed.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written.
    fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        io::save(
            path.as_ref(),
            &Self::GRAPH,
            Self::LAYOUT.tensors,
            self.parameters_flat(),
            self.metadata(),
        )
    }

    /// The net of a file written by [`save`](Self::save), or of any safetensors file with the same
    /// names and shapes, of F32, F16, BF16 or F64.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`] when it is no safetensors file, [`Error::Weights`] with
    /// every tensor that is missing, extra or of another shape, or [`Error::NotFiniteWeights`].
    fn load(path: impl AsRef<std::path::Path>) -> Result<Self> {
        let () = Self::RULES;
        Self::load_with(path, &LoadOptions::new())
    }

    /// As [`load`](Self::load), from a file with other names, or with numbers that are not finite.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn load_with(path: impl AsRef<std::path::Path>, options: &LoadOptions) -> Result<Self> {
        let () = Self::RULES;
        let mut model: Model<Self::Parameters> = Model::zeroed();
        let parameters = model.parameters_mut().as_flat_mut();
        let (path, tensors) = (path.as_ref(), Self::LAYOUT.tensors);
        model.metadata = io::load(path, options, &Self::GRAPH, tensors, parameters)?;
        Ok(Self::from_model(model))
    }

    /// Reads a weight file into this net, all but the tensors that the options
    /// [`keep`](LoadOptions::keep): trained layers for a net with another head.
    ///
    /// ```
    /// # use typenet_runtime::{Network, Result, io::LoadOptions};
    /// # fn with_new_head<N: Network>(path: &str) -> Result<N> {
    /// let mut net = N::seeded(42);
    /// net.load_weights(path, &LoadOptions::new().keep("fc."))?;
    /// # Ok(net)
    /// # }
    /// ```
    ///
    /// Class names stay this net's; the normalisation is the file's, where it has one.
    ///
    /// # Errors
    /// As [`load`](Self::load). The net is then as it was.
    fn load_weights(
        &mut self,
        path: impl AsRef<std::path::Path>,
        options: &LoadOptions,
    ) -> Result<()> {
        let parameters = self.model_mut().parameters_mut().as_flat_mut();
        let (path, tensors) = (path.as_ref(), Self::LAYOUT.tensors);
        let metadata = io::load_weights(path, options, &Self::GRAPH, tensors, parameters)?;
        if metadata.normalization.is_some() {
            self.metadata_mut().normalization = metadata.normalization;
        }
        Ok(())
    }

    /// Reads a net's own weight file into the part of this net that is that net: with
    /// `features: super::Backbone` in the declaration, `net.load_part("features", path)` takes the
    /// file that `Backbone::save` wrote. Class names and normalisation stay this net's.
    ///
    /// From a backbone in memory, `net.features.clone_from(&backbone)` does the same.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when no layer of this name is a net; else as [`load`](Self::load).
    /// The net is then as it was.
    fn load_part(&mut self, part: &str, path: impl AsRef<std::path::Path>) -> Result<()> {
        self.load_part_with(part, path, &LoadOptions::new())
    }

    /// As [`load_part`](Self::load_part), from a file with other names, or with numbers that are not
    /// finite.
    ///
    /// # Errors
    /// As [`load_part`](Self::load_part).
    fn load_part_with(
        &mut self,
        part: &str,
        path: impl AsRef<std::path::Path>,
        options: &LoadOptions,
    ) -> Result<()> {
        let parameters = self.model_mut().parameters_mut().as_flat_mut();
        let (path, tensors) = (path.as_ref(), Self::LAYOUT.tensors);
        io::load_part(path, options, part, &Self::GRAPH, tensors, parameters)
    }

    /// The bytes that [`save`](Self::save) writes.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Size`] when the normalisation is none: see
    /// [`Normalization`](crate::Normalization).
    fn to_bytes(&self) -> Result<Vec<u8>> {
        io::encode(&Self::GRAPH, Self::LAYOUT.tensors, self.parameters_flat(), self.metadata())
    }

    /// As [`load`](Self::load), from bytes in memory: `Net::from_bytes(include_bytes!("net.safetensors"))`.
    ///
    /// # Errors
    /// As for a file, but for [`Error::Io`].
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let () = Self::RULES;
        Self::from_bytes_with(bytes, &LoadOptions::new())
    }

    /// As [`from_bytes`](Self::from_bytes), from bytes with other names, or with numbers that are not
    /// finite.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    fn from_bytes_with(bytes: &[u8], options: &LoadOptions) -> Result<Self> {
        let () = Self::RULES;
        let mut model: Model<Self::Parameters> = Model::zeroed();
        let parameters = model.parameters_mut().as_flat_mut();
        let tensors = Self::LAYOUT.tensors;
        model.metadata = io::decode(bytes, options, &Self::GRAPH, tensors, parameters)?;
        Ok(Self::from_model(model))
    }
}

fn backward<N: Network>(net: &N, inputs: &[N::Input], ws: &mut Workspace<N>, accumulate: bool) {
    assert!(
        inputs.len() == ws.batch(),
        "backward takes the {} images of the last forward, not {}",
        ws.batch(),
        inputs.len()
    );
    let (model, spec) = (net.model(), &N::SPEC);
    let (parameters, trained) = (model.parameters(), model.trainable(spec));
    let (flat, gradients) = (parameters.as_flat(), &mut ws.gradients);
    ws.memory.backward(spec, trained, flat, gradients, accumulate, &|slot, run| {
        if let Some(slot) = N::Parameters::from_flat_mut(slot) {
            N::backward_group(parameters, slot, run);
        }
    });
}

/// A new net with random weights.
#[doc(hidden)]
pub fn seeded<N: Network>(scheme: init::Scheme, seed: u64) -> N {
    let mut model: Model<N::Parameters> = Model::zeroed();
    let parameters = model.parameters_mut().as_flat_mut();
    init::initialize(scheme, &N::GRAPH, N::LAYOUT.tensors, parameters, seed);
    N::from_model(model)
}

/// A net that predicts; `group` runs images through its layers.
pub(crate) fn inference<'a, N: Network>(
    net: &'a N,
    group: &'a (dyn Fn(&mut Forward<'_>) + Sync),
) -> Inference<'a> {
    let (parameters, prepared) = (net.parameters_flat(), net.model().prepared());
    Inference { spec: const { &N::SPEC }, parameters, prepared, group }
}

/// Inference in a workspace's memory or else in the thread's own.
pub(crate) fn infer<N: Network>(
    net: &N,
    ws: Option<&mut Workspace<N>>,
    images: &[f32],
    outputs: &mut [f32],
) {
    let memory = ws.map(|ws| &mut ws.memory);
    let group = |run: &mut Forward<'_>| N::forward_group(net.model().parameters(), run);
    inference(net, &group).run(memory, images, outputs);
}

impl<N: Network> Workspace<N> {
    /// The outputs of the last `forward`, one for each image.
    pub fn output(&self) -> &[N::Output] {
        N::Output::slice_from_flat(self.memory.output(N::Output::LEN)).unwrap_or_default()
    }

    /// The gradient of the loss with respect to [`output`](Self::output), for a loss of your own:
    /// write it after `forward` and before `backward`.
    pub fn output_gradient_mut(&mut self) -> &mut [N::Output] {
        N::Output::slice_from_flat_mut(self.output_rows().1).unwrap_or_default()
    }

    /// The gradients of the last `backward`, in the shape of the parameters.
    pub fn gradients(&self) -> &N::Parameters {
        match N::Parameters::from_flat(&self.gradients) {
            Some(gradients) => gradients,
            None => unreachable!("a workspace has as many gradients as its net has parameters"),
        }
    }

    /// The gradients, to change before the optimiser's step (to clip them, say).
    pub fn gradients_mut(&mut self) -> &mut N::Parameters {
        match N::Parameters::from_flat_mut(&mut self.gradients) {
            Some(gradients) => gradients,
            None => unreachable!("a workspace has as many gradients as its net has parameters"),
        }
    }
}

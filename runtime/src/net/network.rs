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
/// `[f32; features]`, or for a net with several inputs a struct with a field for each. Outputs are typed in
/// the same way.
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
    /// An output returned by value: [`Output`](Self::Output), boxed if it is over 64 KiB.
    type OutputValue: OutputValue<Self::Output>;
    /// All parameters and running statistics; gradients have the same type.
    type Parameters: Flat + Clone + PartialEq;

    /// The net as data: its layers, what each reads, their attributes, and the heads.
    const GRAPH: Graph<'static>;
    /// The output shape of every node of the graph.
    const SHAPES: &'static [typenet_shape::Shape];
    /// Name, kind, output shape, parameter count and multiply-adds of every node of the graph: the rows of
    /// the [`summary`](Self::summary) as constants.
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

    /// A new net with random weights: the same seed gives the same weights. They are Kaiming uniform, within
    /// `±√(6 / fan_in)`, the default of [`Scheme`](init::Scheme). Biases are 0, and the weights of norms 1.
    /// Layers that the declaration marks `#[init(…)]` start as it says.
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

    /// A new net with random weights of this scheme, except in layers marked `#[init(…)]`.
    fn seeded_with(scheme: init::Scheme, seed: u64) -> Self {
        let () = Self::RULES;
        seeded(scheme, seed)
    }

    /// Computes the weights of the layer marked `#[init(whitening)]` from the patches of these images. Pass
    /// them as they enter the net: normalise them first. At most 5,000 of them are used, evenly spaced. The
    /// layer's bias becomes zero. See [`Scheme::Whitening`](init::Scheme::Whitening).
    ///
    /// # Errors
    /// [`Error::Argument`] when no layer has that mark, or an image has a number that is not finite;
    /// [`Error::Size`] when there are no images, or they are smaller than the kernel. The net is then
    /// unchanged.
    fn init_from_data<T>(&mut self, data: &Dataset<Self::Input, T>) -> Result<()> {
        let images = Flat::flatten(data.inputs());
        let parameters = self.parameters_flat_mut();
        init::from_data(&Self::GRAPH, Self::SHAPES, Self::LAYOUT.tensors, images, parameters)
    }

    /// Switches training of some parameters off or on again. The path names a layer (`conv1`), one of
    /// its tensors (`conv1.weight`), or all layers of a structure (`stage1`), as in
    /// [`Sgd::group`](crate::optim::Sgd::group).
    ///
    /// What is off stays as it is: the optimiser skips it, its velocity and its weight decay. The gradients of
    /// a layer that is off are not computed and read as zeros; nor are the gradients of values before which
    /// nothing is trained. A batch norm that is off uses its running statistics, as in inference, and does
    /// not update them (PyTorch needs `eval()` for that beside `requires_grad = False`). Dropout still drops.
    /// `clone` keeps the choice; weight files do not store it.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when the path names nothing; [`Error::Frozen`] for switching on a path when the
    /// declaration marks everything that it names `#[frozen]`. Nothing is changed then.
    fn set_trainable(&mut self, path: &str, trainable: bool) -> Result<()> {
        let now = self.model().trainable(&Self::SPEC);
        let (graph, tensors) = (&Self::GRAPH, Self::LAYOUT.tensors);
        let then = trainable::switched(now, graph, tensors, path, trainable)?;
        self.model_mut().set_trainable(then);
        Ok(())
    }

    /// [`set_trainable`](Self::set_trainable) for all parameters, except those that the declaration marks
    /// `#[frozen]`. To fine-tune, switch all off, then switch on what the new task needs.
    fn set_all_trainable(&mut self, trainable: bool) {
        let tensors = Self::LAYOUT.tensors;
        let off = vec![!trainable; tensors.len()].into();
        self.model_mut().set_trainable(Trainable::new(&Self::GRAPH, tensors, off));
    }

    /// Whether all parameters that the path names are trained.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when the path names nothing.
    fn is_trainable(&self, path: &str) -> Result<bool> {
        let now = self.model().trainable(&Self::SPEC);
        trainable::all(now, &Self::GRAPH, Self::LAYOUT.tensors, path)
    }

    /// Allocates the memory of a training step for up to `batch` images.
    fn workspace(batch: usize) -> Workspace<Self> {
        let () = Self::RULES;
        Workspace::new(&Self::SPEC, batch)
    }

    /// Bytes that a training step of `batch` images takes on all threads of the rayon pool: the net's
    /// parameters, their gradients, and the workspace. The optimiser's momentum is not counted; it takes as
    /// much as the parameters.
    fn training_memory(batch: usize) -> u64 {
        step_bytes(&Self::SPEC, batch)
    }

    /// All parameters and running statistics in the order of the declaration, as one slice.
    fn parameters_flat(&self) -> &[f32] {
        self.model().parameters().as_flat()
    }

    /// All parameters and running statistics in the order of the declaration, as one mutable slice.
    fn parameters_flat_mut(&mut self) -> &mut [f32] {
        self.model_mut().parameters_mut().as_flat_mut()
    }

    /// Class names and normalisation, which are stored with the weights.
    fn metadata(&self) -> &Metadata {
        &self.model().metadata
    }

    /// Class names and normalisation, mutable.
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.model_mut().metadata
    }

    /// Runs the forward pass of a training step. It leaves the outputs in [`Workspace::output`], and in `ws`
    /// all that [`backward`](Self::backward) needs. Dropout drops. Batch norms use the statistics of these
    /// images and update their running statistics, which is why the net is `&mut`. The workspace grows if
    /// there are more images than it was made for.
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

    /// Runs the backward pass for the images of the last [`forward`](Self::forward). It reads the loss's
    /// gradient at the outputs, and writes the parameters' to [`Workspace::gradients`].
    ///
    /// # Panics
    /// When `inputs` is not as long as the last forward's, or `ws` was used to predict since.
    fn backward(&self, inputs: &[Self::Input], ws: &mut Workspace<Self>) {
        backward(self, inputs, ws, false);
    }

    /// As [`backward`](Self::backward), but adds to the gradients in `ws`: gradient accumulation, for a batch
    /// taken in parts.
    ///
    /// # Panics
    /// As [`backward`](Self::backward).
    fn backward_accumulate(&self, inputs: &[Self::Input], ws: &mut Workspace<Self>) {
        backward(self, inputs, ws, true);
    }

    /// The output for one image: logits, or whatever the last layer gives; for a net with heads, a struct
    /// with a field for each.
    ///
    /// A single image has kernels of its own, so the last bits may differ from what
    /// [`outputs`](Self::outputs) returns for it in a batch. The first prediction after a change packs the
    /// weights for these kernels, which takes as much memory as the weights.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn output(&self, image: &Self::Input) -> Self::OutputValue { // of a slice: `Net::input(&numbers)?`
        const { check_size::<Self>() };
        look(self, None, image, value::<Self>)
    }

    /// Writes the outputs of many images to `outputs`, in `ws`'s memory; images run on all threads. A forward
    /// pass that `ws` holds is lost.
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

    /// The class of an image: the index of its largest output, of the first if several are equal.
    #[rustfmt::skip] // A message about a wrong argument shows the next line.
    fn predict(&self, image: &Self::Input) -> usize // of a slice: `Net::input(&numbers)?`
    where
        Self: SingleOutput,
    {
        look(self, None, image, |row| largest(row))
    }

    /// As [`predict`](Self::predict), in `ws`'s memory instead of memory that the thread keeps. A forward pass
    /// that `ws` holds is lost.
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

    /// As [`predict_batch`](Self::predict_batch), without allocating: in `ws`'s memory, into
    /// `classes`. A forward pass that `ws` holds is lost.
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

    /// The probability of each class: the softmax over all outputs. Where the net ends in `softmax` or
    /// `sigmoid`, the outputs themselves; where it ends in `log_softmax`, their exponentials.
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

    /// Views numbers in the input's order (channel, row, column) as an input, without copying.
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many numbers as the input has.
    fn input(numbers: &[f32]) -> Result<&Self::Input> {
        Self::Input::from_flat(numbers)
            .ok_or_else(|| Error::size("numbers of an input", Self::Input::LEN, numbers.len()))
    }

    /// As [`input`](Self::input), for the numbers of many inputs, one after the other.
    ///
    /// # Errors
    /// [`Error::Size`] when their count is not a multiple of one input's.
    fn inputs(numbers: &[f32]) -> Result<&[Self::Input]> {
        Self::Input::slice_from_flat(numbers).ok_or_else(|| {
            let expected = format!("a multiple of the {} of one", Self::Input::LEN);
            Error::size("numbers of inputs", expected, numbers.len())
        })
    }

    /// Makes an input from an image's bytes, in the order of image decoders (row, column, channel): scaled
    /// to 0..=1, then normalised as the training images were (see [`Metadata::normalization`]).
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many bytes as the input has numbers; the message says what they
    /// may be (another size, other channels). Also when the stored normalisation has another number of
    /// channels.
    fn input_from_u8(&self, pixels: &[u8]) -> Result<Box<Self::Input>>
    where
        Self: SingleInput,
    {
        let mut input = Self::Input::zeroed();
        let (dims, numbers) = (Self::SHAPES[0].dims(), input.as_flat_mut());
        pixels::from_bytes(dims, pixels, self.metadata().normalization.as_ref(), numbers)?;
        Ok(input)
    }

    /// Makes an input from a decoded image: in the size and channels that the options say, scaled to 0..=1,
    /// then normalised as the training images were (see [`Metadata::normalization`]). Images with 16 bits a
    /// channel, or with `f32`, are converted to 8 bits first. The orientation that some files store (EXIF) is
    /// ignored: `DynamicImage::apply_orientation` turns an image. With the feature `image`.
    ///
    /// # Errors
    /// [`Error::Size`] when the net's input is no image; when its channels are not as many as those of the
    /// options or of the stored normalisation; when its size is not the image's, with `Resize::Exact`; when
    /// the image has no pixels.
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

    /// The value of every layer for one image, by name, as in inference. Each is computed in f64 and rounded
    /// to f32. No layers are fused, so each has a value of its own; the last equals
    /// [`output`](Self::output) but for rounding. Slow: it is there to look inside a net.
    fn trace(&self, image: &Self::Input) -> Trace {
        let values = evaluate_single(&Self::SPEC, self.parameters_flat(), image.as_flat());
        Trace::new(&Self::SPEC, values)
    }

    /// Writes weights, class names and normalisation as a safetensors file. The write is atomic, to a
    /// temporary file that is then renamed: on an error an older file stays as it was.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written, or as [`to_bytes`](Self::to_bytes).
    fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        io::save(
            path.as_ref(),
            &Self::GRAPH,
            Self::LAYOUT.tensors,
            self.parameters_flat(),
            self.metadata(),
        )
    }

    /// Reads a net from a file that [`save`](Self::save) wrote, or from any safetensors file with the same
    /// names and shapes, in F32, F16, BF16 or F64.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`] when it is no safetensors file, [`Error::Weights`] with
    /// every tensor that is missing, extra or of another shape, or [`Error::NotFiniteWeights`] when a
    /// number is NaN or infinite.
    fn load(path: impl AsRef<std::path::Path>) -> Result<Self> {
        let () = Self::RULES;
        Self::load_with(path, &LoadOptions::new())
    }

    /// As [`load`](Self::load), from a file with other names, or with numbers that are not finite.
    ///
    /// # Errors
    /// As [`load`](Self::load); [`Error::Argument`] when the options [`keep`](LoadOptions::keep) tensors, since
    /// a new net has none to keep.
    fn load_with(path: impl AsRef<std::path::Path>, options: &LoadOptions) -> Result<Self> {
        let () = Self::RULES;
        let mut model: Model<Self::Parameters> = Model::zeroed();
        let parameters = model.parameters_mut().as_flat_mut();
        let (path, tensors) = (path.as_ref(), Self::LAYOUT.tensors);
        model.metadata = io::load(path, options, &Self::GRAPH, tensors, parameters)?;
        Ok(Self::from_model(model))
    }

    /// Reads a weight file into this net, except the tensors that the options [`keep`](LoadOptions::keep):
    /// for transfer learning, where the net has another head than the file's.
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
    /// As [`load`](Self::load). The net is then unchanged.
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

    /// Reads the weight file of another net into the layer that is this other net: with
    /// `features: super::Backbone` in the declaration, `net.load_part("features", path)` takes the
    /// file that `Backbone::save` wrote. Class names and normalisation stay this net's.
    ///
    /// From a backbone in memory, `net.features.clone_from(&backbone)` does the same.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when no layer of this name is a net; else as [`load`](Self::load).
    /// The net is then unchanged.
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
    /// When the [`normalization`](Metadata::normalization) is invalid: [`Error::Argument`] for a number that is
    /// not finite or a `std` that is not above 0, [`Error::Size`] when `mean` and `std` differ in length.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        io::encode(&Self::GRAPH, Self::LAYOUT.tensors, self.parameters_flat(), self.metadata())
    }

    /// As [`load`](Self::load), from bytes in memory: `Net::from_bytes(include_bytes!("net.safetensors"))`.
    ///
    /// # Errors
    /// As [`load`](Self::load), except [`Error::Io`].
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let () = Self::RULES;
        Self::from_bytes_with(bytes, &LoadOptions::new())
    }

    /// As [`from_bytes`](Self::from_bytes), from bytes with other names, or with numbers that are not
    /// finite.
    ///
    /// # Errors
    /// As [`load_with`](Self::load_with), except [`Error::Io`].
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

/// Inference with a net; `group` runs images through its layers.
pub(crate) fn inference<'a, N: Network>(
    net: &'a N,
    group: &'a (dyn Fn(&mut Forward<'_>) + Sync),
) -> Inference<'a> {
    let (parameters, prepared) = (net.parameters_flat(), net.model().prepared());
    Inference { spec: const { &N::SPEC }, parameters, prepared, group }
}

/// Runs inference in a workspace's memory, or else in memory that the thread keeps.
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

    /// The gradients, mutable: to clip them before the optimiser's step, say.
    pub fn gradients_mut(&mut self) -> &mut N::Parameters {
        match N::Parameters::from_flat_mut(&mut self.gradients) {
            Some(gradients) => gradients,
            None => unreachable!("a workspace has as many gradients as its net has parameters"),
        }
    }
}

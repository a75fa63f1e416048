use std::fmt;
use std::path::Path;

use typenet_runtime::data::{Dataset, Examples};
use typenet_runtime::loss::{Accepts, Compares};
use typenet_runtime::train::{History, Target, evaluate};
use typenet_runtime::{Network, OutputValue, SingleOutput};
use typenet_shape::{Op, TensorKind};

use typenet_engine::Flat;

use crate::Result;
use crate::pictures::{self, Channels};
use crate::record::{Confusion, Filters, NetRecord, Record, WrongImage};

/// How many wrong images a report shows by default.
const WRONG: usize = 24;
/// How many classes are named for each of them.
const LIKELIEST: usize = 3;
/// A diagram of more boxes is too tall to be looked at: blocks and repeats are folded.
const TALL: usize = 40;

/// Gathers what a report shows. Everything but the net is optional; what was not given is left out of
/// the page.
///
/// ```no_run
/// # use typenet_runtime::data::{Dataset, Examples};
/// # use typenet_runtime::loss::{Accepts, CrossEntropy};
/// # use typenet_runtime::train::History;
/// # use typenet_runtime::{Network, SingleOutput};
/// use typenet_report::Report;
///
/// # fn report<N: Network + SingleOutput>(
/// #     net: &N, history: &History, test: &Dataset<N::Input>,
/// # ) -> Result<(), typenet_report::Error> where CrossEntropy: Accepts<N> {
/// Report::new(net)
///     .history(history)
///     .seed(42)
///     .setting("batch", 128)
///     .test(&CrossEntropy::new(), test)?
///     .wrong_images(test)?
///     .save("run")
/// # }
/// ```
pub struct Report<'a, N> {
    net: &'a N,
    record: Record,
    wrong: usize,
}

impl<'a, N: Network> Report<'a, N> {
    /// A report of the net alone: its layers, its diagram, the filters of its first convolution; and of the
    /// machine.
    pub fn new(net: &'a N) -> Report<'a, N> {
        let summary = N::summary();
        let mut diagram = N::diagram();
        if diagram.boxes.len() > TALL {
            diagram = diagram.folded(0);
        }
        let net_record = NetRecord {
            name: summary.name.to_owned(),
            parameters: summary.parameters,
            multiply_adds: summary.multiply_adds,
            summary: summary.to_string(),
            diagram: (diagram.boxes.len() <= TALL).then(|| diagram.to_svg()),
        };
        let record = Record {
            net: net_record,
            machine: machine(),
            filters: filters(net),
            ..Record::default()
        };
        Report { net, record, wrong: WRONG }
    }

    /// Adds the curves of training.
    #[must_use]
    pub fn history(mut self, history: &History) -> Self {
        self.record.epochs = history.epochs.iter().map(Into::into).collect();
        self.record.batch_losses.clone_from(&history.batch_losses);
        self
    }

    /// Adds the seed of the run.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.record.seed = Some(seed);
        self
    }

    /// Adds a setting of the run to show: `("batch", 128)`.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.record.settings.push((name.into(), value.to_string()));
        self
    }

    /// How many wrong images are shown; 24 by default. Call it before [`wrong_images`](Self::wrong_images).
    #[must_use]
    pub fn wrong_image_count(mut self, count: usize) -> Self {
        self.wrong = count;
        self
    }

    /// Evaluates the net on a test set: the loss and, where targets are classes, the confusion matrix,
    /// precision and recall.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn test<L, T>(
        mut self,
        loss: &L,
        test: &(impl Examples<N::Input, T> + ?Sized),
    ) -> Result<Self>
    where
        T: Target,
        L: Compares<N::Output, T> + Accepts<N>,
    {
        let evaluation = evaluate(self.net, loss, test)?;
        self.record.test_loss = Some(evaluation.loss);
        let single = evaluation.confusion.iter().map(|matrix| Confusion::new(None, matrix));
        let of_heads = evaluation.heads.iter().filter_map(|head| {
            head.confusion.as_ref().map(|matrix| Confusion::new(Some(head.name), matrix))
        });
        self.record.confusions = single.chain(of_heads).collect();
        Ok(self)
    }

    /// Finds the images that the net is most wrong about: of those that it classifies wrongly, the ones
    /// whose actual class it gives the smallest probability.
    ///
    /// # Errors
    /// [`Error::Net`](crate::Error::Net) when a label is no class of the net.
    pub fn wrong_images(mut self, test: &Dataset<N::Input>) -> Result<Self>
    where
        N: SingleOutput,
    {
        let net = self.net;
        let names = &net.metadata().class_names;
        let names = if names.is_empty() { test.class_names() } else { names };
        let name = |class: usize| names.get(class).cloned().unwrap_or_else(|| class.to_string());
        let mut wrong: Vec<(f32, usize, usize)> = Vec::new();
        let predicted = net.predict_batch(test.inputs());
        for (index, (&actual, predicted)) in test.targets().iter().zip(predicted).enumerate() {
            if actual >= N::Output::LEN {
                let place = format!("test target {index}");
                let classes = N::Output::LEN;
                let error = typenet_runtime::Error::Label { place, label: actual, classes };
                return Err(error.into());
            }
            if predicted != actual {
                let mut probabilities = net.probabilities(&test.inputs()[index]);
                wrong.push((probabilities.get_mut().as_flat()[actual], index, actual));
            }
        }
        wrong.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        wrong.truncate(self.wrong);
        let record = |(probability, index, actual): (f32, usize, usize)| {
            let input = &test.inputs()[index];
            let likeliest = net.top_k(input, LIKELIEST).into_iter();
            Ok(WrongImage {
                index,
                picture: self.picture(input.as_flat())?,
                actual: name(actual),
                probability,
                likeliest: likeliest.map(|(class, share)| (name(class), share)).collect(),
            })
        };
        self.record.wrong = wrong.into_iter().map(record).collect::<Result<_>>()?;
        Ok(self)
    }

    /// An input as it was before it was normalised; `None` where it is no image.
    fn picture(&self, numbers: &[f32]) -> Result<Option<crate::Picture>> {
        let &[channels, height, width] = N::SHAPES[0].dims() else { return Ok(None) };
        let Some(kind) = Channels::of(channels) else { return Ok(None) };
        let normalization = self.net.metadata().normalization.as_ref();
        pictures::of_input(numbers, kind, height, width, normalization).map(Some)
    }

    /// The record gathered so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Writes the page to `report.html` and the record to `report.json` in this folder, which it creates if
    /// needed.
    ///
    /// # Errors
    /// As [`Record::save`].
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.record.save(folder)
    }

    /// Writes the page to a file.
    ///
    /// # Errors
    /// As [`Record::write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        self.record.write(path)
    }
}

impl<N: Network> fmt::Debug for Report<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("net", &N::GRAPH.name).finish_non_exhaustive()
    }
}

/// The filters of the first convolution, of a net that has one.
fn filters<N: Network>(net: &N) -> Option<Filters> {
    let graph = &N::GRAPH;
    let is_convolution = |node: usize| {
        matches!(graph.nodes[node].op, Op::Conv2d { .. } | Op::DepthwiseConv2d { .. })
    };
    let weight = N::LAYOUT
        .tensors
        .iter()
        .find(|tensor| tensor.kind == TensorKind::Weight && is_convolution(tensor.node))?;
    let &[out, channels, height, width] = weight.shape.dims() else { return None };
    let numbers = &net.parameters_flat()[weight.offset..][..weight.shape.elements()];
    let (picture, caption) = pictures::of_filters(numbers, [out, channels, height, width]).ok()?;
    Some(Filters { layer: graph.nodes[weight.node].name.to_owned(), caption, picture })
}

/// The processor, the threads and the instruction set.
fn machine() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        line.split_once(": ").map(|(_, model)| model.trim().to_owned())
    });
    format!(
        "{}, {} threads, {}, {}",
        model.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        rayon::current_num_threads(),
        typenet_kernels::isa(),
        std::env::consts::OS,
    )
}

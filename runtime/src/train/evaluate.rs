use std::fmt;

use typenet_engine::Flat;
use typenet_engine::pass::Forward;
use typenet_engine::rows::largest;
use typenet_kernels::LANES;
use typenet_shape::MAX_HEADS;

use crate::data::{Examples, MixedLabel, View};
use crate::error::same_count;
use crate::loss::{Accepts, Compares, Rows, add_reference, denominators, shares};
use crate::net::network::{Network, inference};
use crate::{Error, Result};

/// About how many numbers of inputs are in memory at once.
const NUMBERS: usize = 1 << 24;

/// The target of an example: a class number, or numbers to predict.
///
/// A target type of your own, for a loss of your own, also implements [`Fits`](crate::loss::Fits) for the
/// outputs that it belongs to.
pub trait Target: Clone + Send + Sync {
    /// The class number; `None` for targets that are no classes.
    fn class(&self) -> Option<usize>;

    /// The class number for the head with this index, counted from 0, of a net with several heads.
    fn class_of(&self, head: usize) -> Option<usize> {
        if head == 0 { self.class() } else { None }
    }
}

impl Target for usize {
    fn class(&self) -> Option<usize> {
        Some(*self)
    }
}

/// Counted as the class with the larger share.
impl Target for MixedLabel {
    fn class(&self) -> Option<usize> {
        Some(self.main())
    }
}

/// Targets that are no classes; a loss says which of them it takes.
macro_rules! no_class {
    ($([$($generics:tt)*] $target:ty,)*) => {
        $(impl<$($generics)*> Target for $target {
            fn class(&self) -> Option<usize> {
                None
            }
        })*
    };
}

no_class! {
    [] f32, [] f64, [] bool, [] String, [] &'static str,
    [] u8, [] u16, [] u32, [] u64, [] i8, [] i16, [] i32, [] i64, [] isize,
    [T: Clone + Send + Sync, const N: usize] [T; N],
    [T: Clone + Send + Sync] Vec<T>,
    [A: Clone + Send + Sync] (A,),
    [A: Clone + Send + Sync, B: Clone + Send + Sync] (A, B),
}

/// The result of [`evaluate`]: how good a net is on a data set.
///
/// `Display` is one line: `loss 0.3127  accuracy 89.10 %  10000 images`.
#[derive(Clone, PartialEq)]
pub struct Evaluation {
    /// The loss, with its own reduction over the whole set and without a regulariser.
    pub loss: f64,
    /// How many images were evaluated.
    pub images: usize,
    /// The confusion matrix; `None` for targets that are no classes, and for a net with several heads.
    pub confusion: Option<ConfusionMatrix>,
    /// The evaluation of each head, for a net with several; else empty. Their losses, each already times
    /// its factor, add up to `loss`.
    pub heads: Vec<HeadEvaluation>,
    /// For each rank `r`, how many images have their actual class there; rank 0 is the largest output.
    pub(super) ranks: Vec<usize>,
}

/// How good one head of a net is on a data set.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct HeadEvaluation {
    /// The head's name.
    pub name: &'static str,
    /// The head's loss, times its factor.
    pub loss: f64,
    /// The confusion matrix; `None` for targets that are no classes.
    pub confusion: Option<ConfusionMatrix>,
    pub(super) ranks: Vec<usize>,
}

impl HeadEvaluation {
    /// The share of images, 0 to 1, whose largest output is their class; `None` for targets that are no
    /// classes.
    pub fn accuracy(&self) -> Option<f64> {
        self.confusion.as_ref().map(ConfusionMatrix::accuracy)
    }

    /// The share of images, 0 to 1, whose class is among the `k` largest outputs; `None` for targets that
    /// are no classes.
    pub fn top_k(&self, k: usize) -> Option<f64> {
        self.confusion.as_ref().map(|confusion| among(&self.ranks, k, confusion))
    }
}

/// The share of images whose class is among the first `k`.
fn among(ranks: &[usize], k: usize, confusion: &ConfusionMatrix) -> f64 {
    let hits: usize = ranks.iter().take(k).sum();
    hits as f64 / confusion.counts.iter().sum::<usize>() as f64
}

impl Evaluation {
    /// The evaluation of the head with this name; `None` if there is none.
    pub fn head(&self, name: &str) -> Option<&HeadEvaluation> {
        self.heads.iter().find(|head| head.name == name)
    }

    /// The share of images, 0 to 1, whose largest output is their class; `None` without a
    /// [confusion matrix](Self::confusion).
    pub fn accuracy(&self) -> Option<f64> {
        self.confusion.as_ref().map(ConfusionMatrix::accuracy)
    }

    /// The share of images, 0 to 1, whose class is among the `k` largest outputs; `None` without a
    /// [confusion matrix](Self::confusion).
    pub fn top_k(&self, k: usize) -> Option<f64> {
        self.confusion.as_ref().map(|confusion| among(&self.ranks, k, confusion))
    }
}

/// A confusion matrix: how often images of each class were classified as each class. `Display` is the
/// table, with the names of the classes where the data set or the net has them.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    pub(super) classes: usize,
    pub(super) counts: Vec<usize>,
    pub(super) names: Vec<String>,
}

impl ConfusionMatrix {
    /// How many images of class `actual` were classified as `predicted`; 0 for numbers that are no class.
    pub fn count(&self, actual: usize, predicted: usize) -> usize {
        let inside = actual < self.classes && predicted < self.classes;
        if inside { self.counts[actual * self.classes + predicted] } else { 0 }
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The name of the class; `None` where neither the data set nor the net has one.
    pub fn name(&self, class: usize) -> Option<&str> {
        self.names.get(class).filter(|_| class < self.classes).map(String::as_str)
    }

    /// How many images were counted.
    pub fn images(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The share of images, 0 to 1, that were classified right: those on the diagonal.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..self.classes).map(|class| self.count(class, class)).sum();
        right as f64 / self.images() as f64
    }

    /// The share of the images classified as `class` that belong to it; NaN if there are none.
    pub fn precision(&self, class: usize) -> f64 {
        let taken: usize = (0..self.classes).map(|actual| self.count(actual, class)).sum();
        self.count(class, class) as f64 / taken as f64
    }

    /// The share of the images of `class` that were classified as it; NaN if there are none.
    pub fn recall(&self, class: usize) -> f64 {
        let all: usize = (0..self.classes).map(|predicted| self.count(class, predicted)).sum();
        self.count(class, class) as f64 / all as f64
    }
}

impl fmt::Display for ConfusionMatrix {
    /// Rows are the actual classes, with their names and numbers; columns the predicted ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = (0..self.classes).any(|class| self.name(class).is_some());
        let digits = self.classes.saturating_sub(1).to_string().len();
        let label = |class: usize| match self.name(class) {
            Some(name) => format!("{name} {class:>digits$}"),
            None if named => format!("{class:>digits$}"),
            None => class.to_string(),
        };
        let most = self.counts.iter().max().copied().unwrap_or(0).to_string().len();
        let left = (0..self.classes).map(|class| label(class).chars().count()).max().unwrap_or(0);
        let left = left.max("actual".len());
        let width = most.max(digits) + 1;
        write!(f, "{:>left$} │", "actual")?;
        for class in 0..self.classes {
            write!(f, "{class:>width$}")?;
        }
        write!(f, "  ← predicted\n{}┼{}", "─".repeat(left + 1), "─".repeat(width * self.classes))?;
        for actual in 0..self.classes {
            write!(f, "\n{:>left$} │", label(actual))?;
            for predicted in 0..self.classes {
                match self.count(actual, predicted) {
                    0 => write!(f, "{:>width$}", "·")?,
                    count => write!(f, "{count:>width$}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfusionMatrix")
            .field("classes", &self.classes)
            .field("images", &self.images())
            .field("accuracy", &self.accuracy())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_short(f)?;
        write!(f, "  {} images", self.images)
    }
}

impl Evaluation {
    /// The losses and accuracies, as they stand in the line of an epoch too.
    pub(super) fn write_short(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        write_accuracy(f, self.accuracy())?;
        for head in &self.heads {
            write!(f, "  {} {:.4}", head.name, head.loss)?;
            write_accuracy(f, head.accuracy())?;
        }
        Ok(())
    }
}

/// An accuracy as a percentage, where there is one.
pub(super) fn write_accuracy(f: &mut fmt::Formatter<'_>, share: Option<f64>) -> fmt::Result {
    share.map_or(Ok(()), |share| write!(f, "  accuracy {:.2} %", 100.0 * share))
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Evaluation");
        text.field("loss", &self.loss).field("images", &self.images);
        if let Some(accuracy) = self.accuracy() {
            text.field("accuracy", &accuracy);
        }
        if !self.heads.is_empty() {
            text.field("heads", &self.heads);
        }
        text.finish_non_exhaustive()
    }
}

impl fmt::Debug for HeadEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("HeadEvaluation");
        text.field("name", &self.name).field("loss", &self.loss);
        if let Some(accuracy) = self.accuracy() {
            text.field("accuracy", &accuracy);
        }
        text.finish_non_exhaustive()
    }
}

impl<T: Target> Target for Box<T> {
    fn class(&self) -> Option<usize> {
        (**self).class()
    }

    fn class_of(&self, head: usize) -> Option<usize> {
        (**self).class_of(head)
    }
}

/// Runs a net over a data set in inference mode: loss, accuracy, top-k and the confusion matrix.
///
/// # Errors
/// [`Error::Size`] when the set is empty; [`Error::Argument`] when its class names differ from the net's,
/// since its labels would then mean other classes; the errors of [`Loss::check`](crate::loss::Loss::check)
/// for a target that does not belong to the net's output; errors from reading the data.
pub fn evaluate<N: Network, L: Compares<N::Output, T> + Accepts<N>, T: Target>(
    net: &N,
    loss: &L,
    data: &(impl Examples<N::Input, T> + ?Sized),
) -> Result<Evaluation> {
    let () = L::COMPARES;
    let len = N::Output::LEN;
    if data.is_empty() {
        return Err(Error::size("images to evaluate", "at least 1", 0));
    }
    same_classes("the data set", data.class_names(), "the net", &net.metadata().class_names)?;
    let (all, mut targets): (Vec<usize>, _) = ((0..data.len()).collect(), Vec::new());
    data.targets_into(View::Plain, &all, &mut targets)?;
    same_count("targets of the data set", all.len(), targets.len())?;
    let rows = Rows::of::<N, T, L>();
    let mut tallies: Vec<Tally> = (0..L::HEADS)
        .map(|head| Tally::new(targets[0].class_of(head).map(|_| rows.part(head).len())))
        .collect();
    let mut sums = [0.0; MAX_HEADS];
    let group = |run: &mut Forward<'_>| N::forward_group(net.model().parameters(), run);
    let inference = inference(net, &group);
    // In pieces, so that the inputs and outputs of a large set need not be in memory at once.
    let at_once = (NUMBERS / N::Input::LEN.max(1)).clamp(64, 4096) / LANES * LANES;
    let mut inputs = Vec::new();
    let mut outputs = vec![0.0; at_once.min(targets.len()) * len];
    let mut wide = vec![0.0; len];
    for (piece, targets) in targets.chunks(at_once).enumerate() {
        let first = piece * at_once;
        let indices: Vec<usize> = (first..first + targets.len()).collect();
        inputs.resize(indices.len() * N::Input::LEN, 0.0);
        data.inputs_into(View::Plain, &indices, &mut inputs)?;
        let outputs = &mut outputs[..targets.len() * len];
        inference.run(None, &inputs, outputs);
        for (i, (row, target)) in outputs.chunks_exact(len).zip(targets).enumerate() {
            rows.check(loss, target, || format!("target {}", first + i))?;
            wide.iter_mut().zip(row).for_each(|(wide, &x)| *wide = f64::from(x));
            add_reference(loss, rows, &wide, target, &mut sums);
            for (head, tally) in tallies.iter_mut().enumerate() {
                if let Some(class) = target.class_of(head) {
                    tally.add(&row[rows.part(head)], class);
                }
            }
        }
    }
    let losses = shares::<T, L>(sums, &denominators(loss, &targets));
    let names = |classes: usize| {
        let of_data = data.class_names();
        let names = if of_data.is_empty() { &net.metadata().class_names } else { of_data };
        // Which head they belong to is not said.
        if L::HEADS == 1 || names.len() == classes { names.to_vec() } else { Vec::new() }
    };
    let (total, images) = (losses.iter().sum(), targets.len());
    let mut of_heads = tallies.into_iter().map(|tally| tally.finish(names));
    if L::HEADS == 1 {
        let (confusion, ranks) = of_heads.next().unwrap_or_default();
        return Ok(Evaluation { loss: total, images, confusion, heads: Vec::new(), ranks });
    }
    let heads = of_heads.enumerate().map(|(head, (confusion, ranks))| HeadEvaluation {
        name: rows.name(head).unwrap_or_default(),
        loss: losses[head],
        confusion,
        ranks,
    });
    let heads = heads.collect();
    Ok(Evaluation { loss: total, images, confusion: None, heads, ranks: Vec::new() })
}

/// Checks that numbers of classes mean the same on both sides, as far as both have names for them.
pub(super) fn same_classes(
    what: &str,
    names: &[String],
    other: &str,
    others: &[String],
) -> Result<()> {
    match names.iter().zip(others).position(|(name, other)| name != other) {
        None => Ok(()),
        Some(class) => Err(Error::Argument {
            name: "class_names",
            value: format!(
                "class {class} is {:?} in {what} and {:?} in {other}",
                names[class], others[class]
            ),
            expected: "the same names in the same order (for a table: `Csv::class_names`)",
        }),
    }
}

/// What is counted for a head whose targets are classes.
struct Tally {
    classes: Option<usize>,
    counts: Vec<usize>,
    ranks: Vec<usize>,
}

impl Tally {
    fn new(classes: Option<usize>) -> Tally {
        let len = classes.unwrap_or_default();
        Tally { classes, counts: vec![0; len * len], ranks: vec![0; len] }
    }

    fn add(&mut self, row: &[f32], class: usize) {
        let len = self.ranks.len();
        if class >= len {
            return;
        }
        self.counts[class * len + largest(row)] += 1;
        let before = |(other, &x): (usize, &f32)| {
            x > row[class] || (x == row[class] && other < class) || row[class].is_nan()
        };
        let rank = row.iter().enumerate().filter(|&item| before(item)).count();
        self.ranks[rank.min(len - 1)] += 1;
    }

    fn finish(self, names: impl Fn(usize) -> Vec<String>) -> (Option<ConfusionMatrix>, Vec<usize>) {
        let Tally { classes, counts, ranks } = self;
        let confusion =
            classes.map(|classes| ConfusionMatrix { classes, counts, names: names(classes) });
        (confusion, ranks)
    }
}

use serde::{Deserialize, Serialize};
use typenet_runtime::train::{ConfusionMatrix, Epoch};

/// What a report shows, as plain data: a training run, and the net that it trained.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Record {
    /// The net.
    pub net: NetRecord,
    /// The processor, the number of threads and the instruction set.
    pub machine: String,
    /// The seed of the run, if it was given.
    pub seed: Option<u64>,
    /// The settings of the run, name and value, as they were given.
    pub settings: Vec<(String, String)>,
    /// One record per epoch.
    pub epochs: Vec<EpochRecord>,
    /// The loss of every batch in order.
    pub batch_losses: Vec<f64>,
    /// The loss on the test set.
    pub test_loss: Option<f64>,
    /// The confusion matrices on the test set: one for each head with classes.
    pub confusions: Vec<Confusion>,
    /// The images of the test set that the net is most wrong about, the worst first.
    pub wrong: Vec<WrongImage>,
    /// The filters of the first convolution.
    pub filters: Option<Filters>,
}

/// The net of a [`Record`].
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetRecord {
    /// Its name.
    pub name: String,
    /// How many parameters it has.
    pub parameters: usize,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
    /// The table of its layers.
    pub summary: String,
    /// Its diagram, as SVG.
    pub diagram: Option<String>,
}

/// One epoch of a [`Record`].
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean of the batch losses while training.
    pub loss: f64,
    /// The share of training images that were classified right while training.
    pub accuracy: Option<f64>,
    /// The loss on the validation set.
    pub validation_loss: Option<f64>,
    /// The share of the validation set that was classified right.
    pub validation_accuracy: Option<f64>,
    /// The loss on the test set.
    pub test_loss: Option<f64>,
    /// The share of the test set that was classified right.
    pub test_accuracy: Option<f64>,
    /// The learning rate of the default parameter group.
    pub learning_rate: f64,
    /// Seconds of training, without evaluation.
    pub seconds: f64,
    /// Training images per second.
    pub images_per_second: f64,
}

impl From<&Epoch> for EpochRecord {
    fn from(epoch: &Epoch) -> EpochRecord {
        let (validation, test) = (epoch.validation.as_ref(), epoch.test.as_ref());
        EpochRecord {
            epoch: epoch.epoch,
            loss: epoch.loss,
            accuracy: epoch.accuracy,
            validation_loss: validation.map(|evaluation| evaluation.loss),
            validation_accuracy: validation.and_then(|evaluation| evaluation.accuracy()),
            test_loss: test.map(|evaluation| evaluation.loss),
            test_accuracy: test.and_then(|evaluation| evaluation.accuracy()),
            learning_rate: epoch.learning_rate,
            seconds: epoch.seconds,
            images_per_second: epoch.images_per_second,
        }
    }
}

/// A confusion matrix: how often images of each class were classified as each class.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Confusion {
    /// The head, for a net with several.
    pub head: Option<String>,
    /// The names of the classes; their numbers where they have no names.
    pub classes: Vec<String>,
    /// One row for each actual class: how often it was classified as each class.
    pub counts: Vec<Vec<usize>>,
    /// For each class, the share of the images classified as it that belong to it; `None` if there are none.
    pub precision: Vec<Option<f64>>,
    /// For each class, the share of its images that were classified as it; `None` if there are none.
    pub recall: Vec<Option<f64>>,
    /// The share of images that were classified right.
    pub accuracy: f64,
}

impl Confusion {
    pub(crate) fn new(head: Option<&str>, matrix: &ConfusionMatrix) -> Confusion {
        let classes = 0..matrix.classes();
        let name = |class| matrix.name(class).map_or_else(|| class.to_string(), str::to_owned);
        let count = |actual| classes.clone().map(|class| matrix.count(actual, class)).collect();
        let known = |share: f64| Some(share).filter(|share| share.is_finite());
        Confusion {
            head: head.map(str::to_owned),
            classes: classes.clone().map(name).collect(),
            counts: classes.clone().map(count).collect(),
            precision: classes.clone().map(|class| known(matrix.precision(class))).collect(),
            recall: classes.clone().map(|class| known(matrix.recall(class))).collect(),
            accuracy: matrix.accuracy(),
        }
    }
}

/// An image of the test set that the net classifies wrongly.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrongImage {
    /// Its index in the test set, counted from 0.
    pub index: usize,
    /// The image, where it has one channel or three.
    pub picture: Option<Picture>,
    /// Its actual class.
    pub actual: String,
    /// The probability that the net gives the actual class.
    pub probability: f32,
    /// The likeliest classes with their probabilities, the likeliest first.
    pub likeliest: Vec<(String, f32)>,
}

/// The filters of a convolution as one picture: a row for each output channel, or all in a grid where
/// a filter is a colour image of its own.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Filters {
    /// The layer's name.
    pub layer: String,
    /// What the picture shows, in words.
    pub caption: String,
    /// The picture.
    pub picture: Picture,
}

/// A small picture inside a page.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Picture {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// The PNG file in base64.
    pub png: String,
}

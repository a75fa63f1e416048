/// The label of two images that were mixed: `share` of the image is of class `label`, the rest of class
/// `other`. The loss is that of both classes, in the same shares (H. Zhang et al., "mixup: Beyond empirical
/// risk minimization", 2018).
///
/// ```
/// use typenet_runtime::data::MixedLabel;
///
/// let mixed = MixedLabel { label: 3, other: 5, share: 0.75 };
/// assert_eq!(mixed.main(), 3);
/// assert_eq!(MixedLabel::from(3), MixedLabel { label: 3, other: 3, share: 1.0 });
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MixedLabel {
    /// A class.
    pub label: usize,
    /// Another class, or the same.
    pub other: usize,
    /// The share of `label`, 0 to 1; `other` has the rest.
    pub share: f32,
}

impl MixedLabel {
    /// The class with the larger share.
    pub fn main(&self) -> usize {
        if self.share < 0.5 { self.other } else { self.label }
    }
}

/// An image that is of one class alone.
impl From<usize> for MixedLabel {
    fn from(label: usize) -> MixedLabel {
        MixedLabel { label, other: label, share: 1.0 }
    }
}

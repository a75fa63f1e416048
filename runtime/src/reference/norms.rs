use super::tensors::Own;
use crate::symbolic::{Branches, Formula, Function, Number, Symbol, Values};

/// A batch norm: each channel is a set, in all images, or with the running statistics.
pub(super) fn batch_norm<T: Number>(
    (formula, eps): (Option<&Formula>, f32),
    images: &[Vec<T>],
    channels: usize,
    running: Option<(&[T], &[T])>,
    own: &Own<'_, T>,
    branches: &mut Branches,
) -> Vec<Vec<T>> {
    let mut outputs = images.to_vec();
    let pixels = images.first().map_or(1, |image| (image.len() / channels).max(1));
    for channel in 0..channels {
        let range = channel * pixels..(channel + 1) * pixels;
        let numbers: Vec<T> =
            images.iter().flat_map(|image| image[range.clone()].iter().copied()).collect();
        let mut values = affine(Values::of(&numbers), own, channel..channel + 1);
        if let Some((mean, variance)) = running {
            let deviation = (variance[channel] + f64::from(eps).into()).apply(Function::Root);
            values = values.with(Symbol::Mean, vec![mean[channel]]);
            values = values.with(Symbol::Deviation, vec![deviation]);
        }
        let Some(formula) = formula else { continue };
        let numbers = formula.values(values, branches);
        let places = outputs.iter_mut().flat_map(|image| &mut image[range.clone()]);
        places.zip(numbers).for_each(|(y, number)| *y = number);
    }
    outputs
}

/// A norm of one image: each group of channels is a set. Weight and bias have one number for each
/// channel, or for each number.
pub(super) fn group_norm<T: Number>(
    formula: &Formula,
    x: &[T],
    groups: usize,
    own: &Own<'_, T>,
    branches: &mut Branches,
) -> Vec<T> {
    let len = x.len() / groups;
    let mut y = Vec::with_capacity(x.len());
    for (group, x) in x.chunks(len).enumerate() {
        let mut values = Values::of(x);
        if let Some(weight) = own.weight {
            let a_group = weight.len() / groups;
            values = affine(values, own, group * a_group..(group + 1) * a_group);
        }
        y.extend(formula.values(values, branches));
    }
    y
}

/// Weight and bias of a set, each spread evenly over it.
fn affine<'a, T: Number>(
    values: Values<'a, T>,
    own: &Own<'_, T>,
    range: std::ops::Range<usize>,
) -> Values<'a, T> {
    let (Some(weight), Some(bias)) = (own.weight, own.bias) else { return values };
    let each = values.len() / range.len();
    let spread = |numbers: &[T]| -> Vec<T> {
        numbers[range.clone()].iter().flat_map(|&n| std::iter::repeat_n(n, each)).collect()
    };
    let (weight, bias) = (spread(weight), spread(bias));
    values.with(Symbol::Weight, weight).with(Symbol::Bias, bias)
}

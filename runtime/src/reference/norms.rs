use super::tensors::Own;

/// The mean and the variance of some numbers.
fn moments(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    (mean, numbers.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count)
}

/// `(x − mean) / √(variance + eps) · weight + bias` in each channel; mean and variance are the running
/// ones, or else those of all images.
pub(super) fn batch_norm(
    images: &[Vec<f64>],
    channels: usize,
    running: Option<(&[f64], &[f64])>,
    eps: f32,
    own: &Own<'_>,
) -> Vec<Vec<f64>> {
    let mut outputs = images.to_vec();
    let pixels = images.first().map_or(1, |image| (image.len() / channels).max(1));
    for channel in 0..channels {
        let range = channel * pixels..(channel + 1) * pixels;
        let numbers = images.iter().flat_map(|image| image[range.clone()].iter().copied());
        let (mean, variance) = match running {
            Some((mean, variance)) => (mean[channel], variance[channel]),
            None => moments(numbers),
        };
        let weight = own.weight.map_or(1.0, |weight| weight[channel]);
        let bias = own.bias.map_or(0.0, |bias| bias[channel]);
        for y in outputs.iter_mut().flat_map(|image| &mut image[range.clone()]) {
            *y = (*y - mean) / (variance + f64::from(eps)).sqrt() * weight + bias;
        }
    }
    outputs
}

/// The same over each group of channels of one image. Weight and bias have one number for each
/// channel, or for each number.
pub(super) fn group_norm(x: &[f64], groups: usize, eps: f32, own: &Own<'_>) -> Vec<f64> {
    let mut y = x.to_vec();
    for group in y.chunks_mut(x.len() / groups) {
        let (mean, variance) = moments(group.iter().copied());
        group.iter_mut().for_each(|y| *y = (*y - mean) / (variance + f64::from(eps)).sqrt());
    }
    if let (Some(weight), Some(bias)) = (own.weight, own.bias) {
        let each = x.len() / weight.len();
        for (i, y) in y.iter_mut().enumerate() {
            *y = *y * weight[i / each] + bias[i / each];
        }
    }
    y
}

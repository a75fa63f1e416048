use typenet_shape::{Norm, TensorKind};

use crate::data::{Examples, Sampler, View};
use crate::net::network::Network;
use crate::{Error, Result};
use typenet_engine::Flat;

/// Recomputes the running statistics of a net's batch norms on these examples, with the weights as they
/// are: their mean over minibatches of `batch` examples, shuffled once. A net whose weights were averaged
/// needs it, since no training step ran with those weights. Batch norms that are not trained stay as they
/// are.
///
/// It is PyTorch's `torch.optim.swa_utils.update_bn`, except that dropout is off, examples are not
/// augmented, and a short batch counts by its size.
///
/// # Errors
/// [`Error::Size`] when there are no examples, [`Error::Argument`] for a `batch` of 0, and errors from
/// reading the examples. The net is then as it was.
pub fn update_bn<N, T>(
    net: &mut N,
    data: &(impl Examples<N::Input, T> + ?Sized),
    batch: usize,
) -> Result<()>
where
    N: Network,
{
    if batch == 0 {
        let (value, expected) = ("0".into(), "at least one image a batch");
        return Err(Error::Argument { name: "batch", value, expected });
    }
    if data.is_empty() {
        return Err(Error::size("images for batch norms", "at least 1", 0));
    }
    let norms = norms(net);
    if norms.is_empty() {
        return Ok(());
    }
    let before = net.parameters_flat().to_vec();
    let result = try_update(net, data, batch, &norms);
    if result.is_err() {
        net.parameters_flat_mut().copy_from_slice(&before);
    }
    result
}

/// Whether the net has batch norms whose statistics move.
pub(super) fn has_batch_norms<N: Network>(net: &N) -> bool {
    !norms(net).is_empty()
}

fn norms<N: Network>(net: &N) -> Vec<&'static Norm> {
    let trained = net.model().trainable(&N::SPEC);
    let all = const { &N::LAYOUT }.norms.iter();
    all.filter(|norm| !trained.of(norm.node).fixed && norm.momentum > 0.0).collect()
}

fn try_update<N: Network, T>(
    net: &mut N,
    data: &(impl Examples<N::Input, T> + ?Sized),
    batch: usize,
    norms: &[&'static Norm],
) -> Result<()> {
    let places: Vec<_> = norms
        .iter()
        .flat_map(|norm| {
            let place = |kind| (N::LAYOUT.place(norm.node, kind), f64::from(norm.momentum));
            [place(TensorKind::RunningMean), place(TensorKind::RunningVar)]
        })
        .collect();
    let mut sums = vec![0.0; places.iter().map(|(place, _)| place.len()).sum()];
    let mut ws = N::workspace(batch.min(data.len()));
    ws.set_dropout(false);
    let mut sampler = Sampler::new(data.len(), batch, 0);
    sampler.shuffle(0);
    let mut inputs = Vec::new();
    for indices in sampler.batches() {
        inputs.resize(indices.len() * N::Input::LEN, 0.0);
        data.inputs_into(View::Plain, indices, &mut inputs)?;
        let numbers = net.parameters_flat_mut();
        places.iter().for_each(|(place, _)| numbers[place.clone()].fill(0.0));
        net.forward(N::Input::slice_from_flat(&inputs).unwrap_or_default(), &mut ws);
        // They moved from 0 by the momentum's share.
        let numbers = net.parameters_flat();
        let mut sums = sums.iter_mut();
        for (place, momentum) in &places {
            for (&moved, sum) in numbers[place.clone()].iter().zip(&mut sums) {
                *sum += indices.len() as f64 * f64::from(moved) / momentum;
            }
        }
    }
    let numbers = net.parameters_flat_mut();
    let mut sums = sums.iter();
    for (place, _) in places {
        for (number, sum) in numbers[place].iter_mut().zip(&mut sums) {
            *number = (sum / data.len() as f64) as f32;
        }
    }
    Ok(())
}

use typenet_shape::{Norm, TensorKind};

use crate::data::{Examples, Sampler, View};
use crate::net::network::Network;
use crate::{Error, Result};
use typenet_engine::Flat;

/// Takes the running statistics of a net's batch norms anew, from these examples and the weights as they
/// are: the mean over minibatches of `batch` examples, drawn once, of what each batch norm meets.
/// PyTorch's `torch.optim.swa_utils.update_bn`, except that dropout is off, examples have no random
/// changes, and a short batch counts by its size. A net needs it whose weights were averaged, since no
/// training step has met them; what is not trained stays.
///
/// # Errors
/// [`Error::Size`] when there are no examples, [`Error::Argument`] for a `batch` of 0, and what reading
/// the examples meets. The net is then as it was.
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

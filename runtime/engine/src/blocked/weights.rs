//! A net's weights, packed for 16 channels side by side.

use std::sync::{Mutex, PoisonError};
use std::thread;

use typenet_kernels::memory::zeros;
use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{LANES, Lanes, blocked, isa};
use typenet_shape::{Conv2d, Conv2dKernel, ConvTranspose2d, Op, TensorKind};

use super::plan::{BlockedPlan, Place, len, linear_inputs};
use crate::spec::NetSpec;
use crate::weights::Folded;

/// A net's weights, packed for 16 channels side by side.
#[derive(Debug, Default)]
pub(crate) struct BlockedWeights {
    pub(super) packed: Vec<Lanes>,
}

impl BlockedWeights {
    /// Packs a net's parameters, in the memory of those packed before if there are any.
    pub(crate) fn new(
        spec: &NetSpec,
        plan: &BlockedPlan,
        parameters: &[f32],
        folded: Option<&Folded>,
        mut spare: BlockedWeights,
    ) -> BlockedWeights {
        spare.packed.fill(Lanes::ZERO);
        if spare.packed.len() != plan.packed_len {
            spare.packed = zeros(Lanes::ZERO, plan.packed_len);
        }
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let mut jobs = Jobs::default();
        // The nodes have their parts one after the other.
        let mut rest = &mut spare.packed[..];
        for (index, (node, place)) in graph.nodes.iter().zip(&plan.nodes).enumerate() {
            let (to, behind) = rest.split_at_mut(place.packed.len());
            rest = behind;
            let tensor = |kind: TensorKind| layout.tensor(parameters, index, kind);
            let (weight, bias) = match folded.and_then(|folded| folded.of(index)) {
                Some((weight, bias)) => (Some(weight), Some(bias)),
                None => (tensor(TensorKind::Weight), tensor(TensorKind::Bias)),
            };
            let [first, ..] = node.inputs else { continue };
            let input = shapes[*first];
            match (node.op, weight) {
                _ if to.is_empty() => {}
                (Op::Conv2d { .. } | Op::DepthwiseConv2d { .. }, Some(weight)) => {
                    if let Some(g) = node.op.conv2d(input) {
                        jobs.push(to.len(), move || {
                            pack_conv2d(place.kernel, &g, weight, bias, to)
                        });
                    }
                }
                (Op::ConvTranspose2d { .. }, Some(weight)) => {
                    if let Some(g) = node.op.conv_transpose2d(input) {
                        jobs.push(to.len(), move || pack_conv_transpose2d(&g, weight, bias, to));
                    }
                }
                (Op::Linear { out_features, .. }, Some(weight)) => {
                    pack_linear(&mut jobs, &plan.nodes[*first], out_features, weight, bias, to);
                }
                (Op::BatchNorm { eps, .. }, _) => {
                    let [mean, variance] = [TensorKind::RunningMean, TensorKind::RunningVar];
                    if let (Some(mean), Some(variance)) = (tensor(mean), tensor(variance)) {
                        pack_batch_norm(mean, variance, weight, bias, eps, to);
                    }
                }
                (Op::LayerNorm { .. }, _) => {
                    let tensors = [weight, bias].into_iter().flatten();
                    for (numbers, to) in tensors.zip(to.chunks_exact_mut(place.len())) {
                        blocked::from_planar(numbers, place.channels, to);
                    }
                }
                (Op::GroupNorm { .. }, _) => {
                    let (tensors, blocks) = ([weight, bias], blocked::blocks(input.dim(0)));
                    let tensors = tensors.into_iter().flatten();
                    for (numbers, to) in tensors.zip(to.chunks_exact_mut(blocks)) {
                        blocked::flat_mut(to)[..numbers.len()].copy_from_slice(numbers);
                    }
                }
                _ => {}
            }
        }
        jobs.run();
        spare
    }
}

/// With fewer [`Lanes`] in all, the caller packs them alone.
const SHARED: usize = (1 << 20) / size_of::<Lanes>();

/// More threads than this find no more memory bandwidth.
const MOST_THREADS: usize = 16;

type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// What is to be packed, each with the number of [`Lanes`] that it writes.
#[derive(Default)]
struct Jobs<'a> {
    jobs: Vec<(usize, Job<'a>)>,
}

impl<'a> Jobs<'a> {
    fn push(&mut self, lanes: usize, job: impl FnOnce() + Send + 'a) {
        self.jobs.push((lanes, Box::new(job)));
    }

    /// Does all of it, on threads of its own if it is much. A pool's threads would take up other work while
    /// they wait, such as a prediction of this net, which waits for these weights.
    fn run(mut self) {
        let lanes: usize = self.jobs.iter().map(|(lanes, _)| lanes).sum();
        let threads = rayon::current_num_threads().min(MOST_THREADS).min(self.jobs.len());
        // The largest first.
        self.jobs.sort_by_key(|(lanes, _)| *lanes);
        let jobs = Mutex::new(self.jobs);
        let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || {
            while let Some((_, job)) = next() {
                job();
            }
        };
        if lanes < SHARED || threads < 2 || cfg!(target_family = "wasm") {
            return work();
        }
        thread::scope(|scope| {
            for _ in 1..threads {
                // Where no thread can be had, the others do its share.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
    }
}

/// Packs a batch norm as a scale and a shift for each channel.
fn pack_batch_norm(
    mean: &[f32],
    variance: &[f32],
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    eps: f32,
    to: &mut [Lanes],
) {
    let half = to.len() / 2 * LANES;
    let (scale, shift) = blocked::flat_mut(to).split_at_mut(half);
    for (channel, (&mean, &variance)) in mean.iter().zip(variance).enumerate() {
        let spread = (f64::from(variance) + f64::from(eps)).sqrt();
        let factor = weight.map_or(1.0, |weight| f64::from(weight[channel])) / spread;
        let summand = bias.map_or(0.0, |bias| f64::from(bias[channel]));
        scale[channel] = factor as f32;
        shift[channel] = (summand - f64::from(mean) * factor) as f32;
    }
}

/// Packs a convolution's weights for its kernel.
fn pack_conv2d(
    kernel: Conv2dKernel,
    g: &Conv2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    to: &mut [Lanes],
) {
    if kernel != Conv2dKernel::Direct {
        return blocked_winograd::pack(isa(), kernel, g, weight, bias, to);
    }
    let Some(filled) = blocked::filled_conv2d(g) else {
        return blocked::pack_conv2d(g, weight, bias, to);
    };
    let fill = |numbers: &[f32]| blocked::filled(numbers, g.groups, g.out_channels / g.groups);
    blocked::pack_conv2d(&filled, &fill(weight), bias.map(fill).as_deref(), to);
}

fn pack_conv_transpose2d(
    g: &ConvTranspose2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    to: &mut [Lanes],
) {
    let Some(filled) = blocked::filled_conv_transpose2d(g) else {
        return blocked::pack_conv_transpose2d(g, weight, bias, to);
    };
    let fill =
        |numbers: &[f32], rows: usize| blocked::filled(numbers, rows, g.out_channels / g.groups);
    // The weight has the input channels first.
    let (weight, bias) = (fill(weight, g.input.dim(0)), bias.map(|bias| fill(bias, g.groups)));
    blocked::pack_conv_transpose2d(&filled, &weight, bias.as_deref(), to);
}

/// Packs a linear layer's weights in the order in which its input stands, each 16 outputs as a job.
fn pack_linear<'a>(
    jobs: &mut Jobs<'a>,
    source: &'a Place,
    outputs: usize,
    weight: &'a [f32],
    bias: Option<&[f32]>,
    to: &'a mut [Lanes],
) {
    let (biases, to) = to.split_at_mut(blocked::blocks(outputs));
    if let Some(bias) = bias {
        blocked::flat_mut(biases)[..outputs].copy_from_slice(bias);
    }
    let is_in_order = source.pixels.is_some() || source.is_in_order();
    let (inputs, packed) = (weight.len() / outputs, linear_inputs(source));
    let parts = weight.chunks(LANES * inputs).zip(to.chunks_exact_mut(packed));
    for (rows, to) in parts {
        jobs.push(to.len(), move || {
            if is_in_order {
                return blocked::pack_block(rows, to);
            }
            let mut row = vec![Lanes::ZERO; len(source.elements, source.channels)];
            let mut ordered = Vec::with_capacity(rows.len() / inputs * packed);
            for weight in rows.chunks_exact(inputs) {
                blocked::from_planar(weight, source.channels, &mut row);
                ordered.extend_from_slice(blocked::flat(&row));
            }
            blocked::pack_block(&ordered, to);
        });
    }
}

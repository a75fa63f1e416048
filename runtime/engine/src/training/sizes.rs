//! How a training step is cut, and what it takes.

use typenet_kernels::{LANES, Lanes};
use typenet_shape::{Conv2dPass, TrainingCosts};

use crate::arena::bytes_of;
use crate::blocked_training::{BlockedMemory, blocked_images};
use crate::layout::Layout;
use crate::spec::NetSpec;

/// At most this many numbers of memory go into partial gradients.
const PARTIALS: usize = 16 << 20;

/// Bytes that a training step of so many images takes: the net's parameters, their gradients and the
/// workspace, on as many threads as the pool has.
pub fn step_bytes(spec: &NetSpec, images: usize) -> u64 {
    let layout = spec.layout;
    let threads = rayon::current_num_threads();
    let statistics = layout.norms.last().map_or(0, |norm| norm.statistics.end());
    let numbers = 2 * layout.parameters + 2 * images * layout.output_len + 2 * statistics;
    let blocked = blocked_images(spec, images);
    let in_groups = images - blocked;
    // A rest beside groups is the work of one thread, or uses the memory that these have left.
    let sharers = if in_groups == 0 { threads } else { 1 };
    let mut own = if blocked > 0 { BlockedMemory::bytes(spec, blocked, sharers) } else { 0 };
    if in_groups > 0 {
        let threads = threads.min(threads_of_groups(spec, images));
        own += grouped_bytes(layout, images, in_groups, threads, statistics);
    }
    own + bytes_of::<f32>(numbers)
}

/// Bytes of the images of a step that run in groups, without what every step needs.
fn grouped_bytes(
    layout: &Layout,
    images: usize,
    in_groups: usize,
    threads: usize,
    statistics: usize,
) -> u64 {
    let groups = in_groups.div_ceil(LANES);
    let (slots, _) = slots(layout, groups);
    let [forward, data, weight] =
        [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight]
            .map(|pass| layout.transformed_len(pass));
    let lanes = groups * layout.training_len + threads * layout.scratch_len[0] + slots * weight;
    let gathered = images.div_ceil(LANES) * (statistics + 1);
    let numbers = slots * layout.parameters + forward + data + gathered;
    bytes_of::<Lanes>(lanes) + bytes_of::<f32>(numbers)
}

/// How many slots of partial gradients there are, and how many groups each takes. Sizes alone
/// decide, never the number of threads, so that results do not depend on it.
pub(super) fn slots(layout: &Layout, groups: usize) -> (usize, usize) {
    let sums = LANES * layout.transformed_len(Conv2dPass::BackwardWeight);
    let a_slot = layout.parameters + sums;
    let most = (PARTIALS / a_slot.max(1)).max(2);
    let groups_a_slot = groups.div_ceil(most.min(groups.max(1)));
    (groups.div_ceil(groups_a_slot.max(1)), groups_a_slot)
}

/// On how many threads at most a training step runs in groups of 16 images.
pub(super) fn threads_of_groups(spec: &NetSpec, images: usize) -> usize {
    TrainingCosts::new(spec.graph, spec.shapes, images).threads_of_groups() as usize
}

/// Whether so many images with 16 channels side by side are so little work that one thread does it beside groups.
pub(super) fn is_alone(spec: &NetSpec, images: usize) -> bool {
    TrainingCosts::new(spec.graph, spec.shapes, images).is_alone()
}

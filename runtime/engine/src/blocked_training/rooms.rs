//! What calls need for themselves.

use typenet_kernels::blocked;
use typenet_shape::{Op, Shape};

use super::call::{BlockedTrainingPlan, Call, Draft, DraftFrom, From, Write, len};
use super::{conv_transpose2d, conv2d, image_norms, own_layers};

/// [`Lanes`](typenet_kernels::Lanes) that a call needs for itself, forward and backward; `writes` is how
/// it writes the gradients of what it reads.
pub(super) fn room_len(
    draft: &Draft,
    writes: &[Write],
    shapes: &[Shape],
    images: usize,
) -> [usize; 2] {
    let read = draft.reads[0].from;
    // Where a kernel cannot add to a gradient, it stands there before.
    let aside = match (read, writes[0]) {
        (DraftFrom::Value(source), Write::Adds) => images * len(shapes[source]),
        _ => 0,
    };
    let Some(step) = draft.step else { return [0, aside] };
    let input = step.input;
    let [forward, backward] = match step.op {
        Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
            let is_image = matches!(read, DraftFrom::Image(..));
            let g = step.op.conv2d(input);
            let gives = writes[0] != Write::Nothing;
            return g.map_or([0, 0], |g| conv2d::room_len(&g, images, is_image, gives));
        }
        Op::ConvTranspose2d { .. } => {
            let g = step.op.conv_transpose2d(input);
            return g.map_or([0, 0], |g| conv_transpose2d::room_len(&g, images));
        }
        Op::BatchNorm { .. } => return [blocked::batch_norm_room(input.dim(0), images); 2],
        Op::LayerNorm { .. } | Op::GroupNorm { .. } => {
            return image_norms::room_len(step, images);
        }
        Op::Linear { .. } | Op::Add | Op::Concat => return [0, 0],
        Op::Mul => return [0, images * len(step.output)],
        Op::Own(own) => own_layers::room_len(step, &own, images),
        _ => [0, 0],
    };
    [forward, backward + aside]
}

/// [`Lanes`](typenet_kernels::Lanes) that each thread needs for itself in a step.
pub(super) fn scratch_len(plan: &BlockedTrainingPlan) -> usize {
    let of_call = |call: &Call| {
        let (step, read) = (call.step?, call.reads.first()?);
        let is_image = matches!(read.from, From::Image(..));
        let g = step.op.conv2d(step.input)?;
        let gives = read.write != Write::Nothing;
        Some(conv2d::scratch_len(&g, plan.images, is_image, gives))
    };
    plan.calls.iter().filter_map(of_call).max().unwrap_or(0)
}

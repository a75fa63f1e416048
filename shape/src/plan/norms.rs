//! Batch norms whose value is never stored while training: the convolution behind computes it while it reads.

use crate::{Conv2d, Conv2dKernel, Conv2dPass, Fusion, Graph, Op, Shape};

/// The most numbers of a channel that a depthwise convolution normalises at a time: of 16 images they take 512 kB, which
/// stay in the second-level cache.
const MOST_PIXELS: usize = 8192;

/// The batch norm that each convolution applies to what it reads, in groups of 16 images; 0 for none. That saves a
/// pass over memory, and the memory.
pub(super) const fn applied_by_readers<const N: usize>(
    graph: &Graph<'_>,
    fusion: &Fusion<N>,
    shapes: &[Shape; N],
) -> [usize; N] {
    let mut norm_of = [0; N];
    let mut node = 0;
    while node < N {
        if matches!(graph.nodes[node].op, Op::Conv2d { .. } | Op::DepthwiseConv2d { .. }) {
            let source = graph.nodes[node].inputs[0];
            let norm = fusion.host(source, true);
            if is_applied_by_reader(graph, fusion, source)
                && let Some(g) = graph.nodes[node].op.conv2d(shapes[source])
                && can_normalize(&g)
            {
                norm_of[node] = norm;
            }
        }
        node += 1;
    }
    norm_of
}

/// The node whose value `node` reads as its input `k` while training: where it applies a norm, what that reads.
pub(super) const fn read_by<const N: usize>(
    graph: &Graph<'_>,
    norm_of: &[usize; N],
    node: usize,
    k: usize,
) -> usize {
    let from = if k == 0 && norm_of[node] > 0 { norm_of[node] } else { node };
    graph.nodes[from].inputs[k]
}

/// Whether `source` is the value of a batch norm that one layer alone reads, and that this layer can compute.
const fn is_applied_by_reader<const N: usize>(
    graph: &Graph<'_>,
    fusion: &Fusion<N>,
    source: usize,
) -> bool {
    let norm = fusion.host(source, true);
    let fused = fusion.of(true);
    matches!(graph.nodes[norm].op, Op::BatchNorm { .. })
        && !graph.marks_of(norm).frozen
        && fused[norm].last == source
        && fused[norm].added.is_none()
        && fused[source].readers == 1
        && fusion.activation(graph, norm, true).is_simple()
}

/// Whether the kernels of this convolution can apply a norm to what they read.
const fn can_normalize(g: &Conv2d) -> bool {
    if Conv2dKernel::Gemm.runs(g) {
        let (forward, weight) = (Conv2dPass::Forward, Conv2dPass::BackwardWeight);
        return matches!(Conv2dKernel::choose(g, forward), Conv2dKernel::Gemm)
            && matches!(Conv2dKernel::choose(g, weight), Conv2dKernel::Gemm);
    }
    g.has_depthwise_kernel() && pixels(g) <= MOST_PIXELS
}

/// Scratch memory of a convolution that applies a norm to what it reads, beside that of its kernel: a channel.
pub(super) const fn scratch_len(g: &Conv2d) -> usize {
    if g.has_depthwise_kernel() { pixels(g) } else { 0 }
}

const fn pixels(g: &Conv2d) -> usize {
    g.input.dim(1).saturating_mul(g.input.dim(2))
}

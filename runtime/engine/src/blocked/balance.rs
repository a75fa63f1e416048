//! How evenly a batch is shared out among threads: a function of sizes alone.

use typenet_kernels::{blocked, winograd};

use super::plan::BlockedPlan;
use crate::spec::NetSpec;

/// How evenly a convolution of a batch is shared out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LayerBalance {
    /// The convolution's node.
    pub node: usize,
    /// Multiply-adds of what is shared out at once: of an image, or of the batch where its images run together.
    pub multiply_adds: u64,
    /// The largest share of the batch that one thread gets, times the threads: 1 is even.
    pub balance: f64,
}

impl BlockedPlan {
    /// How evenly an inference with 16 channels side by side shares out each convolution among `threads`
    /// threads; those with several groups are left out.
    pub fn balance(&self, spec: &NetSpec, images: usize, threads: usize) -> Vec<LayerBalance> {
        let alone = self.images_alone(images, threads) as f64;
        let of_node = |(node, place): (usize, &super::plan::Place)| {
            let [input, ..] = spec.graph.nodes[node].inputs else { return None };
            let (op, input) = (&spec.graph.nodes[node].op, spec.shapes[*input]);
            let g = op.conv2d(input).filter(|g| place.runs && g.groups == 1)?;
            let of = |images| match place.kernel.tiling(&g, typenet_shape::Conv2dPass::Forward) {
                Some(_) => winograd::blocked::balance(place.kernel, &g, images, threads),
                None => {
                    let gathered = blocked::gathered_conv2d(&g).filter(|_| place.room > 0);
                    let g = gathered.unwrap_or(g);
                    blocked::conv2d_balance(&g, images, threads)
                }
            };
            let is_together = self.halves.as_ref().is_some_and(|halves| node >= halves.begins);
            let count = images as f64;
            let balance = if is_together && images > 1 {
                of(images)
            } else {
                // Rounds of images that each run on one thread; then images that run one after the other on
                // all.
                let rounds = (alone / threads as f64).ceil() * threads as f64;
                (rounds + (count - alone) * of(1)) / count
            };
            let at_once = if is_together { images as u64 } else { 1 };
            let multiply_adds = op.multiply_adds(input, spec.shapes[node]) * at_once;
            Some(LayerBalance { node, multiply_adds, balance })
        };
        self.nodes.iter().enumerate().filter_map(of_node).collect()
    }
}

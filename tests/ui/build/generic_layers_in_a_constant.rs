//! A choice of generics whose layers are a constant: found without a build, too.
use typenet::prelude::*;

network! {
    pub struct Net<const SIDE: usize>: [1, SIDE, SIDE] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        global_avg_pool,
        fc: linear(10),
    }
}

const _: usize = Net::<4>::LAYERS.len();

fn main() {}

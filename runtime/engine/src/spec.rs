//! A declared net as constants.

use typenet_shape::{Graph, LayerInfo, Shape};

use crate::layout::Layout;

/// What the declaration of a net comes to, without its types.
#[derive(Clone, Copy, Debug)]
pub struct NetSpec {
    /// The net as data.
    pub graph: &'static Graph<'static>,
    /// The output shape of every node of the graph.
    pub shapes: &'static [Shape],
    /// What is known of every node of the graph.
    pub layers: &'static [LayerInfo],
    /// Sizes and places.
    pub layout: &'static Layout,
}

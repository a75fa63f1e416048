//! The shape rules of typenet.
//!
//! The rules are allocation-free `const fn`s over fixed-size arrays. So the `network!` macro calls them while
//! it expands, and the generated code evaluates the same functions as constants.
//!
//! Reading order: [`Shape`], [`Op`] and its rules, [`Graph`], [`Marks`], [`Plan`], and [`Checked`] for
//! declarations with numbers that only the compiler knows.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod checked;
mod conv_transpose;
mod counts;
mod error;
mod fusion;
mod geometry;
mod graph;
mod join;
mod kernel;
mod layout;
mod marks;
mod op;
mod own;
mod part;
mod plan;
mod shape;
mod tensor;
mod text;
mod training_layout;
mod upsample;
mod weight_file;

pub use checked::{
    Checked, Join, Message, Shortcut, check_argument, check_arguments, check_difference,
    check_dimension, check_divisor, check_header, check_net, difference, quotient, remainder,
};
pub use conv_transpose::ConvTranspose2d;
pub use error::{Argument, ShapeError};
pub use fusion::{Fused, Fusion};
pub use geometry::{Conv2d, Padding, Pool2d};
pub use graph::{Graph, Head, LayerInfo, Node};
pub use join::is_factor_a_channel;
pub use kernel::{Conv2dKernel, Conv2dPass, TapsInLanes, Tiling};
pub use layout::{LayoutCosts, Shares};
pub use marks::{Init, Marks, Scheme};
pub use op::{Activation, Approximate, MAX_INPUTS, Op, Outline};
pub use own::{Along, Gradients, Layer, Own, Parameters};
pub use part::{Part, Placement, count_marks, joined_marks, joined_nodes, places, shape_of};
pub use plan::{
    Buffer, Buffers, Item, MAX_HEADS, Norm, Output, Plan, Pooled, Source, Step, Transformed, place,
};
pub use shape::{MAX_RANK, Shape};
pub use tensor::{Tensor, TensorKind};
pub use text::Text;
pub use training_layout::TrainingCosts;
pub use upsample::{Interpolation, Upsample2d};
pub use weight_file::{
    FileTensor, WeightFile, check_unchanged, check_weights, hash, size_of_number,
};

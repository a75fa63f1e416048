//! A first convolution whose outputs are uncorrelated and of variance 1, from the patches of images.
//!
//! Page 2019, *How to train your ResNet 8: back of the envelope*; Jordan 2024, *94% on CIFAR-10 in
//! 3.29 seconds on a single GPU*.

use std::borrow::Cow;

use rayon::prelude::*;
use typenet_shape::{Conv2d, Graph, Op, Scheme, Shape, Tensor, TensorKind};

use super::eigen;
use crate::{Error, Result};

/// How many images are looked at.
const IMAGES: usize = 5000;

/// Images are taken in pieces of this many, whose sums are added in order: the result does not depend
/// on the number of threads.
const PIECE: usize = 32;

/// Sets the weights of every layer marked `#[init(whitening)]`.
///
/// # Errors
/// See [`Network::init_from_data`](crate::Network::init_from_data).
pub(crate) fn from_data(
    graph: &Graph<'_>,
    shapes: &[Shape],
    tensors: &[Tensor],
    images: &[f32],
    parameters: &mut [f32],
) -> Result<()> {
    let mut weights = Vec::new();
    for marks in graph.marks {
        let Some(Scheme::Whitening { eps }) = marks.init.weight else { continue };
        let node = &graph.nodes[marks.node];
        let Some(&Op::Input { shape }) = node.inputs.first().map(|&index| &graph.nodes[index].op)
        else {
            continue;
        };
        let Some(geometry) = node.op.conv2d(shape) else { continue };
        // Those of one input among all of each image.
        let len = |nodes: &[Shape]| nodes.iter().map(|shape| shape.elements()).sum::<usize>();
        let (start, row) = (len(&shapes[..node.inputs[0]]), len(&shapes[..graph.input_count()]));
        let own = shape.elements();
        let images: Cow<'_, [f32]> = match row == own {
            true => images.into(),
            false => {
                images.chunks_exact(row).flat_map(|row| &row[start..][..own]).copied().collect()
            }
        };
        weights.push((marks.node, of_patches(&geometry, own, &images, eps)?));
    }
    if weights.is_empty() {
        let (value, expected) =
            (graph.name.to_owned(), "a net with a layer marked `#[init(whitening)]` is needed");
        return Err(Error::Argument { name: "init_from_data", value, expected });
    }
    for (node, rows) in weights {
        for tensor in tensors.iter().filter(|tensor| tensor.node == node) {
            let numbers = &mut parameters[tensor.offset..tensor.offset + tensor.shape.elements()];
            match tensor.kind {
                // Outputs beyond both signs of every direction keep their random weights.
                TensorKind::Weight => numbers[..rows.len()].copy_from_slice(&rows),
                _ => numbers.fill(0.0),
            }
        }
    }
    Ok(())
}

/// The rows of the weight: each direction of the patches over its deviation, those in which patches
/// differ most first; then the same with the other sign.
fn of_patches(g: &Conv2d, image_len: usize, images: &[f32], eps: f32) -> Result<Vec<f32>> {
    let all: Vec<&[f32]> = images.chunks_exact(image_len).collect();
    if all.is_empty() {
        return Err(Error::size("images to take patches from", "at least 1", 0));
    }
    let chosen: Vec<&[f32]> = match all.len() {
        count if count > IMAGES => (0..IMAGES).map(|i| all[i * count / IMAGES]).collect(),
        _ => all,
    };
    if let Some(bad) = chosen.iter().position(|image| image.iter().any(|x| !x.is_finite())) {
        let (value, expected) = (format!("image {bad}"), "every number is finite");
        return Err(Error::Argument { name: "images", value, expected });
    }
    let span = [0, 1].map(|axis| (g.kernel[axis] - 1) * g.dilation[axis]);
    let [_, height, width] = [0, 1, 2].map(|i| g.input.dim(i));
    if span[0] >= height || span[1] >= width {
        let expected = format!("at least {}×{}", span[0] + 1, span[1] + 1);
        return Err(Error::size("the size of an image", expected, format!("{height}×{width}")));
    }
    let size = g.input.dim(0) * g.kernel[0] * g.kernel[1];
    let sums: Vec<Vec<f64>> = chosen
        .par_chunks(PIECE)
        .map(|images| {
            let mut sums = vec![0.0; size * size];
            images.iter().for_each(|image| add_products(g, span, image, &mut sums));
            sums
        })
        .collect();
    let count = (chosen.len() * (height - span[0]) * (width - span[1])) as f64;
    let mut covariance = vec![0.0; size * size];
    for i in 0..size {
        for j in i..size {
            let sum: f64 = sums.iter().map(|sums| sums[i * size + j]).sum();
            covariance[i * size + j] = sum / count;
            covariance[j * size + i] = sum / count;
        }
    }
    let directions = eigen::symmetric(covariance, size);
    let both_signs = [1.0, -1.0].into_iter().flat_map(|sign| {
        directions
            .iter()
            .map(move |(value, vector)| (sign / (value + f64::from(eps)).sqrt(), vector))
    });
    let rows = both_signs.take(g.out_channels);
    Ok(rows.flat_map(|(factor, vector)| vector.iter().map(move |x| (factor * x) as f32)).collect())
}

/// Adds the products of each two numbers of every patch, `i ≤ j`, to `sums`.
fn add_products(g: &Conv2d, span: [usize; 2], image: &[f32], sums: &mut [f64]) {
    let [_, height, width] = [0, 1, 2].map(|i| g.input.dim(i));
    let [rows, columns] = [height - span[0], width - span[1]];
    let area = g.kernel[0] * g.kernel[1];
    let size = g.input.dim(0) * area;
    // The number of each patch that has this place in it, for the patches of one row.
    let row_of = |place: usize, row: usize| {
        let (channel, tap) = (place / area, place % area);
        let (u, v) = (tap / g.kernel[1] * g.dilation[0], tap % g.kernel[1] * g.dilation[1]);
        &image[(channel * height + row + u) * width + v..][..columns]
    };
    for i in 0..size {
        for j in i..size {
            let mut sum = 0.0;
            for row in 0..rows {
                let products = row_of(i, row).iter().zip(row_of(j, row));
                sum += products.map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
            }
            sums[i * size + j] += sum;
        }
    }
}

//! The net, and what is asked of it, without Python.

use std::sync::LazyLock;

use typenet::prelude::*;

network! {
    /// LeNet-5 for 28×28 grey images.
    #[weights("../classify/lenet5.safetensors")]
    pub(crate) struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

pub(crate) const CLASSES: usize = 10;
const PIXELS: usize = 28 * 28;

/// So many images of bytes become numbers at a time: a batch of any size takes a few megabytes.
const TOGETHER: usize = 1024;

/// The one net of all threads. Its first prediction prepares the weights for the kernels.
pub(crate) static NET: LazyLock<LeNet5> = LazyLock::new(LeNet5::pretrained);

/// A number of an array that the net takes.
pub(crate) trait Number: Copy {
    /// Writes the probabilities of images, one after the other, each of which has a row.
    fn predict(images: &[Self], rows: &mut [f32]) -> Result<(), typenet::Error>;
}

impl Number for f32 {
    fn predict(images: &[f32], rows: &mut [f32]) -> Result<(), typenet::Error> {
        write_rows(LeNet5::inputs(images)?, rows);
        Ok(())
    }
}

impl Number for u8 {
    fn predict(images: &[u8], rows: &mut [f32]) -> Result<(), typenet::Error> {
        let rows = rows.chunks_mut(TOGETHER * CLASSES);
        for (images, rows) in images.chunks(TOGETHER * PIXELS).zip(rows) {
            if images.len() == PIXELS {
                write_rows(std::slice::from_ref(&*NET.input_from_u8(images)?), rows);
                continue;
            }
            let inputs = images.chunks(PIXELS).map(|pixels| Ok(*NET.input_from_u8(pixels)?));
            write_rows(&inputs.collect::<Result<Vec<_>, typenet::Error>>()?, rows);
        }
        Ok(())
    }
}

/// One image has kernels of its own; many run on all cores.
fn write_rows(inputs: &[Input<LeNet5>], rows: &mut [f32]) {
    if let [input] = inputs {
        rows.copy_from_slice(&NET.probabilities(input));
        return;
    }
    for (row, output) in rows.chunks_exact_mut(CLASSES).zip(NET.outputs(inputs)) {
        row.copy_from_slice(&output.softmax());
    }
}

//! The net, and what is asked of it, without pointers.

use std::ffi::CString;
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

/// So many images of a batch become numbers at a time: a batch of any size takes a few megabytes.
const TOGETHER: usize = 1024;

/// The one net of all threads. Its first prediction prepares the weights for the kernels.
pub(crate) static FASHION: LazyLock<Fashion> = LazyLock::new(|| {
    let net = LeNet5::pretrained();
    let names = net.metadata().class_names.iter();
    let names = names.map(|name| CString::new(name.as_str()).unwrap_or_default()).collect();
    Fashion { net, names }
});

pub(crate) struct Fashion {
    net: LeNet5,
    pub(crate) names: Vec<CString>,
}

impl Fashion {
    /// The probabilities of the classes of one image.
    pub(crate) fn one(&self, pixels: &[u8]) -> Result<[f32; 10], typenet::Error> {
        let input = self.net.input_from_u8(pixels)?;
        Ok(self.net.probabilities(&input))
    }

    /// The probabilities of the classes of many images, one row an image.
    pub(crate) fn many(
        &self,
        images: &[[u8; 784]],
        rows: &mut [[f32; 10]],
    ) -> Result<(), typenet::Error> {
        for (images, rows) in images.chunks(TOGETHER).zip(rows.chunks_mut(TOGETHER)) {
            let inputs = images.iter().map(|pixels| Ok(*self.net.input_from_u8(pixels)?));
            let inputs = inputs.collect::<Result<Vec<_>, typenet::Error>>()?;
            for (row, output) in rows.iter_mut().zip(self.net.outputs(&inputs)) {
                *row = output.softmax();
            }
        }
        Ok(())
    }
}

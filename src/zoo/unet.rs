use crate::network;

network! {
    /// U-Net for binary segmentation of 128×128 colour images: 7,763,041 parameters.
    ///
    /// Four encoder stages of two 3×3 convolutions lead down to 8×8 pixels. Four decoder stages lead up
    /// again with transposed convolutions; each also reads, by concat, the output of the encoder stage
    /// of its size. As in Buda et al., convolutions are padded, so that sizes stay, batch norm follows
    /// them, and the first stage has 32 channels; the original paper has none of the three. The output
    /// is one logit for each pixel, for [`BinaryCrossEntropy`](crate::loss::BinaryCrossEntropy).
    ///
    /// Source: Ronneberger, Fischer and Brox, *U-Net: convolutional networks for biomedical image
    /// segmentation*, 2015; Buda, Saha and Mazurowski, *Association of genomic subtypes of
    /// lower-grade gliomas with shape features automatically extracted by a deep learning
    /// algorithm*, 2019.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::UNet;
    ///
    /// let net = UNet::seeded(42);
    /// let logits = net.output(&[[[0.0; 128]; 128]; 3]);
    /// assert_eq!((logits.len(), logits[0].len(), logits[0][0].len()), (1, 128, 128));
    /// ```
    pub struct UNet: [3, 128, 128] -> [1, 128, 128] {
        block stage(out) {
            conv1: conv2d(out, kernel = 3, padding = 1, bias = false), norm1: batch_norm, relu,
            conv2: conv2d(out, kernel = 3, padding = 1, bias = false), norm2: batch_norm, relu,
        }

        encoder1: stage(32), max_pool2d(2),
        encoder2: stage(64), max_pool2d(2),
        encoder3: stage(128), max_pool2d(2),
        encoder4: stage(256), max_pool2d(2),
        bottleneck: stage(512),
        upconv4: conv_transpose2d(256, kernel = 2, stride = 2), concat(encoder4),
        decoder4: stage(256),
        upconv3: conv_transpose2d(128, kernel = 2, stride = 2), concat(encoder3),
        decoder3: stage(128),
        upconv2: conv_transpose2d(64, kernel = 2, stride = 2), concat(encoder2),
        decoder2: stage(64),
        upconv1: conv_transpose2d(32, kernel = 2, stride = 2), concat(encoder1),
        decoder1: stage(32),
        conv: conv2d(1, kernel = 1),
    }
}

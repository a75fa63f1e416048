use crate::network;

network! {
    /// MobileNetV2 for 224×224 colour images of 1000 classes: 3,504,872 parameters.
    ///
    /// Seventeen inverted residual blocks: a 1×1 convolution to six times the channels, a 3×3
    /// convolution of each channel by itself, and a 1×1 convolution back to few channels, without an
    /// activation behind it. The value itself is added where its shape is kept. torchvision's
    /// `mobilenet_v2`.
    ///
    /// Source: Sandler, Howard, Zhu, Zhmoginov and Chen, *MobileNetV2: inverted residuals and linear
    /// bottlenecks*, 2018.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::MobileNetV2;
    ///
    /// let net = MobileNetV2::seeded(42);
    /// assert_eq!(net.features17.depthwise.weight.len(), 960);
    /// ```
    pub struct MobileNetV2: [3, 224, 224] -> [1000] {
        /// To another number of channels, or to half the height and width.
        block change(hidden, out, stride = 1) {
            expand: conv2d(hidden, kernel = 1, bias = false), expand_bn: batch_norm, relu6,
            depthwise: depthwise_conv2d(3, stride = stride, padding = 1, bias = false),
            depthwise_bn: batch_norm, relu6,
            project: conv2d(out, kernel = 1, bias = false), project_bn: batch_norm,
        }

        /// Beside the value itself.
        block keep(hidden, out) {
            residual {
                expand: conv2d(hidden, kernel = 1, bias = false), expand_bn: batch_norm, relu6,
                depthwise: depthwise_conv2d(3, padding = 1, bias = false),
                depthwise_bn: batch_norm, relu6,
                project: conv2d(out, kernel = 1, bias = false), project_bn: batch_norm,
            }
        }

        block first(out) {
            depthwise: depthwise_conv2d(3, padding = 1, bias = false),
            depthwise_bn: batch_norm, relu6,
            project: conv2d(out, kernel = 1, bias = false), project_bn: batch_norm,
        }

        conv0: conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false), bn0: batch_norm, relu6,
        features1: first(16),
        features2: change(96, 24, stride = 2), features3: keep(144, 24),
        features4: change(144, 32, stride = 2), features5: keep(192, 32), features6: keep(192, 32),
        features7: change(192, 64, stride = 2), features8: keep(384, 64),
        features9: keep(384, 64), features10: keep(384, 64),
        features11: change(384, 96), features12: keep(576, 96), features13: keep(576, 96),
        features14: change(576, 160, stride = 2),
        features15: keep(960, 160), features16: keep(960, 160),
        features17: change(960, 320),
        conv18: conv2d(1280, kernel = 1, bias = false), bn18: batch_norm, relu6,
        global_avg_pool,
        dropout(0.2),
        classifier: linear(1000),
    }
}

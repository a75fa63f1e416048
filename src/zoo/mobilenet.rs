use crate::network;

network! {
    /// MobileNetV2 for 224×224 colour images of 1000 classes: 3,504,872 parameters.
    ///
    /// Seventeen inverted residual blocks: a 1×1 convolution to six times the channels, a 3×3 depthwise
    /// convolution, and a 1×1 convolution back to few channels, without an activation after it. Blocks
    /// that keep the shape add their input to their output. torchvision's `mobilenet_v2`.
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
        /// Changes the number of channels, or halves the height and width.
        block change(hidden, out, stride = 1) {
            #[name("conv.0.0")] expand: conv2d(hidden, kernel = 1, bias = false),
            #[name("conv.0.1")] expand_bn: batch_norm, relu6,
            #[name("conv.1.0")]
            depthwise: depthwise_conv2d(3, stride = stride, padding = 1, bias = false),
            #[name("conv.1.1")] depthwise_bn: batch_norm, relu6,
            #[name("conv.2")] project: conv2d(out, kernel = 1, bias = false),
            #[name("conv.3")] project_bn: batch_norm,
        }

        /// Keeps the shape, and adds its input to its output.
        block keep(hidden, out) {
            residual {
                #[name("conv.0.0")] expand: conv2d(hidden, kernel = 1, bias = false),
                #[name("conv.0.1")] expand_bn: batch_norm, relu6,
                #[name("conv.1.0")] depthwise: depthwise_conv2d(3, padding = 1, bias = false),
                #[name("conv.1.1")] depthwise_bn: batch_norm, relu6,
                #[name("conv.2")] project: conv2d(out, kernel = 1, bias = false),
                #[name("conv.3")] project_bn: batch_norm,
            }
        }

        block first(out) {
            #[name("conv.0.0")] depthwise: depthwise_conv2d(3, padding = 1, bias = false),
            #[name("conv.0.1")] depthwise_bn: batch_norm, relu6,
            #[name("conv.1")] project: conv2d(out, kernel = 1, bias = false),
            #[name("conv.2")] project_bn: batch_norm,
        }

        #[name("features.0.0")]
        conv0: conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false),
        #[name("features.0.1")] bn0: batch_norm, relu6,
        #[name("features.1")] features1: first(16),
        #[name("features.2")] features2: change(96, 24, stride = 2),
        #[name("features.3")] features3: keep(144, 24),
        #[name("features.4")] features4: change(144, 32, stride = 2),
        #[name("features.5")] features5: keep(192, 32),
        #[name("features.6")] features6: keep(192, 32),
        #[name("features.7")] features7: change(192, 64, stride = 2),
        #[name("features.8")] features8: keep(384, 64),
        #[name("features.9")] features9: keep(384, 64),
        #[name("features.10")] features10: keep(384, 64),
        #[name("features.11")] features11: change(384, 96),
        #[name("features.12")] features12: keep(576, 96),
        #[name("features.13")] features13: keep(576, 96),
        #[name("features.14")] features14: change(576, 160, stride = 2),
        #[name("features.15")] features15: keep(960, 160),
        #[name("features.16")] features16: keep(960, 160),
        #[name("features.17")] features17: change(960, 320),
        #[name("features.18.0")] conv18: conv2d(1280, kernel = 1, bias = false),
        #[name("features.18.1")] bn18: batch_norm, relu6,
        global_avg_pool,
        dropout(0.2),
        #[name("classifier.1")] classifier: linear(1000),
    }
}

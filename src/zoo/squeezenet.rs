use crate::network;

network! {
    /// SqueezeNet 1.1 for 224×224 colour images of 1000 classes: 1,235,496 parameters.
    ///
    /// Eight fire modules: a 1×1 convolution to few channels; then a 1×1 and a 3×3 convolution both read
    /// it, and their outputs are concatenated. The logits are the channels of the last convolution,
    /// after `relu` and averaged over the image. torchvision's `squeezenet1_1`.
    ///
    /// Source: Iandola et al., *SqueezeNet*, 2016; version 1.1 is the authors' later one.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::SqueezeNet;
    ///
    /// let net = SqueezeNet::seeded(42);
    /// assert_eq!(net.fire12.expand3x3.weight.len(), 256);
    /// ```
    pub struct SqueezeNet: [3, 224, 224] -> [1000] {
        block fire(squeeze_planes, expand_planes) {
            squeeze: conv2d(squeeze_planes, kernel = 1), relu,
            concat {
                branch { expand1x1: conv2d(expand_planes, kernel = 1), relu }
                branch { expand3x3: conv2d(expand_planes, kernel = 3, padding = 1), relu }
            }
        }

        #[name("features.0")]
        conv1: conv2d(64, kernel = 3, stride = 2), relu,
        max_pool2d(3, stride = 2, ceil_mode = true),
        #[name("features.3")] fire3: fire(16, 64),
        #[name("features.4")] fire4: fire(16, 64),
        max_pool2d(3, stride = 2, ceil_mode = true),
        #[name("features.6")] fire6: fire(32, 128),
        #[name("features.7")] fire7: fire(32, 128),
        max_pool2d(3, stride = 2, ceil_mode = true),
        #[name("features.9")] fire9: fire(48, 192),
        #[name("features.10")] fire10: fire(48, 192),
        #[name("features.11")] fire11: fire(64, 256),
        #[name("features.12")] fire12: fire(64, 256),
        dropout,
        #[name("classifier.1")]
        classifier: conv2d(1000, kernel = 1), relu,
        global_avg_pool,
    }
}

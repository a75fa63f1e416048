use crate::network;

network! {
    /// DenseNet-121 for 224×224 colour images of 1000 classes: 7,978,856 parameters.
    ///
    /// Four dense blocks of 6, 12, 24 and 16 layers. Each layer reads all channels before it and adds 32;
    /// between two blocks a transition halves channels, height and width. Batch norms and activations
    /// come before their convolutions. torchvision's `densenet121`.
    ///
    /// Source: Huang, Liu, van der Maaten and Weinberger, *Densely connected convolutional
    /// networks*, 2017.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::DenseNet121;
    ///
    /// let parameters: usize = DenseNet121::LAYERS.iter().map(|layer| layer.parameters).sum();
    /// assert_eq!(parameters, 7_978_856);
    /// ```
    pub struct DenseNet121: [3, 224, 224] -> [1000] {
        const GROWTH: usize = 32;

        /// Concatenates its input and the output of two convolutions.
        block layer {
            concat {
                branch {}
                branch {
                    norm1: batch_norm, relu,
                    conv1: conv2d(4 * GROWTH, kernel = 1, bias = false),
                    norm2: batch_norm, relu,
                    conv2: conv2d(GROWTH, kernel = 3, padding = 1, bias = false),
                }
            }
        }

        block transition(out) {
            norm: batch_norm, relu,
            conv: conv2d(out, kernel = 1, bias = false),
            avg_pool2d(2),
        }

        #[name("features.conv0")]
        conv0: conv2d(2 * GROWTH, kernel = 7, stride = 2, padding = 3, bias = false),
        #[name("features.norm0")]
        norm0: batch_norm, relu,
        max_pool2d(3, stride = 2, padding = 1),
        #[name("features.denseblock1.denselayer{1}")]
        denseblock1: repeat(6) { #[name("")] layer }
        #[name("features.transition1")]
        transition1: transition(128),
        #[name("features.denseblock2.denselayer{1}")]
        denseblock2: repeat(12) { #[name("")] layer }
        #[name("features.transition2")]
        transition2: transition(256),
        #[name("features.denseblock3.denselayer{1}")]
        denseblock3: repeat(24) { #[name("")] layer }
        #[name("features.transition3")]
        transition3: transition(512),
        #[name("features.denseblock4.denselayer{1}")]
        denseblock4: repeat(16) { #[name("")] layer }
        #[name("features.norm5")]
        norm5: batch_norm, relu,
        global_avg_pool,
        classifier: linear(1000),
    }
}

use crate::network;

network! {
    /// VGG-16 for 224×224 colour images of 1000 classes: 138,357,544 parameters.
    ///
    /// Thirteen convolutions of 3×3 in five stages, each with twice the channels of the one before
    /// up to 512, and three linear layers, which hold 89 % of the parameters. Configuration D of the
    /// paper; torchvision's `vgg16`.
    ///
    /// Source: Simonyan and Zisserman, *Very deep convolutional networks for large-scale image
    /// recognition*, 2014.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::Vgg16;
    ///
    /// let multiply_adds: u64 = Vgg16::LAYERS.iter().map(|layer| layer.multiply_adds).sum();
    /// assert_eq!(multiply_adds, 15_470_264_320);
    /// ```
    pub struct Vgg16: [3, 224, 224] -> [1000] {
        #[name("features.0")]
        conv1_1: conv2d(64, kernel = 3, padding = 1), relu,
        #[name("features.2")]
        conv1_2: conv2d(64, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        #[name("features.5")]
        conv2_1: conv2d(128, kernel = 3, padding = 1), relu,
        #[name("features.7")]
        conv2_2: conv2d(128, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        #[name("features.10")]
        conv3_1: conv2d(256, kernel = 3, padding = 1), relu,
        #[name("features.12")]
        conv3_2: conv2d(256, kernel = 3, padding = 1), relu,
        #[name("features.14")]
        conv3_3: conv2d(256, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        #[name("features.17")]
        conv4_1: conv2d(512, kernel = 3, padding = 1), relu,
        #[name("features.19")]
        conv4_2: conv2d(512, kernel = 3, padding = 1), relu,
        #[name("features.21")]
        conv4_3: conv2d(512, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        #[name("features.24")]
        conv5_1: conv2d(512, kernel = 3, padding = 1), relu,
        #[name("features.26")]
        conv5_2: conv2d(512, kernel = 3, padding = 1), relu,
        #[name("features.28")]
        conv5_3: conv2d(512, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        #[name("classifier.0")]
        fc1: linear(4096), relu, dropout,
        #[name("classifier.3")]
        fc2: linear(4096), relu, dropout,
        #[name("classifier.6")]
        fc3: linear(1000),
    }
}

use crate::network;

network! {
    /// AlexNet for 224×224 colour images of 1000 classes: 61,100,840 parameters.
    ///
    /// Five convolutions and three linear layers, which hold 96 % of the parameters. This is the
    /// version for one device, without groups and without local response normalisation, that
    /// torchvision has as `alexnet`.
    ///
    /// Source: Krizhevsky, *One weird trick for parallelizing convolutional neural networks*, 2014;
    /// first in Krizhevsky, Sutskever and Hinton, *ImageNet classification with deep convolutional
    /// neural networks*, 2012.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::AlexNet;
    ///
    /// let parameters: usize = AlexNet::LAYERS.iter().map(|layer| layer.parameters).sum();
    /// assert_eq!(parameters, 61_100_840);
    /// ```
    pub struct AlexNet: [3, 224, 224] -> [1000] {
        #[name("features.0")]
        conv1: conv2d(64, kernel = 11, stride = 4, padding = 2), relu,
        max_pool2d(3, stride = 2),
        #[name("features.3")]
        conv2: conv2d(192, kernel = 5, padding = 2), relu,
        max_pool2d(3, stride = 2),
        #[name("features.6")]
        conv3: conv2d(384, kernel = 3, padding = 1), relu,
        #[name("features.8")]
        conv4: conv2d(256, kernel = 3, padding = 1), relu,
        #[name("features.10")]
        conv5: conv2d(256, kernel = 3, padding = 1), relu,
        max_pool2d(3, stride = 2),
        flatten,
        dropout,
        #[name("classifier.1")]
        fc1: linear(4096), relu,
        dropout,
        #[name("classifier.4")]
        fc2: linear(4096), relu,
        #[name("classifier.6")]
        fc3: linear(1000),
    }
}

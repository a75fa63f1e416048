use crate::network;

network! {
    /// LeNet-5 for 28×28 grey images of ten classes: 61,706 parameters.
    ///
    /// Two 5×5 convolutions, each followed by pooling, and three linear layers. The first convolution
    /// has a padding of 2, so that MNIST's 28×28 images take the place of the paper's 32×32. As in most
    /// versions today, `relu` and max pooling replace the paper's `tanh` and average pooling, and the
    /// second convolution reads all channels.
    ///
    /// Source: LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document
    /// recognition*, 1998.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::LeNet5;
    ///
    /// let net = LeNet5::seeded(42);
    /// let class = net.predict(&[[[0.0; 28]; 28]; 1]);
    /// assert!(class < 10);
    /// ```
    pub struct LeNet5: [1, 28, 28] -> [10] {
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

use crate::network;

network! {
    /// The first two inception modules of GoogLeNet, as a small net for 32×32 colour images of ten
    /// classes: 562,618 parameters.
    ///
    /// A module concatenates four branches: a 1×1 convolution; 1×1, then 3×3; 1×1, then 5×5; max pooling,
    /// then 1×1. Channels are those of the paper's modules 3a and 3b; 3a has 163,696 parameters.
    ///
    /// Source: Szegedy et al., *Going deeper with convolutions*, 2015, table 1.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::Inception;
    ///
    /// let concat = Inception::LAYERS.iter().find(|layer| layer.name == "inception3a.concat_1");
    /// assert_eq!(concat.map(|layer| layer.output.dims().to_vec()), Some(vec![256, 16, 16]));
    /// ```
    pub struct Inception: [3, 32, 32] -> [10] {
        block inception(n1x1, reduce3x3, n3x3, reduce5x5, n5x5, pool) {
            concat {
                branch { branch1: conv2d(n1x1, kernel = 1), relu }
                branch {
                    branch2_reduce: conv2d(reduce3x3, kernel = 1), relu,
                    branch2: conv2d(n3x3, kernel = 3, padding = 1), relu,
                }
                branch {
                    branch3_reduce: conv2d(reduce5x5, kernel = 1), relu,
                    branch3: conv2d(n5x5, kernel = 5, padding = 2), relu,
                }
                branch {
                    max_pool2d(3, stride = 1, padding = 1),
                    branch4: conv2d(pool, kernel = 1), relu,
                }
            }
        }

        conv1: conv2d(192, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        inception3a: inception(64, 96, 128, 16, 32, 32),
        inception3b: inception(128, 128, 192, 32, 96, 64),
        global_avg_pool,
        dropout(0.4),
        fc: linear(10),
    }
}

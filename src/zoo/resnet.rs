use crate::network;

network! {
    /// ResNet-20 for 32×32 colour images of ten classes, as in CIFAR-10: 272,474 parameters.
    ///
    /// A convolution and three stages of three residual blocks with 16, 32 and 64 channels. Where a
    /// stage halves height and width, the shortcut is a 1×1 convolution (option B of the paper; with
    /// option A, whose shortcuts have no parameters, the net has 269,722).
    ///
    /// Source: He, Zhang, Ren and Sun, *Deep residual learning for image recognition*, 2016,
    /// section 4.2.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::ResNet20;
    ///
    /// let net = ResNet20::seeded(42);
    /// println!("{}", ResNet20::summary());
    /// let probabilities = net.probabilities(&[[[0.0; 32]; 32]; 3]);
    /// assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    /// ```
    pub struct ResNet20: [3, 32, 32] -> [10] {
        /// A residual block of two 3×3 convolutions.
        block basic(out) {
            residual {
                conv1: conv2d(out, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
                conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            }
            relu,
        }

        /// The same at half the height and width.
        block down(out) {
            residual {
                conv1: conv2d(out, kernel = 3, stride = 2, padding = 1, bias = false),
                bn1: batch_norm, relu,
                conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            } shortcut {
                downsample: conv2d(out, kernel = 1, stride = 2, bias = false),
                downsample_bn: batch_norm,
            }
            relu,
        }

        conv1: conv2d(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        layer1_0: basic(16), layer1_1: basic(16), layer1_2: basic(16),
        layer2_0: down(32), layer2_1: basic(32), layer2_2: basic(32),
        layer3_0: down(64), layer3_1: basic(64), layer3_2: basic(64),
        global_avg_pool,
        fc: linear(10),
    }
}

network! {
    /// ResNet-18 for 224×224 colour images of 1000 classes: 11,689,512 parameters.
    ///
    /// A convolution of 7×7 and four stages of two residual blocks with 64, 128, 256 and 512
    /// channels. torchvision's `resnet18`.
    ///
    /// Source: He, Zhang, Ren and Sun, *Deep residual learning for image recognition*, 2016.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::ResNet18;
    ///
    /// let last = ResNet18::LAYERS[ResNet18::LAYERS.len() - 3];
    /// assert_eq!((last.name, last.output.dims()), ("layer4_1.relu_2", [512, 7, 7].as_slice()));
    /// ```
    pub struct ResNet18: [3, 224, 224] -> [1000] {
        /// A residual block of two 3×3 convolutions.
        block basic(out) {
            residual {
                conv1: conv2d(out, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
                conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            }
            relu,
        }

        /// The same at half the height and width.
        block down(out) {
            residual {
                conv1: conv2d(out, kernel = 3, stride = 2, padding = 1, bias = false),
                bn1: batch_norm, relu,
                conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            } shortcut {
                #[name("downsample.0")]
                downsample: conv2d(out, kernel = 1, stride = 2, bias = false),
                #[name("downsample.1")]
                downsample_bn: batch_norm,
            }
            relu,
        }

        conv1: conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: batch_norm, relu,
        max_pool2d(3, stride = 2, padding = 1),
        #[name("layer1.0")] layer1_0: basic(64),
        #[name("layer1.1")] layer1_1: basic(64),
        #[name("layer2.0")] layer2_0: down(128),
        #[name("layer2.1")] layer2_1: basic(128),
        #[name("layer3.0")] layer3_0: down(256),
        #[name("layer3.1")] layer3_1: basic(256),
        #[name("layer4.0")] layer4_0: down(512),
        #[name("layer4.1")] layer4_1: basic(512),
        global_avg_pool,
        fc: linear(1000),
    }
}

network! {
    /// ResNet-50 for 224×224 colour images of 1000 classes: 25,557,032 parameters.
    ///
    /// Like [`ResNet18`], but its stages have 3, 4, 6 and 3 blocks of three convolutions each: 1×1 to
    /// fewer channels, 3×3, and 1×1 to four times as many. Where a stage halves height and width, the
    /// 3×3 convolution of its first block has the stride. torchvision's `resnet50`.
    ///
    /// Source: He, Zhang, Ren and Sun, *Deep residual learning for image recognition*, 2016; the
    /// place of the stride is that of Goyal et al., *Accurate, large minibatch SGD*, 2017.
    ///
    /// ```
    /// use typenet::prelude::*;
    /// use typenet::zoo::ResNet50;
    ///
    /// let parameters: usize = ResNet50::LAYERS.iter().map(|layer| layer.parameters).sum();
    /// assert_eq!(parameters, 25_557_032);
    /// ```
    pub struct ResNet50: [3, 224, 224] -> [1000] {
        /// A residual block of 1×1, 3×3 and 1×1 convolutions.
        block bottleneck(width) {
            residual {
                conv1: conv2d(width, kernel = 1, bias = false), bn1: batch_norm, relu,
                conv2: conv2d(width, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
                conv3: conv2d(4 * width, kernel = 1, bias = false), bn3: batch_norm,
            }
            relu,
        }

        /// The same with another number of channels, and with `stride = 2` at half the height and width.
        block first(width, stride = 2) {
            residual {
                conv1: conv2d(width, kernel = 1, bias = false), bn1: batch_norm, relu,
                conv2: conv2d(width, kernel = 3, stride = stride, padding = 1, bias = false),
                bn2: batch_norm, relu,
                conv3: conv2d(4 * width, kernel = 1, bias = false), bn3: batch_norm,
            } shortcut {
                #[name("downsample.0")]
                downsample: conv2d(4 * width, kernel = 1, stride = stride, bias = false),
                #[name("downsample.1")]
                downsample_bn: batch_norm,
            }
            relu,
        }

        conv1: conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: batch_norm, relu,
        max_pool2d(3, stride = 2, padding = 1),
        #[name("layer1.0")] layer1_0: first(64, stride = 1),
        #[name("layer1.1")] layer1_1: bottleneck(64),
        #[name("layer1.2")] layer1_2: bottleneck(64),
        #[name("layer2.0")] layer2_0: first(128),
        #[name("layer2.1")] layer2_1: bottleneck(128),
        #[name("layer2.2")] layer2_2: bottleneck(128),
        #[name("layer2.3")] layer2_3: bottleneck(128),
        #[name("layer3.0")] layer3_0: first(256),
        #[name("layer3.1")] layer3_1: bottleneck(256),
        #[name("layer3.2")] layer3_2: bottleneck(256),
        #[name("layer3.3")] layer3_3: bottleneck(256),
        #[name("layer3.4")] layer3_4: bottleneck(256),
        #[name("layer3.5")] layer3_5: bottleneck(256),
        #[name("layer4.0")] layer4_0: first(512),
        #[name("layer4.1")] layer4_1: bottleneck(512),
        #[name("layer4.2")] layer4_2: bottleneck(512),
        global_avg_pool,
        fc: linear(1000),
    }
}

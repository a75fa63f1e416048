//! The nets as data, for peers that build them at run time.

/// A net: the shape of an image, and its layers in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    pub input: Vec<usize>,
    pub layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    Conv2d(Conv2d),
    Linear {
        inputs: usize,
        outputs: usize,
    },
    /// Its channels.
    BatchNorm(usize),
    Relu,
    /// Windows of 2×2.
    MaxPool2d,
    /// From `[channels, height, width]` to `[channels]`.
    GlobalAvgPool,
    Flatten,
    /// What the body gives is added to what the shortcut gives; an empty one gives its input.
    Residual {
        body: Vec<Layer>,
        shortcut: Vec<Layer>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    pub channels: usize,
    pub out: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub groups: usize,
    pub bias: bool,
}

/// One of the five by its name, or a single layer: `conv2d,channels,height,width,out,kernel,stride,padding,groups`
/// or `linear,inputs,outputs`.
pub fn parse(name: &str) -> Result<Net, String> {
    let (input, layers): (&[usize], _) = match name {
        "mlp" => (&[1, 28, 28], mlp()),
        "lenet5" => (&[1, 28, 28], lenet5()),
        "vgg6" => (&[3, 32, 32], vgg6()),
        "resnet20" => (&[3, 32, 32], resnet20()),
        "separable" => (&[3, 32, 32], separable()),
        _ => return layer(name).ok_or_else(|| format!("no net `{name}`")),
    };
    Ok(Net { input: input.to_vec(), layers })
}

fn layer(text: &str) -> Option<Net> {
    let mut parts = text.split(',');
    let kind = parts.next()?;
    let numbers: Vec<usize> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (input, layer) = match (kind, numbers.as_slice()) {
        ("conv2d", &[channels, height, width, out, kernel, stride, padding, groups]) => {
            let conv = Conv2d { channels, out, kernel, stride, padding, groups, bias: true };
            (vec![channels, height, width], Layer::Conv2d(conv))
        }
        ("linear", &[inputs, outputs]) => (vec![inputs], Layer::Linear { inputs, outputs }),
        _ => return None,
    };
    Some(Net { input, layers: vec![layer] })
}

fn linear(inputs: usize, outputs: usize) -> Layer {
    Layer::Linear { inputs, outputs }
}

fn conv2d(channels: usize, out: usize, kernel: usize, padding: usize) -> Layer {
    Layer::Conv2d(Conv2d { channels, out, kernel, stride: 1, padding, groups: 1, bias: true })
}

/// A convolution without bias that keeps the size, and its batch norm.
fn normed(channels: usize, out: usize, kernel: usize, stride: usize, groups: usize) -> [Layer; 2] {
    let padding = kernel / 2;
    let conv = Conv2d { channels, out, kernel, stride, padding, groups, bias: false };
    [Layer::Conv2d(conv), Layer::BatchNorm(out)]
}

fn mlp() -> Vec<Layer> {
    use Layer::{Flatten, Relu};
    vec![Flatten, linear(784, 256), Relu, linear(256, 128), Relu, linear(128, 10)]
}

fn lenet5() -> Vec<Layer> {
    use Layer::{Flatten, MaxPool2d, Relu};
    let mut layers =
        vec![conv2d(1, 6, 5, 0), Relu, MaxPool2d, conv2d(6, 16, 5, 0), Relu, MaxPool2d];
    layers.extend([Flatten, linear(256, 120), Relu, linear(120, 84), Relu, linear(84, 10)]);
    layers
}

fn vgg6() -> Vec<Layer> {
    use Layer::{Flatten, MaxPool2d, Relu};
    let (mut layers, mut channels) = (Vec::new(), 3);
    for out in [32, 64, 128] {
        layers.extend([conv2d(channels, out, 3, 1), Relu, conv2d(out, out, 3, 1), Relu, MaxPool2d]);
        channels = out;
    }
    layers.extend([Flatten, linear(2048, 128), Relu, linear(128, 10)]);
    layers
}

fn resnet20() -> Vec<Layer> {
    let mut layers = normed(3, 16, 3, 1, 1).to_vec();
    layers.push(Layer::Relu);
    let mut channels = 16;
    for out in [16, 32, 64] {
        for _ in 0..3 {
            let stride = out / channels;
            let mut body = normed(channels, out, 3, stride, 1).to_vec();
            body.push(Layer::Relu);
            body.extend(normed(out, out, 3, 1, 1));
            let halved = channels != out;
            let shortcut =
                if halved { normed(channels, out, 1, stride, 1).to_vec() } else { Vec::new() };
            layers.extend([Layer::Residual { body, shortcut }, Layer::Relu]);
            channels = out;
        }
    }
    layers.extend([Layer::GlobalAvgPool, linear(64, 10)]);
    layers
}

fn separable() -> Vec<Layer> {
    let mut layers = normed(3, 32, 3, 1, 1).to_vec();
    layers.push(Layer::Relu);
    let mut channels = 32;
    for (out, stride) in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)] {
        layers.extend(normed(channels, channels, 3, stride, channels));
        layers.push(Layer::Relu);
        layers.extend(normed(channels, out, 1, 1, 1));
        layers.push(Layer::Relu);
        channels = out;
    }
    layers.extend([Layer::GlobalAvgPool, linear(256, 10)]);
    layers
}

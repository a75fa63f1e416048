//! A net of burn's layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor};
use compare_driver::nets;

#[derive(Module, Debug)]
pub struct Net {
    layers: Vec<Layer>,
}

#[derive(Module, Debug)]
enum Layer {
    Conv2d(Conv2d),
    Linear(Linear),
    BatchNorm(BatchNorm),
    Relu(Relu),
    MaxPool2d(MaxPool2d),
    GlobalAvgPool(AdaptiveAvgPool2d),
    Flatten(Flatten),
    Residual(Residual),
}

#[derive(Module, Debug)]
struct Flatten;

#[derive(Module, Debug)]
struct Residual {
    body: Vec<Layer>,
    shortcut: Vec<Layer>,
}

/// What stands between two layers: burn's tensors carry their rank in the type.
enum Value {
    Image(Tensor<4>),
    Features(Tensor<2>),
}

impl Value {
    fn of<const D: usize>(x: Tensor<D>) -> Value {
        let shape = x.dims();
        match *shape.as_slice() {
            [n, c, h, w] => Value::Image(x.reshape([n, c, h, w])),
            _ => Value::Features(x.flatten(1, D - 1)),
        }
    }

    fn image(self) -> Tensor<4> {
        match self {
            Value::Image(x) => x,
            Value::Features(_) => panic!("this layer needs an image"),
        }
    }

    fn features(self) -> Tensor<2> {
        match self {
            Value::Image(x) => x.flatten(1, 3),
            Value::Features(x) => x,
        }
    }
}

impl Net {
    pub fn new(layers: &[nets::Layer], device: &Device) -> Net {
        Net { layers: build(layers, device) }
    }

    /// The output, of the rank of the input where that is a single layer's.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<1> {
        match run(&self.layers, Value::of(x)) {
            Value::Image(y) => y.flatten(0, 3),
            Value::Features(y) => y.flatten(0, 1),
        }
    }

    pub fn logits<const D: usize>(&self, x: Tensor<D>) -> Tensor<2> {
        run(&self.layers, Value::of(x)).features()
    }
}

fn build(layers: &[nets::Layer], device: &Device) -> Vec<Layer> {
    let one = |layer: &nets::Layer| match layer {
        nets::Layer::Conv2d(conv) => {
            let config = Conv2dConfig::new([conv.channels, conv.out], [conv.kernel; 2])
                .with_stride([conv.stride; 2])
                .with_groups(conv.groups)
                .with_padding(PaddingConfig2d::Explicit(
                    conv.padding,
                    conv.padding,
                    conv.padding,
                    conv.padding,
                ))
                .with_bias(conv.bias);
            Layer::Conv2d(config.init(device))
        }
        &nets::Layer::Linear { inputs, outputs } => {
            Layer::Linear(LinearConfig::new(inputs, outputs).init(device))
        }
        &nets::Layer::BatchNorm(channels) => {
            Layer::BatchNorm(BatchNormConfig::new(channels).init(device))
        }
        nets::Layer::Relu => Layer::Relu(Relu::new()),
        nets::Layer::MaxPool2d => {
            Layer::MaxPool2d(MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init())
        }
        nets::Layer::GlobalAvgPool => {
            Layer::GlobalAvgPool(AdaptiveAvgPool2dConfig::new([1, 1]).init())
        }
        nets::Layer::Flatten => Layer::Flatten(Flatten),
        nets::Layer::Residual { body, shortcut } => Layer::Residual(Residual {
            body: build(body, device),
            shortcut: build(shortcut, device),
        }),
    };
    layers.iter().map(one).collect()
}

fn run(layers: &[Layer], x: Value) -> Value {
    layers.iter().fold(x, |x, layer| match layer {
        Layer::Conv2d(conv) => Value::Image(conv.forward(x.image())),
        Layer::Linear(linear) => Value::Features(linear.forward(x.features())),
        Layer::BatchNorm(norm) => Value::Image(norm.forward(x.image())),
        Layer::Relu(relu) => match x {
            Value::Image(x) => Value::Image(relu.forward(x)),
            Value::Features(x) => Value::Features(relu.forward(x)),
        },
        Layer::MaxPool2d(pool) => Value::Image(pool.forward(x.image())),
        Layer::GlobalAvgPool(pool) => Value::Features(pool.forward(x.image()).flatten(1, 3)),
        Layer::Flatten(_) => Value::Features(x.features()),
        Layer::Residual(Residual { body, shortcut }) => {
            let x = x.image();
            let other = run(shortcut, Value::Image(x.clone())).image();
            Value::Image(run(body, Value::Image(x)).image() + other)
        }
    })
}

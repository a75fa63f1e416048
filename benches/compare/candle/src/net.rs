//! A net of candle's layers.

use candle_core::{D, Device, Module, ModuleT, Result, Tensor, Var};
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, Linear};
use compare_driver::{nets, normal};

pub struct Net {
    layers: Vec<Layer>,
    /// What is trained.
    pub variables: Vec<Var>,
    training: bool,
}

enum Layer {
    Conv2d(Conv2d),
    Linear(Linear),
    BatchNorm(BatchNorm),
    Relu,
    MaxPool2d,
    GlobalAvgPool,
    Flatten,
    Residual { body: Vec<Layer>, shortcut: Vec<Layer> },
}

impl Net {
    /// For inference the weights are no variables, so that nothing is kept for a backward pass, and
    /// batch norms are absorbed.
    pub fn new(layers: &[nets::Layer], training: bool) -> Result<Net> {
        let mut net = Net { layers: Vec::new(), variables: Vec::new(), training };
        net.layers = net.build(layers)?;
        Ok(net)
    }

    fn build(&mut self, layers: &[nets::Layer]) -> Result<Vec<Layer>> {
        let mut built = Vec::new();
        for layer in layers {
            let next = match layer {
                nets::Layer::Conv2d(conv) => Layer::Conv2d(self.conv2d(conv)?),
                &nets::Layer::Linear { inputs, outputs } => {
                    let weight = self.weight(&[outputs, inputs], inputs)?;
                    Layer::Linear(Linear::new(weight, Some(self.constant(outputs, 0.0)?)))
                }
                &nets::Layer::BatchNorm(channels) => {
                    let [zeros, ones] = [0.0, 1.0].map(|value| filled(channels, value));
                    let (weight, bias) =
                        (self.constant(channels, 1.0)?, self.constant(channels, 0.0)?);
                    let norm = BatchNorm::new(channels, zeros?, ones?, weight, bias, 1e-5)?;
                    match built.last_mut() {
                        Some(Layer::Conv2d(conv)) if !self.training => {
                            *conv = conv.absorb_bn(&norm)?;
                            continue;
                        }
                        _ => Layer::BatchNorm(norm),
                    }
                }
                nets::Layer::Relu => Layer::Relu,
                nets::Layer::MaxPool2d => Layer::MaxPool2d,
                nets::Layer::GlobalAvgPool => Layer::GlobalAvgPool,
                nets::Layer::Flatten => Layer::Flatten,
                nets::Layer::Residual { body, shortcut } => {
                    Layer::Residual { body: self.build(body)?, shortcut: self.build(shortcut)? }
                }
            };
            built.push(next);
        }
        Ok(built)
    }

    fn conv2d(&mut self, conv: &nets::Conv2d) -> Result<Conv2d> {
        let &nets::Conv2d { channels, out, kernel, stride, padding, groups, bias } = conv;
        let of_one = channels / groups;
        let weight = self.weight(&[out, of_one, kernel, kernel], of_one * kernel * kernel)?;
        let bias = if bias { Some(self.constant(out, 0.0)?) } else { None };
        let config = Conv2dConfig { padding, stride, groups, ..Conv2dConfig::default() };
        Ok(Conv2d::new(weight, bias, config))
    }

    fn weight(&mut self, shape: &[usize], fan_in: usize) -> Result<Tensor> {
        let numbers = normal(shape.iter().product());
        let weight = Tensor::from_vec(numbers, shape, &Device::Cpu)?;
        self.parameter((weight * (2.0 / fan_in as f64).sqrt())?)
    }

    fn constant(&mut self, len: usize, value: f32) -> Result<Tensor> {
        self.parameter(filled(len, value)?)
    }

    fn parameter(&mut self, value: Tensor) -> Result<Tensor> {
        if !self.training {
            return Ok(value);
        }
        let variable = Var::from_tensor(&value)?;
        let tensor = variable.as_tensor().clone();
        self.variables.push(variable);
        Ok(tensor)
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        run(&self.layers, x, self.training)
    }
}

fn filled(len: usize, value: f32) -> Result<Tensor> {
    Tensor::from_vec(vec![value; len], len, &Device::Cpu)
}

fn run(layers: &[Layer], x: &Tensor, training: bool) -> Result<Tensor> {
    let mut x = x.clone();
    for layer in layers {
        x = match layer {
            Layer::Conv2d(conv) => conv.forward(&x)?,
            Layer::Linear(linear) => linear.forward(&x)?,
            Layer::BatchNorm(norm) => norm.forward_t(&x, training)?,
            Layer::Relu => x.relu()?,
            Layer::MaxPool2d => x.max_pool2d(2)?,
            Layer::GlobalAvgPool => x.mean((D::Minus2, D::Minus1))?,
            Layer::Flatten => x.flatten_from(1)?,
            Layer::Residual { body, shortcut } => {
                (run(body, &x, training)? + run(shortcut, &x, training)?)?
            }
        };
    }
    Ok(x)
}

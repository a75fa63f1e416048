//! Shapes of which some numbers are known to the compiler alone. They say how a value's shape is
//! written: in the documentation, in types and in messages. The numbers themselves the compiler takes
//! from `typenet-shape`.

use typenet_shape::{Op, Shape, TensorKind};

use super::Checker;
use super::settings::Setting;
use crate::layers::{Kind, Layer};
use crate::number::Number;

/// A layer with the values of its arguments.
pub(super) struct Written<'a> {
    pub(super) layer: &'static Layer,
    pub(super) settings: &'a [Setting],
    /// The operation, with 1 for each number that is not known here.
    pub(super) op: Op,
}

impl Written<'_> {
    /// The numbers of the argument with this name.
    fn numbers(&self, name: &str) -> Option<Vec<Number>> {
        Some(self.settings.get(self.layer.position(name)?)?.numbers())
    }

    fn count(&self, name: &str) -> Option<Number> {
        self.numbers(name)?.into_iter().next()
    }

    /// Height or width.
    fn along(&self, name: &str, axis: usize) -> Option<Number> {
        self.numbers(name)?.into_iter().nth(axis)
    }

    /// Whether all heights and widths among its arguments are known here.
    pub(super) fn sizes_are_known(&self) -> bool {
        let is_size = |kind| matches!(kind, Kind::Pair | Kind::Padding);
        let mut all = self.layer.arguments.iter().zip(self.settings);
        all.all(|(argument, setting)| !is_size(argument.kind) || !setting.is_symbolic())
    }

    /// `⌊(n + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`; `same` padding keeps `n`.
    fn windows(&self, n: &Number, axis: usize) -> Option<Number> {
        let (one, two) = (Number::from(1), Number::from(2));
        let Some(padding) = self.along("padding", axis) else { return Some(n.clone()) };
        let dilation = match self.layer.position("dilation") {
            Some(_) => self.along("dilation", axis)?,
            None => one.clone(),
        };
        let stride = self.along("stride", axis)?;
        let reach = dilation.multiply(&self.along("kernel", axis)?.less(&one)?)?;
        let padded = n.add(&two.multiply(&padding)?)?;
        // One stride more before the division instead of one window more behind it.
        padded.less(&reach)?.less(&one)?.add(&stride)?.divide(&stride)
    }

    /// Of a pooling layer in ceil mode: `⌈(n + padding − max(kernel − stride − padding, 0)) / stride⌉`,
    /// which is `⌈(n + 2·padding − kernel) / stride⌉ + 1` without a last window behind `n + padding`.
    fn windows_rounded_up(&self, n: &Number, axis: usize) -> Option<Number> {
        let of = |name| self.along(name, axis);
        let (kernel, stride, padding) = (of("kernel")?, of("stride")?, of("padding")?);
        let own = stride.add(&padding)?;
        let cut = match own.less(&kernel)?.known() {
            _ if kernel == stride => Number::from(0),
            Some(_) => Number::from(0),
            // Where it is not known which of them is larger, no formula here says it.
            None => Number::from(kernel.less(&own)?.known()?),
        };
        let read = n.add(&padding)?.less(&cut)?;
        read.add(&stride)?.less(&Number::from(1))?.divide(&stride)
    }

    /// `(n − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1`
    fn spread(&self, n: &Number, axis: usize) -> Option<Number> {
        let (one, two) = (Number::from(1), Number::from(2));
        let of = |name| self.along(name, axis);
        let reach = of("dilation")?.multiply(&of("kernel")?.less(&one)?)?;
        let whole = n.less(&one)?.multiply(&of("stride")?)?.add(&reach)?;
        let whole = whole.add(&of("output_padding")?)?.add(&one)?;
        whole.less(&two.multiply(&of("padding")?)?)
    }

    /// The shape of its value, if this layer's rule is one of those here.
    fn output(&self, input: &[Number]) -> Option<Vec<Number>> {
        let channels = input.first()?.clone();
        let image = |channels: Number, along: &dyn Fn(&Number, usize) -> Option<Number>| {
            Some(vec![channels, along(input.get(1)?, 0)?, along(input.get(2)?, 1)?])
        };
        match self.op {
            Op::Conv2d { .. } => {
                image(self.count("out_channels")?, &|n, axis| self.windows(n, axis))
            }
            Op::DepthwiseConv2d { .. } => {
                let channels = channels.multiply(&self.count("multiplier")?)?;
                image(channels, &|n, axis| self.windows(n, axis))
            }
            Op::MaxPool2d { ceil_mode: true, .. } | Op::AvgPool2d { ceil_mode: true, .. } => {
                image(channels, &|n, axis| self.windows_rounded_up(n, axis))
            }
            Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => {
                image(channels, &|n, axis| self.windows(n, axis))
            }
            Op::ConvTranspose2d { .. } => {
                image(self.count("out_channels")?, &|n, axis| self.spread(n, axis))
            }
            Op::Upsample { .. } => {
                image(channels, &|n, axis| n.multiply(&self.along("scale_factor", axis)?))
            }
            Op::Linear { .. } => Some(vec![self.count("out_features")?]),
            Op::GlobalAvgPool => Some(vec![channels]),
            Op::Flatten => {
                let product = input.iter().try_fold(Number::from(1), |all, dim| all.multiply(dim));
                Some(vec![product?])
            }
            Op::Reshape { .. } => self.numbers("shape"),
            op if keeps_shape(op) => Some(input.to_vec()),
            _ => None,
        }
    }

    /// The shape of one of its tensors, if this layer's rule is one of those here.
    fn tensor(&self, kind: TensorKind, input: &[Number]) -> Option<Vec<Number>> {
        let channels = input.first()?.clone();
        let pair = |name| self.numbers(name);
        let shape = match (self.op, kind) {
            (Op::Conv2d { .. }, TensorKind::Weight) => {
                let own = channels.divide(&self.count("groups")?)?;
                [vec![self.count("out_channels")?, own], pair("kernel")?].concat()
            }
            (Op::ConvTranspose2d { .. }, TensorKind::Weight) => {
                let own = self.count("out_channels")?.divide(&self.count("groups")?)?;
                [vec![channels, own], pair("kernel")?].concat()
            }
            (Op::Conv2d { .. } | Op::ConvTranspose2d { .. }, _) => {
                vec![self.count("out_channels")?]
            }
            (Op::DepthwiseConv2d { .. }, kind) => {
                let all = channels.multiply(&self.count("multiplier")?)?;
                match kind {
                    TensorKind::Weight => [vec![all, Number::from(1)], pair("kernel")?].concat(),
                    _ => vec![all],
                }
            }
            (Op::Linear { .. }, TensorKind::Weight) => vec![self.count("out_features")?, channels],
            (Op::Linear { .. }, _) => vec![self.count("out_features")?],
            (Op::LayerNorm { .. }, _) => input.to_vec(),
            (Op::BatchNorm { .. } | Op::GroupNorm { .. }, _) => vec![channels],
            _ => return None,
        };
        Some(shape)
    }
}

/// Whether the layer's value has the shape of what it reads, whatever that is.
pub(super) fn keeps_shape(op: Op) -> bool {
    let samples = [Shape::new(&[12, 7, 11]), Shape::new(&[24, 13, 5]), Shape::new(&[36])];
    samples.into_iter().all(|sample| op.output(sample).is_ok_and(|shape| shape == sample))
}

/// The sum or the joint channels of values.
pub(super) fn joined(op: Op, inputs: &[Vec<Number>]) -> Option<Vec<Number>> {
    let (first, others) = inputs.split_first()?;
    let mut dims = first.clone();
    if op == Op::Concat {
        for other in others {
            dims[0] = dims.first()?.add(other.first()?)?;
        }
    }
    Some(dims)
}

impl Checker<'_> {
    /// The shape of a layer's value; `?` where no rule here says it.
    pub(super) fn output_dims(&mut self, written: &Written<'_>, input: &[Number]) -> Vec<Number> {
        if let Some(dims) = written.output(input) {
            return dims;
        }
        let ones = Shape::new(&vec![1; input.len()]);
        let rank = written.op.output(ones).map_or(input.len(), |shape| shape.rank());
        (0..rank).map(|_| self.unknown_number()).collect()
    }

    /// The shapes of a layer's tensors; `?` where no rule here says it.
    pub(super) fn tensor_dims(
        &mut self,
        written: &Written<'_>,
        input: &[Number],
    ) -> Vec<(TensorKind, Vec<Number>)> {
        let op = written.op;
        let ones = Shape::new(&vec![1; input.len()]);
        let dims = |&kind: &TensorKind| {
            let dims = written.tensor(kind, input).or_else(|| {
                let rank = op.tensor(kind, ones)?.rank();
                Some((0..rank).map(|_| self.unknown_number()).collect())
            });
            Some((kind, dims?))
        };
        op.tensors().iter().filter_map(dims).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::check::settings::build;
    use crate::layers::{Given, LAYERS};

    /// Whatever the arguments are, the numbers of a known shape are those of its rule.
    #[test]
    fn known_shapes_are_those_of_the_rules() {
        let inputs = [Shape::new(&[4, 9, 12]), Shape::new(&[2, 5, 5]), Shape::new(&[6])];
        let windows =
            [[1, 1, 0], [2, 2, 1], [3, 2, 1], [3, 1, 0], [5, 2, 0], [2, 4, 1], [12, 3, 0]];
        let flags = [true, false];
        for (layer, flag) in LAYERS.iter().flat_map(|layer| flags.map(|flag| (layer, flag))) {
            for [kernel, stride, padding] in windows {
                let settings: Vec<Setting> = layer
                    .arguments
                    .iter()
                    .map(|argument| {
                        let given = match (argument.name, argument.kind.any()) {
                            ("kernel", _) => Given::Pair([kernel, kernel]),
                            ("stride", _) => Given::Pair([stride, stride]),
                            ("padding", _) => Given::Pair([padding, padding]),
                            ("output_padding", _) => Given::Pair([0, stride - 1]),
                            ("dilation", _) => Given::Pair([1, 2]),
                            ("out_channels" | "multiplier" | "groups", _) => Given::Count(2),
                            ("scale_factor", _) => Given::Pair([2, 3]),
                            ("align_corners", _) => Given::Flag(false),
                            ("ceil_mode", _) => Given::Flag(flag),
                            ("p" | "eps" | "momentum", _) => Given::Number(0.5),
                            ("shape", _) => Given::Shape(Shape::new(&[6])),
                            (_, given) => given,
                        };
                        Setting::from(given)
                    })
                    .collect();
                let op = build(layer, &settings);
                let written = Written { layer, settings: &settings, op };
                for input in inputs {
                    let Ok(output) = op.output(input) else { continue };
                    let numbers =
                        |shape: Shape| shape.dims().iter().map(|&n| Number::from(n)).collect();
                    let input_numbers: Vec<Number> = numbers(input);
                    assert_eq!(written.output(&input_numbers), Some(numbers(output)), "{op:?}");
                    for &kind in op.tensors() {
                        let tensor = op.tensor(kind, input).map(numbers);
                        assert_eq!(written.tensor(kind, &input_numbers), tensor, "{op:?}");
                    }
                }
            }
        }
    }
}

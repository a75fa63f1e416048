//! The layers of a net, and the work of each of their passes on 16 images.

use typenet::kernels::batch_norm::{self, BatchNorm, Spread};
use typenet::kernels::team::Team;
use typenet::kernels::{
    Epilogue, Isa, LANES, Lanes, Statistics, activation, conv2d, elementwise, linear, pointwise,
    pool2d, winograd,
};
use typenet::shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, Fused, Op, Pool2d, Shape};
use typenet::{Network, shape};

/// A layer with what is fused into it; equal ones of a net are one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    /// Of the first of them.
    pub(crate) name: &'static str,
    pub(crate) count: usize,
    pub(crate) kind: Kind,
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) activation: Activation,
    /// Whether another value is added.
    pub(crate) adds: bool,
    /// Whether anything before it is trained, so that the gradient of its input is needed.
    pub(crate) needs_data_gradient: bool,
    /// Whether the max pooling layer behind it undoes its activation.
    pub(crate) is_undone: bool,
    /// Of a convolution, whether it gathers the statistics of the norm behind it; of a norm, whether
    /// a convolution has.
    pub(crate) gathers: bool,
    pub(crate) multiply_adds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Conv2d(Conv2d),
    Linear,
    BatchNorm,
    MaxPool2d(Pool2d),
    AvgPool2d(Pool2d),
    GlobalAvgPool,
    /// An activation, a sum: alone, not fused into another layer.
    Activation,
    Add,
}

/// A pass of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pass {
    Forward,
    DataGradient,
    WeightGradient,
    /// Of a norm: both gradients.
    Backward,
    /// What the layer's activation does to the gradient.
    ActivationGradient,
    /// The gradient handed on to the value that was added.
    SumGradient,
}

impl Pass {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Pass::Forward => "forward",
            Pass::DataGradient => "data gradient",
            Pass::WeightGradient => "weight gradient",
            Pass::Backward => "backward",
            Pass::ActivationGradient => "gradient of the activation",
            Pass::SumGradient => "gradient of the sum",
        }
    }
}

/// The layers of a training step of a net, equal ones together.
pub(crate) fn layers<N: Network>() -> Vec<Layer> {
    let graph = N::GRAPH;
    let mut training = vec![Fused::NONE; graph.nodes.len()];
    let mut inference = training.clone();
    graph.fuse(&mut training, &mut inference);
    let mut trained = vec![false; graph.nodes.len()];
    let mut layers: Vec<Layer> = Vec::new();
    for (node, &shape::Node { name, op, inputs }) in graph.nodes.iter().enumerate() {
        let before = inputs.iter().any(|&input| trained[input]);
        trained[node] = before || op.has_parameters();
        if !graph.is_step(&training, node) {
            continue;
        }
        let input = N::SHAPES[inputs[0]];
        let kind = match op {
            Op::Linear { .. } => Kind::Linear,
            Op::BatchNorm { .. } => Kind::BatchNorm,
            Op::MaxPool2d { .. } => op.pool2d(input).map_or(Kind::Add, Kind::MaxPool2d),
            Op::AvgPool2d { .. } => op.pool2d(input).map_or(Kind::Add, Kind::AvgPool2d),
            Op::GlobalAvgPool => Kind::GlobalAvgPool,
            Op::Add => Kind::Add,
            _ => match (op.conv2d(input), op.activation()) {
                (Some(conv), _) => Kind::Conv2d(conv),
                (None, Some(_)) => Kind::Activation,
                // The five nets have no others.
                (None, None) => continue,
            },
        };
        let last = graph.nodes[training[node].last].op.activation();
        let step = N::LAYOUT.steps.iter().find(|step| step.node == node);
        let layer = Layer {
            name,
            count: 1,
            kind,
            input,
            output: N::SHAPES[node],
            activation: last.unwrap_or(Activation::Identity),
            adds: training[node].added.is_some(),
            needs_data_gradient: before,
            is_undone: step.is_some_and(|step| step.is_undone),
            gathers: step.is_some_and(|step| step.gathers_for.is_some() || step.is_gathered),
            multiply_adds: N::LAYERS[node].multiply_adds,
        };
        let same = |other: &&mut Layer| {
            **other == Layer { name: other.name, count: other.count, ..layer.clone() }
        };
        match layers.iter_mut().find(same) {
            Some(other) => other.count += 1,
            None => layers.push(layer),
        }
    }
    layers
}

impl Layer {
    /// Its geometry in short.
    pub(crate) fn geometry(&self) -> String {
        let what = match self.kind {
            Kind::Conv2d(Conv2d { kernel: [h, w], stride, groups, .. }) => {
                let depthwise = if groups > 1 { "depthwise " } else { "" };
                let stride = if stride == [1, 1] { "" } else { ", stride 2" };
                format!("{depthwise}{h}×{w}{stride}: ")
            }
            _ => String::new(),
        };
        format!("{what}{} to {}", self.input, self.output)
    }

    /// The kernel that runs a pass, where it is a convolution and not the direct one.
    pub(crate) fn transforms(&self, pass: Pass) -> Option<(Conv2dKernel, Conv2dPass)> {
        let pass = match pass {
            Pass::Forward => Conv2dPass::Forward,
            Pass::DataGradient => Conv2dPass::BackwardData,
            Pass::WeightGradient => Conv2dPass::BackwardWeight,
            _ => return None,
        };
        let Kind::Conv2d(g) = self.kind else { return None };
        let kernel = Conv2dKernel::choose(&g, pass);
        let runs = kernel != Conv2dKernel::Direct && winograd::allows(kernel);
        runs.then_some((kernel, pass))
    }

    /// The passes of a training step.
    pub(crate) fn passes(&self) -> Vec<Pass> {
        let mut passes = vec![Pass::Forward];
        let has_activation = self.activation != Activation::Identity;
        let is_product = matches!(self.kind, Kind::Conv2d(_) | Kind::Linear);
        if has_activation && is_product && !self.is_undone {
            passes.push(Pass::ActivationGradient);
        }
        if self.adds {
            passes.push(Pass::SumGradient);
        }
        match self.kind {
            Kind::Conv2d(_) | Kind::Linear => {
                passes.push(Pass::WeightGradient);
                if self.needs_data_gradient {
                    passes.push(Pass::DataGradient);
                }
            }
            _ => passes.push(Pass::Backward),
        }
        passes
    }

    /// Floating-point operations of a pass for one image, as in every publication: two for each
    /// multiply-add of the direct algorithm. None where no products are summed up.
    pub(crate) fn operations(&self, pass: Pass) -> Option<f64> {
        let counts = matches!(pass, Pass::Forward | Pass::DataGradient | Pass::WeightGradient);
        (counts && self.multiply_adds > 0).then_some(2.0 * self.multiply_adds as f64)
    }

    /// Bytes of values and gradients that a pass reads and writes for one image.
    pub(crate) fn bytes(&self, pass: Pass) -> f64 {
        let (x, y) = (self.input.elements(), self.output.elements());
        let other = if self.adds { y } else { 0 };
        let numbers = match (pass, self.kind) {
            // The statistics are gathered before they are applied.
            (Pass::Forward, Kind::BatchNorm) => (if self.gathers { 2 } else { 3 }) * x + other,
            (Pass::Forward, Kind::Add | Kind::Activation) => 3 * x,
            (Pass::Forward, _) => x + y + other,
            (Pass::DataGradient | Pass::WeightGradient, _) => x + y,
            // Behind a sum the activation's gradient is written between.
            (Pass::Backward, Kind::BatchNorm) => (if self.adds { 7 } else { 5 }) * x,
            (Pass::Backward, Kind::MaxPool2d(_)) => 2 * (x + y),
            (Pass::Backward, Kind::Add | Kind::Activation) => 3 * x,
            (Pass::Backward, _) => x + y,
            (Pass::ActivationGradient, _) => 3 * y,
            (Pass::SumGradient, _) => 2 * y,
        };
        (numbers * size_of::<f32>()) as f64
    }
}

/// The values of 16 images at a layer, and its parameters.
#[derive(Debug)]
pub(crate) struct Group {
    isa: Isa,
    x: Vec<Lanes>,
    y: Vec<Lanes>,
    other: Vec<Lanes>,
    dy: Vec<Lanes>,
    dx: Vec<Lanes>,
    weight: Vec<f32>,
    weight_gradient: Vec<f32>,
    bias: Vec<f32>,
    bias_gradient: Vec<f32>,
    /// Means, spreads, and two numbers a channel that a norm gathers.
    ones: Vec<f32>,
    gathered: Vec<f32>,
    means: Vec<f32>,
    /// Weights transformed for the output and for the input's gradient.
    transformed: [Vec<f32>; 2],
    /// The transformed weight's gradient.
    sums: Vec<Lanes>,
    scratch: Vec<Lanes>,
}

impl Group {
    pub(crate) fn new(layer: &Layer, isa: Isa) -> Group {
        let lanes = |len: usize, scale: f32| -> Vec<Lanes> {
            let number = |i: usize| (i as f32 * scale).sin();
            (0..len).map(|i| Lanes(std::array::from_fn(|l| number(i * LANES + l)))).collect()
        };
        let (x, y) = (layer.input.elements(), layer.output.elements());
        let (weights, channels) = match layer.kind {
            Kind::Conv2d(g) => (g.weight().elements(), g.out_channels),
            Kind::Linear => (x * y, y),
            _ => (0, layer.output.dim(0)),
        };
        let weight: Vec<f32> = (0..weights).map(|i| (i as f32 * 0.7).sin() * 0.1).collect();
        let mut transformed = [Vec::new(), Vec::new()];
        let (mut sums, mut scratch) = (Vec::new(), 0);
        for pass in layer.passes() {
            let (Some((kernel, pass)), Kind::Conv2d(g)) = (layer.transforms(pass), layer.kind)
            else {
                continue;
            };
            scratch = scratch.max(kernel.scratch_len(&g, pass));
            match pass {
                _ if kernel == Conv2dKernel::Gemm => {}
                Conv2dPass::BackwardWeight => sums = lanes(kernel.weight_sums_len(&g), 0.0),
                _ => {
                    let to = &mut transformed[pass as usize];
                    to.resize(kernel.transformed_len(&g), 0.0);
                    winograd::transform_weight(isa, kernel, &g, pass, &weight, to);
                }
            }
        }
        Group {
            isa,
            transformed,
            sums,
            scratch: lanes(scratch, 0.0),
            x: lanes(x, 0.3),
            y: lanes(y, 0.7),
            other: lanes(if layer.adds { y } else { 0 }, 0.4),
            dy: lanes(y, 0.9),
            dx: lanes(x, 1.1),
            weight_gradient: weight.clone(),
            weight,
            bias: vec![0.1; channels],
            bias_gradient: vec![0.0; channels],
            ones: vec![1.0; channels],
            gathered: vec![0.0; 2 * channels],
            means: vec![0.0; 2 * channels],
        }
    }

    /// Runs one pass of the layer.
    pub(crate) fn run(&mut self, layer: &Layer, pass: Pass) {
        let Group { isa, x, y, other, dy, dx, weight, weight_gradient, .. } = self;
        let (isa, f) = (*isa, layer.activation);
        let Group { bias, bias_gradient, ones, gathered, means, .. } = self;
        let Group { transformed, sums, scratch, .. } = self;
        let other = layer.adds.then_some(other.as_slice());
        let gathers = layer.gathers && matches!(layer.kind, Kind::Conv2d(_));
        let numbers = gathers.then_some(&mut gathered[..]);
        let statistics = numbers.map(|numbers| Statistics { images: LANES, numbers });
        let epilogue = |g: &Conv2d| {
            let bias = g.bias.then_some(&bias[..]);
            Epilogue { bias, add: other, activation: f, statistics, accumulate: false }
        };
        let norm = BatchNorm {
            mean: bias,
            spread: Spread::Rstd(ones),
            weight: Some(ones),
            bias: Some(bias),
            f,
        };
        if let (Some((kernel, pass)), Kind::Conv2d(g)) = (layer.transforms(pass), layer.kind) {
            let is_gemm = kernel == Conv2dKernel::Gemm;
            let db = g.bias.then_some(&mut bias_gradient[..]);
            match pass {
                Conv2dPass::Forward if is_gemm => {
                    let epilogue = epilogue(&g);
                    pointwise::forward(isa, &g, x, weight, epilogue, y, scratch);
                }
                Conv2dPass::Forward => {
                    let (w, epilogue) = (&transformed[0], epilogue(&g));
                    winograd::forward(isa, kernel, &g, x, w, epilogue, y, scratch);
                }
                Conv2dPass::BackwardData if is_gemm => {
                    pointwise::backward_data(isa, &g, dy, weight, false, dx, scratch);
                }
                Conv2dPass::BackwardData => {
                    let w = &transformed[1];
                    winograd::backward_data(isa, kernel, &g, dy, w, false, dx, scratch);
                }
                Conv2dPass::BackwardWeight if is_gemm => {
                    pointwise::backward_weight(isa, &g, x, dy, weight_gradient, db, scratch);
                }
                Conv2dPass::BackwardWeight => {
                    winograd::backward_weight(isa, kernel, &g, x, dy, true, sums, db, scratch);
                }
            }
            return;
        }
        match (pass, layer.kind) {
            (Pass::ActivationGradient, _) => activation::backward_in_place(isa, f, y, dy),
            (Pass::SumGradient, _) => y.copy_from_slice(dy),
            (Pass::Forward, Kind::Conv2d(g)) => {
                conv2d::forward(isa, &g, x, weight, epilogue(&g), y);
            }
            (Pass::WeightGradient, Kind::Conv2d(g)) => {
                let db = g.bias.then_some(bias_gradient.as_mut_slice());
                conv2d::backward_weight(isa, &g, x, dy, weight_gradient, db);
            }
            (_, Kind::Conv2d(g)) => conv2d::backward_data(isa, &g, dy, weight, dx),
            (Pass::Forward, Kind::Linear) => {
                linear::forward_and_add(isa, x, weight, Some(bias), other, f, y);
            }
            // The rest is computed of all groups together.
            (Pass::WeightGradient, Kind::Linear) => linear::backward_bias(isa, dy, bias_gradient),
            (_, Kind::Linear) => linear::backward_data(isa, dy, weight, dx),
            (Pass::Forward, Kind::BatchNorm) => {
                if !layer.gathers {
                    batch_norm::gather(isa, LANES, x, gathered);
                }
                batch_norm::apply(isa, &norm, x, other, y);
            }
            (_, Kind::BatchNorm) => {
                if layer.adds {
                    let y = if f == Activation::Identity { &[] } else { y.as_slice() };
                    batch_norm::gather_backward_masked(isa, LANES, &norm, x, y, dy, gathered);
                    let norm = BatchNorm { f: Activation::Identity, ..norm };
                    batch_norm::apply_backward(isa, LANES, &norm, x, dy, means, dx);
                } else {
                    batch_norm::gather_backward(isa, LANES, &norm, x, dy, gathered);
                    batch_norm::apply_backward(isa, LANES, &norm, x, dy, means, dx);
                }
            }
            (Pass::Forward, Kind::MaxPool2d(g)) => pool2d::max_forward(isa, &g, x, y),
            (_, Kind::MaxPool2d(g)) => pool2d::max_backward(isa, &g, x, y, dy, dx),
            (Pass::Forward, Kind::AvgPool2d(g)) => pool2d::avg_forward(isa, &g, x, y),
            (_, Kind::AvgPool2d(g)) => pool2d::avg_backward(isa, &g, dy, dx),
            (Pass::Forward, Kind::GlobalAvgPool) => pool2d::global_avg_forward(isa, x, y),
            (_, Kind::GlobalAvgPool) => pool2d::global_avg_backward(isa, dy, dx),
            (Pass::Forward, Kind::Activation) => activation::forward(isa, f, x, y),
            (_, Kind::Activation) => activation::backward_in_place(isa, f, y, dy),
            (_, Kind::Add) => elementwise::add(isa, x, y),
        }
    }
}

/// A linear layer's inputs and output gradients for all groups of a batch, whose weight gradient is
/// computed of all of them together.
#[derive(Debug)]
pub(crate) struct WeightGradient {
    groups: [Vec<Lanes>; 2],
    sizes: [usize; 2],
    dw: Vec<f32>,
}

impl WeightGradient {
    pub(crate) fn new(layer: &Layer, groups: usize) -> WeightGradient {
        let sizes = [layer.input.elements(), layer.output.elements()];
        let [inputs, outputs] = sizes;
        let step = inputs.max(outputs);
        let numbers = |scale: f32| vec![Lanes([scale; LANES]); groups * step];
        let dw = vec![0.0; inputs * outputs];
        WeightGradient { groups: [numbers(0.3), numbers(0.7)], sizes, dw }
    }

    pub(crate) fn run(&mut self, isa: Isa) {
        let [x, dy] = &self.groups;
        let [inputs, outputs] = self.sizes;
        let step = inputs.max(outputs);
        let groups = linear::Groups { x, dy, step, count: x.len() / step, inputs, outputs };
        Team::gather(usize::MAX, |team| {
            linear::backward_weight_of_groups(isa, team, &groups, false, &mut self.dw);
        });
    }
}

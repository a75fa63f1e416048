//! The table of a net's layers.

use std::fmt;
use std::ops::RangeInclusive;

use typenet_engine::{BlockedPlan, NetSpec, blocked_images, pass, step_bytes};
use typenet_kernels::LANES;
use typenet_shape::{
    Approximate, Conv2dKernel, Conv2dPass, Interpolation, LayoutCosts, Op, Padding, Shape, Text,
};

/// The table of a net's layers, which `println!` prints.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The net's name.
    pub name: &'static str,
    /// The layers in order, the input first.
    pub rows: Vec<SummaryRow>,
    /// How many parameters the net has, without running statistics.
    pub parameters: usize,
    /// Multiply-adds of a forward pass for one image, in the layers with weights. Training takes about three
    /// times as many.
    pub multiply_adds: u64,
    /// How many of the parameters the declaration marks `#[frozen]`.
    pub frozen: usize,
    /// Bytes of all parameters and running statistics.
    pub parameter_bytes: usize,
    /// Bytes of activations and their gradients per image in training. Buffers are reused, so it is less
    /// than the sum over the layers.
    pub training_bytes: usize,
    /// Bytes of activations per image in inference; buffers are reused.
    pub inference_bytes: usize,
    /// Bytes that a training step of 64 images takes in all; see
    /// [`Network::training_memory`](crate::Network::training_memory).
    pub step_bytes: u64,
    /// What inference costs in each layout, which decides how a batch is split between them.
    pub costs: LayoutCosts,
    /// The batch sizes up to 64 at which a training step runs with 16 channels of an image side by side; at
    /// the others it runs with 16 images side by side.
    pub blocked_steps: Vec<RangeInclusive<usize>>,
    /// The largest remainder of a large batch, after full groups of 16 images, that a training step runs with
    /// channels side by side; 0 if none.
    pub left_over_steps: usize,
}

/// One layer of a [`Summary`].
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct SummaryRow {
    /// The layer's name; if it has none, its kind and number.
    pub name: &'static str,
    /// Its kind and the arguments that differ from their defaults, as in a declaration.
    pub layer: String,
    /// The shape of its output for one image.
    pub output: Shape,
    /// How many parameters it has, without running statistics.
    pub parameters: usize,
    /// Whether the declaration marks it `#[frozen]`.
    pub frozen: bool,
    /// Whether its output is one of the net's heads.
    pub head: bool,
    /// Its multiply-adds for one image; 0 for layers without a weight.
    pub multiply_adds: u64,
    /// Bytes of its output for one image in training; 0 if it has no memory of its own: `flatten`, and an
    /// activation that is fused into the layer before it.
    pub activation_bytes: usize,
    /// The kernels of a convolution; `None` for other layers.
    pub kernels: Option<Conv2dKernels>,
}

/// The kernels that run a convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Conv2dKernels {
    /// For the output, of 16 images side by side.
    pub forward: Conv2dKernel,
    /// For the input's gradient; `None` if nothing before the layer is trained.
    pub backward_data: Option<Conv2dKernel>,
    /// For the weight's gradient; `None` if the layer is frozen.
    pub backward_weight: Option<Conv2dKernel>,
    /// For the output of one image alone.
    pub one_image: Conv2dKernel,
}

impl Summary {
    /// The table of a declared net.
    pub(crate) fn new(spec: &NetSpec) -> Summary {
        let NetSpec { graph, layers, layout, .. } = *spec;
        let blocked = BlockedPlan::new(spec);
        let row = |node: usize| {
            let (op, layer) = (graph.nodes[node].op, &layers[node]);
            let is_input = matches!(op, Op::Input { .. });
            let has_memory = is_input || layout.steps.iter().any(|step| step.node == node);
            SummaryRow {
                name: layer.name,
                layer: kind_and_arguments(&op),
                output: layer.output,
                parameters: layer.parameters,
                frozen: graph.marks_of(node).frozen,
                head: graph.heads.iter().any(|head| head.node == node),
                multiply_adds: layer.multiply_adds,
                activation_bytes: if has_memory { bytes(layer.output.elements()) } else { 0 },
                kernels: kernels(spec, &blocked, node),
            }
        };
        let is_shown = |&node: &usize| !matches!(graph.nodes[node].op, Op::NetInput { .. });
        let rows: Vec<SummaryRow> = (0..graph.nodes.len()).filter(is_shown).map(row).collect();
        Summary {
            name: graph.name,
            parameters: rows.iter().map(|row| row.parameters).sum(),
            frozen: rows.iter().filter(|row| row.frozen).map(|row| row.parameters).sum(),
            multiply_adds: rows.iter().map(|row| row.multiply_adds).sum(),
            rows,
            parameter_bytes: bytes(layout.parameters),
            training_bytes: bytes(layout.training_len),
            inference_bytes: bytes(layout.inference_len),
            step_bytes: step_bytes(spec, 64),
            costs: blocked.costs,
            blocked_steps: ranges(
                (1..=STEPS).filter(|&images| blocked_images(spec, images) == images),
            ),
            left_over_steps: (1..LANES)
                .rev()
                .find(|&rest| blocked_images(spec, MANY + rest) == rest)
                .unwrap_or(0),
        }
    }
}

/// The largest step whose layout is told apart.
const STEPS: usize = 64;

/// Ascending numbers as ranges of consecutive ones.
fn ranges(numbers: impl Iterator<Item = usize>) -> Vec<RangeInclusive<usize>> {
    let mut ranges: Vec<RangeInclusive<usize>> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(last) if last.end() + 1 == number => *last = *last.start()..=number,
            _ => ranges.push(number..=number),
        }
    }
    ranges
}

/// How a training step is laid out, in words.
fn training_layout(blocked: &[RangeInclusive<usize>], left_over: usize) -> String {
    let left_over = match left_over {
        0 => String::new(),
        1 => "; one left over runs with 16 channels side by side".to_owned(),
        _ => format!("; up to {left_over} left over run with 16 channels side by side"),
    };
    match blocked {
        [] => return format!("16 images side by side{left_over}"),
        [all] if *all == (1..=STEPS) => return "16 channels side by side".to_owned(),
        _ => {}
    }
    let sizes: Vec<String> = (blocked.iter())
        .map(|range| match (range.start(), range.end()) {
            (1, 1) => "1".to_owned(),
            (1, end) => format!("up to {end}"),
            (start, end) if start == end => start.to_string(),
            (start, end) => format!("{start} to {end}"),
        })
        .collect();
    let images = if matches!(blocked, [one] if *one == (1..=1)) { "image" } else { "images" };
    let sizes = sizes.join(", ");
    format!("16 images side by side, but 16 channels in steps of {sizes} {images}{left_over}")
}

/// How inference of a batch is laid out, in words.
fn layout_of(costs: &LayoutCosts) -> String {
    let grouped = |images: usize| costs.shares(images).grouped;
    let Some(first) = (2..=MANY).find(|&images| grouped(images) > 0) else {
        return "one image at a time".to_owned();
    };
    let rest = (1..LANES).rev().find(|rest| grouped(MANY + rest) == MANY).unwrap_or(0);
    let left_over = match rest {
        0 => String::new(),
        1 => "; one left over runs alone".to_owned(),
        _ => format!("; up to {rest} left over run one at a time"),
    };
    format!("16 images side by side from {first} images on{left_over}")
}

/// Images of a large batch, all in groups of 16.
const MANY: usize = 1024;

impl SummaryRow {
    /// The layer as it is declared: `fc1: linear(120)`, `relu`, `#[frozen] conv1: conv2d(6, kernel = 5)`,
    /// `class: linear(10), head`.
    fn declaration(&self) -> String {
        let frozen = if self.frozen { "#[frozen] " } else { "" };
        let head = if self.head { ", head" } else { "" };
        // The input has the name of its kind.
        if self.layer == self.name {
            self.layer.clone()
        } else {
            format!("{frozen}{}: {}{head}", self.name, self.layer)
        }
    }
}

fn kernels(spec: &NetSpec, blocked: &BlockedPlan, node: usize) -> Option<Conv2dKernels> {
    let step = spec.layout.steps.iter().find(|step| step.node == node)?;
    step.op.conv2d(step.input)?;
    let of = |pass: Conv2dPass| pass::kernel_of(step, pass).0;
    Some(Conv2dKernels {
        forward: of(Conv2dPass::Forward),
        backward_data: step.input_gradient.map(|_| of(Conv2dPass::BackwardData)),
        backward_weight: (!step.frozen).then(|| of(Conv2dPass::BackwardWeight)),
        one_image: blocked.kernel(node),
    })
}

/// The kernels in short: one name if all passes have the same one; else the forward pass's, then each that
/// differs with what it is for.
impl fmt::Display for Conv2dKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.forward.name())?;
        let others = [
            (self.backward_data, "∂x"),
            (self.backward_weight, "∂w"),
            (Some(self.one_image), "one image"),
        ];
        for (kernel, what) in others {
            match kernel {
                Some(kernel) if kernel != self.forward => write!(f, ", {what} {}", kernel.name())?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn bytes(numbers: usize) -> usize {
    numbers.saturating_mul(size_of::<f32>())
}

/// A layer's kind with the arguments that differ from their defaults, as in a declaration.
pub(crate) fn kind_and_arguments(op: &Op) -> String {
    let mut arguments: Vec<String> = Vec::new();
    let pair = |value: [usize; 2]| Text::new().argument(value).as_str().to_owned();
    let unless = |default: [usize; 2], name: &str, value: [usize; 2]| {
        (value != default).then(|| format!("{name} = {}", pair(value)))
    };
    let zeros = |padding: Padding| match padding {
        Padding::Zeros(padding) => unless([0, 0], "padding", padding),
        Padding::Same => Some("padding = same".to_owned()),
    };
    let unusual = |eps: f32| (eps != 1e-5).then(|| format!("eps = {eps}"));
    match *op {
        Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
            arguments.push(out_channels.to_string());
            arguments.push(format!("kernel = {}", pair(kernel)));
            arguments.extend(unless([1, 1], "stride", stride));
            arguments.extend(zeros(padding));
            arguments.extend(unless([1, 1], "dilation", dilation));
            arguments.extend((groups != 1).then(|| format!("groups = {groups}")));
            arguments.extend((!bias).then(|| "bias = false".to_owned()));
        }
        Op::DepthwiseConv2d { kernel, multiplier, stride, padding, dilation, bias } => {
            arguments.push(pair(kernel));
            arguments.extend(unless([1, 1], "stride", stride));
            arguments.extend(zeros(padding));
            arguments.extend(unless([1, 1], "dilation", dilation));
            arguments.extend((multiplier != 1).then(|| format!("multiplier = {multiplier}")));
            arguments.extend((!bias).then(|| "bias = false".to_owned()));
        }
        Op::ConvTranspose2d {
            out_channels,
            kernel,
            stride,
            padding,
            output_padding,
            groups,
            bias,
            dilation,
        } => {
            arguments.push(out_channels.to_string());
            arguments.push(format!("kernel = {}", pair(kernel)));
            arguments.extend(unless([1, 1], "stride", stride));
            arguments.extend(unless([0, 0], "padding", padding));
            arguments.extend(unless([0, 0], "output_padding", output_padding));
            arguments.extend((groups != 1).then(|| format!("groups = {groups}")));
            arguments.extend((!bias).then(|| "bias = false".to_owned()));
            arguments.extend(unless([1, 1], "dilation", dilation));
        }
        Op::Upsample { scale_factor, mode, align_corners } => {
            arguments.push(pair(scale_factor));
            if mode == Interpolation::Bilinear {
                arguments.push("mode = bilinear".to_owned());
            }
            arguments.extend(align_corners.then(|| "align_corners = true".to_owned()));
        }
        Op::BatchNorm { affine, momentum, eps } => {
            arguments.extend((!affine).then(|| "affine = false".to_owned()));
            arguments.extend((momentum != 0.1).then(|| format!("momentum = {momentum}")));
            arguments.extend(unusual(eps));
        }
        Op::LayerNorm { affine, eps } => {
            arguments.extend((!affine).then(|| "affine = false".to_owned()));
            arguments.extend(unusual(eps));
        }
        Op::GroupNorm { num_groups, affine, eps } => {
            arguments.push(num_groups.to_string());
            arguments.extend((!affine).then(|| "affine = false".to_owned()));
            arguments.extend(unusual(eps));
        }
        Op::Reshape { shape } => arguments.push(shape.to_string()),
        Op::Linear { out_features, bias } => {
            arguments.push(out_features.to_string());
            arguments.extend((!bias).then(|| "bias = false".to_owned()));
        }
        Op::MaxPool2d { kernel, stride, padding, ceil_mode } => {
            arguments.push(pair(kernel));
            arguments.extend(unless(kernel, "stride", stride));
            arguments.extend(unless([0, 0], "padding", padding));
            arguments.extend(ceil_mode.then(|| "ceil_mode = true".to_owned()));
        }
        Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad } => {
            arguments.push(pair(kernel));
            arguments.extend(unless(kernel, "stride", stride));
            arguments.extend(unless([0, 0], "padding", padding));
            arguments.extend(ceil_mode.then(|| "ceil_mode = true".to_owned()));
            arguments.extend((!count_include_pad).then(|| "count_include_pad = false".to_owned()));
        }
        Op::LeakyRelu { negative_slope } => {
            arguments.extend((negative_slope != 0.01).then(|| negative_slope.to_string()));
        }
        Op::Gelu { approximate: Approximate::Tanh } => {
            arguments.push("approximate = tanh".to_owned());
        }
        Op::Dropout { p } => arguments.push(p.to_string()),
        Op::Scale { factor } => arguments.push(factor.to_string()),
        Op::Own(own) if !own.arguments.is_empty() => arguments.push(own.arguments.to_owned()),
        _ => {}
    }
    let kind = op.kind();
    if arguments.is_empty() { kind.to_owned() } else { format!("{kind}({})", arguments.join(", ")) }
}

/// The columns' titles; the columns of numbers are aligned right, the others left.
const TITLES: [&str; 6] =
    ["layer", "output", "parameters", "multiply-adds", "activations", "kernel"];

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |value: u64| if value == 0 { String::new() } else { thousands(value) };
        let memory = |value: usize| if value == 0 { String::new() } else { size(value as u64) };
        let cells = |row: &SummaryRow| {
            [
                row.declaration(),
                row.output.to_string(),
                count(row.parameters as u64),
                count(row.multiply_adds),
                memory(row.activation_bytes),
                row.kernels.map(|kernels| kernels.to_string()).unwrap_or_default(),
            ]
        };
        let rows: Vec<[String; 6]> = self.rows.iter().map(cells).collect();
        let (parameters, work) = (thousands(self.parameters as u64), thousands(self.multiply_adds));
        let total =
            ["total".to_owned(), String::new(), parameters, work, String::new(), String::new()];
        let mut widths = TITLES.map(|title| title.chars().count());
        for row in rows.iter().chain([&total]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let write = |f: &mut fmt::Formatter<'_>, row: &[String; 6]| {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                line += if column > 0 { "  " } else { "" };
                line += &if matches!(column, 0 | 1 | 5) {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                };
            }
            writeln!(f, "{}", line.trim_end())
        };
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        writeln!(f, "{}", self.name)?;
        writeln!(f, "{rule}")?;
        write(f, &TITLES.map(str::to_owned))?;
        writeln!(f, "{rule}")?;
        for row in &rows {
            write(f, row)?;
        }
        writeln!(f, "{rule}")?;
        write(f, &total)?;
        writeln!(f, "{rule}")?;
        write!(f, "weights {}", size(self.parameter_bytes as u64))?;
        match self.frozen {
            0 => writeln!(f)?,
            frozen => writeln!(f, ", {} of them frozen", size(bytes(frozen) as u64))?,
        }
        let (training, inference) =
            (size(self.training_bytes as u64), size(self.inference_bytes as u64));
        writeln!(f, "activations an image: {training} in training, {inference} in inference")?;
        writeln!(f, "inference: {}", layout_of(&self.costs))?;
        writeln!(f, "training: {}", training_layout(&self.blocked_steps, self.left_over_steps))?;
        write!(f, "a training step of 64 images: {}", size(self.step_bytes))
    }
}

/// A number with a comma before every three digits: `61,706`.
#[doc(hidden)]
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes: `640 B`, `12.3 kB` (1 kB is 1000 bytes).
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    for unit in ["kB", "MB"] {
        value /= 1000.0;
        // What would be written as 1000.0 takes the next unit.
        if value < 999.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{:.1} GB", value / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let texts = [0, 7, 999, 1000, 61_706, 138_357_544, u64::MAX].map(thousands);
        let expected =
            ["0", "7", "999", "1,000", "61,706", "138,357,544", "18,446,744,073,709,551,615"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn bytes_take_the_unit_that_fits() {
        let texts = [0, 999, 1000, 999_949, 999_950, 2_500_000, 999_950_000, 5 << 30].map(size);
        let expected =
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "2.5 MB", "1.0 GB", "5.4 GB"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn the_layout_is_named() {
        let text = |group, image| layout_of(&LayoutCosts { group, image });
        assert_eq!(text(1600, 100), "one image at a time");
        let beside =
            "16 images side by side from 32 images on; up to 15 left over run one at a time";
        assert_eq!(text(1599, 130), beside);
        let beside = "16 images side by side from 2 images on; one left over runs alone";
        assert_eq!(text(100, 100), beside);
    }

    #[test]
    fn the_layout_of_steps_is_named() {
        let text = |images: &[usize]| training_layout(&ranges(images.iter().copied()), 0);
        assert_eq!(text(&[]), "16 images side by side");
        let but = "16 images side by side; up to 7 left over run with 16 channels side by side";
        assert_eq!(training_layout(&[], 7), but);
        let all: Vec<usize> = (1..=64).collect();
        assert_eq!(text(&all), "16 channels side by side");
        let but = "16 images side by side, but 16 channels in steps of";
        assert_eq!(text(&[1]), format!("{but} 1 image"));
        assert_eq!(text(&[1, 2, 3, 17, 18, 33]), format!("{but} up to 3, 17 to 18, 33 images"));
    }

    #[test]
    fn kernels_are_named_once_and_then_where_they_differ() {
        use Conv2dKernel::{Direct, Winograd2, Winograd4};
        let text = |forward, backward_data, backward_weight, one_image| {
            Conv2dKernels { forward, backward_data, backward_weight, one_image }.to_string()
        };
        assert_eq!(text(Direct, None, None, Direct), "direct");
        let all = text(Winograd4, Some(Winograd4), Some(Winograd4), Winograd4);
        assert_eq!(all, "Winograd 4×4");
        assert_eq!(
            text(Winograd4, Some(Winograd2), Some(Direct), Direct),
            "Winograd 4×4, ∂x Winograd 2×2, ∂w direct, one image direct"
        );
    }
}

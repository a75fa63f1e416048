//! A random declaration that breaks no rule.

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The most numbers of a value, so that a net in f64 is quick.
const MOST: usize = 1500;

const ACTIVATIONS: [&str; 11] = [
    "relu",
    "leaky_relu(0.2)",
    "relu6",
    "sigmoid",
    "tanh",
    "gelu",
    "gelu(approximate = tanh)",
    "silu",
    "hardswish",
    "scale(0.5)",
    "dropout(0.2)",
];

/// Writes a net.
struct Writer {
    random: ChaCha8Rng,
    /// `[c, h, w]` or `[n]`.
    shape: Vec<usize>,
    text: String,
    indent: usize,
    /// Values with a name that may be read here.
    named: Vec<(String, Vec<usize>)>,
    names: usize,
    /// The blocks, which stand first.
    blocks: String,
    block_count: usize,
    /// Whether the last layer lets values of before be read by a name that is still free.
    depth: usize,
}

/// The declaration of a seed: a struct called `Net`.
pub(crate) fn declaration(seed: u64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let input = if random.random_bool(0.9) {
        vec![random.random_range(1..5), random.random_range(5..13), random.random_range(5..13)]
    } else {
        vec![random.random_range(3..20)]
    };
    let classes = random.random_range(2..6);
    let mut writer = Writer {
        random,
        shape: input.clone(),
        text: String::new(),
        indent: 3,
        named: Vec::new(),
        names: 0,
        blocks: String::new(),
        block_count: 0,
        depth: 0,
    };
    // Another input, of features, is joined at the end.
    let pose = writer.chance(0.15).then(|| writer.pick(2..=6));
    if pose.is_some() {
        writer.line("from(image),");
    }
    let layers = writer.random.random_range(3..10);
    for _ in 0..layers {
        writer.layer();
    }
    writer.features(pose.is_some());
    let output = if writer.chance(0.2) {
        let others = writer.pick(1..=4);
        writer.line("linear(9), trunk: tanh,");
        writer.line(&format!("class: linear({classes}),"));
        writer.line(&format!("from(trunk), other: linear({others}),"));
        format!("(class: [{classes}], other: [{others}])")
    } else {
        writer.line(&format!("linear({classes}),"));
        if writer.chance(0.15) {
            writer.line("log_softmax,");
        }
        format!("[{classes}]")
    };
    let input = match pose {
        Some(len) => format!("(image: {input:?}, pose: [{len}])"),
        None => format!("{input:?}"),
    };
    let Writer { blocks, text, .. } = writer;
    format!("        struct Net: {input} -> {output} {{\n{blocks}{text}        }}\n")
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(&"    ".repeat(self.indent));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn pick(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        self.random.random_range(range)
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability)
    }

    fn is_image(&self) -> bool {
        self.shape.len() == 3
    }

    /// A layer with a name, now and then, if it can be read later.
    fn named(&mut self, layer: &str) {
        if self.depth == 0 && self.chance(0.35) {
            let name = format!("value{}", self.names);
            self.names += 1;
            self.line(&format!("{name}: {layer},"));
            self.named.push((name, self.shape.clone()));
        } else {
            self.line(&format!("{layer},"));
        }
    }

    fn layer(&mut self) {
        if !self.is_image() {
            return self.of_features();
        }
        match self.pick(0..=19) {
            0..=3 => self.conv2d(),
            4 => self.depthwise(),
            5 => self.conv_transpose2d(),
            6 => self.pool(),
            7 => self.norm(),
            8 | 9 => self.activation(),
            10 => self.residual(),
            11 => self.branches(),
            12 => self.repeat(),
            13 => self.upsample(),
            14 => self.gate(),
            15 | 16 => self.join(),
            17 => self.named("softmax"),
            18 => self.block(),
            _ => self.conv2d(),
        }
    }

    fn activation(&mut self) {
        let layer = ACTIVATIONS.choose(&mut self.random).copied().unwrap_or("relu");
        self.named(layer);
    }

    /// Sizes of a window along an axis of `n` numbers: kernel, stride, padding, dilation, and the result.
    fn window(&mut self, n: usize) -> [usize; 5] {
        loop {
            let kernel = self.pick(1..=5);
            let (stride, dilation) = (self.pick(1..=2), self.pick(1..=2));
            let padding = self.pick(0..=(kernel / 2));
            let reach = dilation * (kernel - 1) + 1;
            if n + 2 * padding >= reach {
                let out = (n + 2 * padding - reach) / stride + 1;
                if out >= 2 || n < 4 {
                    return [kernel, stride, padding, dilation, out];
                }
            }
        }
    }

    fn conv2d(&mut self) {
        let [c, h, w] = [0, 1, 2].map(|axis| self.shape[axis]);
        let (rows, columns) = (self.window(h), self.window(w));
        let groups = if c.is_multiple_of(2) && self.chance(0.3) { 2 } else { 1 };
        let most = (MOST / (rows[4] * columns[4])).clamp(groups, 12);
        let out = self.pick(1..=most / groups) * groups;
        let pair = |i: usize| format!("({}, {})", rows[i], columns[i]);
        let bias = if self.chance(0.3) { ", bias = false" } else { "" };
        let groups = if groups == 1 { String::new() } else { format!(", groups = {groups}") };
        self.shape = vec![out, rows[4], columns[4]];
        self.named(&format!(
            "conv2d({out}, kernel = {}, stride = {}, padding = {}, dilation = {}{groups}{bias})",
            pair(0),
            pair(1),
            pair(2),
            pair(3),
        ));
        if self.chance(0.6) {
            self.activation();
        }
    }

    fn depthwise(&mut self) {
        let c = self.shape[0];
        let multiplier =
            if c * 2 * self.shape[1] * self.shape[2] <= MOST { self.pick(1..=2) } else { 1 };
        self.shape[0] = c * multiplier;
        let more =
            if multiplier == 1 { String::new() } else { format!(", multiplier = {multiplier}") };
        self.named(&format!("depthwise_conv2d(kernel = 3, padding = 1{more})"));
    }

    fn conv_transpose2d(&mut self) {
        let [h, w] = [self.shape[1], self.shape[2]];
        let (kernel, stride) = (self.pick(2..=3), self.pick(1..=2));
        let sides = [h, w].map(|n| (n - 1) * stride + kernel);
        let out = self.pick(1..=4);
        if out * sides[0] * sides[1] > MOST {
            return self.conv2d();
        }
        self.shape = vec![out, sides[0], sides[1]];
        self.named(&format!("conv_transpose2d({out}, kernel = {kernel}, stride = {stride})"));
    }

    fn pool(&mut self) {
        let [h, w] = [self.shape[1], self.shape[2]];
        if h.min(w) < 3 {
            return self.activation();
        }
        let (kernel, stride) = (self.pick(2..=3), self.pick(1..=2));
        let padding = self.pick(0..=kernel / 2);
        let sides = [h, w].map(|n| (n + 2 * padding - kernel) / stride + 1);
        self.shape = vec![self.shape[0], sides[0], sides[1]];
        let kind = ["max", "avg"][self.pick(0..=1)];
        self.named(&format!("{kind}_pool2d({kernel}, stride = {stride}, padding = {padding})"));
    }

    fn norm(&mut self) {
        let c = self.shape[0];
        let layer = match self.pick(0..=4) {
            0 => "layer_norm".to_owned(),
            1 if self.is_image() => {
                format!("group_norm({})", if c.is_multiple_of(2) { 2 } else { 1 })
            }
            2 => "batch_norm(affine = false)".to_owned(),
            _ => "batch_norm".to_owned(),
        };
        self.named(&layer);
        if self.chance(0.5) {
            self.activation();
        }
    }

    /// Some lines one step further in.
    fn inside(&mut self, open: &str, close: &str, body: impl FnOnce(&mut Writer)) {
        self.line(open);
        self.indent += 1;
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.indent -= 1;
        self.line(close);
    }

    fn same_conv(&mut self, out: usize) {
        let kernel = [1, 3, 5][self.pick(0..=2)];
        self.shape[0] = out;
        self.line(&format!("conv2d({out}, kernel = {kernel}, padding = same),"));
    }

    fn residual(&mut self) {
        let c = self.shape[0];
        self.inside("residual {", "}", |writer| {
            let middle = writer.pick(1..=6);
            writer.same_conv(middle);
            if writer.chance(0.5) {
                writer.line("batch_norm,");
            }
            writer.line("relu,");
            writer.same_conv(c);
        });
        if self.chance(0.7) {
            self.activation();
        }
    }

    fn branches(&mut self) {
        let before = self.shape.clone();
        let count = self.pick(2..=3);
        let mut channels = 0;
        self.inside("concat {", "}", |writer| {
            for _ in 0..count {
                writer.shape = before.clone();
                writer.inside("branch {", "}", |writer| match writer.pick(0..=2) {
                    0 => {}
                    1 => writer.line("max_pool2d(3, stride = 1, padding = 1),"),
                    _ => {
                        let out = writer.pick(1..=4);
                        writer.same_conv(out);
                        writer.line("tanh,");
                    }
                });
                channels += writer.shape[0];
            }
        });
        self.shape = vec![channels, before[1], before[2]];
        if channels * before[1] * before[2] > MOST {
            self.conv2d();
        }
    }

    fn repeat(&mut self) {
        let (times, c) = (self.pick(2..=3), self.shape[0]);
        self.inside(&format!("repeat({times}) {{"), "}", |writer| {
            writer.same_conv(c);
            let norm = ["batch_norm,", "group_norm(1),", ""][writer.pick(0..=2)];
            if !norm.is_empty() {
                writer.line(norm);
            }
            writer.line("silu,");
        });
    }

    /// A block with a parameter, used twice.
    fn block(&mut self) {
        if self.depth > 0 {
            return self.norm();
        }
        let (name, out) = (format!("block{}", self.block_count), self.pick(1..=6));
        self.block_count += 1;
        let norm = ["batch_norm, ", "group_norm(1), ", ""][self.pick(0..=2)];
        let indent = "    ".repeat(self.indent);
        self.blocks += &format!(
            "{indent}block {name}(out) {{ conv2d(out, kernel = 3, padding = same), {norm}leaky_relu(0.1) }}\n"
        );
        self.line(&format!("{name}({out}), {name}({}),", out + 1));
        self.shape[0] = out + 1;
    }

    fn upsample(&mut self) {
        if self.shape.iter().product::<usize>() * 4 > MOST {
            return self.pool();
        }
        let mode = ["", ", mode = bilinear", ", mode = bilinear, align_corners = true"];
        let mode = mode[self.pick(0..=2)];
        self.shape[1] *= 2;
        self.shape[2] *= 2;
        self.named(&format!("upsample(2{mode})"));
    }

    /// Squeeze and excitation.
    fn gate(&mut self) {
        if self.depth > 0 {
            return self.activation();
        }
        let (before, c, number) = (self.shape.clone(), self.shape[0], self.names);
        self.names += 1;
        self.line(&format!("kept{number}: tanh,"));
        self.line("global_avg_pool,");
        self.line(&format!("linear({c}), gate{number}: sigmoid,"));
        self.line(&format!("from(kept{number}), mul(gate{number}),"));
        self.shape = before;
    }

    /// Reads a value of before.
    fn join(&mut self) {
        let shape = self.shape.clone();
        let same: Vec<String> = self
            .named
            .iter()
            .filter(|(_, of)| *of == shape)
            .map(|(name, _)| name.clone())
            .collect();
        let Some(name) = same.choose(&mut self.random).cloned() else { return self.conv2d() };
        // A value is not joined with itself alone.
        self.line("tanh,");
        match self.pick(0..=2) {
            0 => self.line(&format!("add({name}),")),
            1 => self.line(&format!("mul({name}),")),
            _ => {
                self.line(&format!("concat({name}),"));
                self.shape[0] *= 2;
            }
        }
    }

    fn of_features(&mut self) {
        match self.pick(0..=5) {
            0 | 1 => {
                let out = self.pick(2..=24);
                self.shape = vec![out];
                self.named(&format!("linear({out})"));
            }
            2 => self.norm(),
            3 if self.shape[0].is_multiple_of(4) => {
                self.shape = vec![self.shape[0] / 4, 2, 2];
                self.line(&format!("reshape({:?}),", self.shape));
            }
            4 => self.join_features(),
            _ => self.activation(),
        }
    }

    fn join_features(&mut self) {
        let own = self
            .named
            .iter()
            .filter(|(_, of)| of.len() == 1)
            .map(|(name, of)| (name.clone(), of[0]));
        let own: Vec<(String, usize)> = own.collect();
        let Some((name, len)) = own.choose(&mut self.random).cloned() else {
            return self.activation();
        };
        self.line("tanh,");
        self.line(&format!("concat({name}),"));
        self.shape[0] += len;
    }

    /// To features, with those of the other input.
    fn features(&mut self, with_pose: bool) {
        if self.is_image() {
            let layer = if self.chance(0.4) { "global_avg_pool," } else { "flatten," };
            self.line(layer);
        }
        if with_pose {
            self.line("concat(pose),");
        }
        if self.chance(0.3) {
            self.line("linear(8), relu,");
        }
    }
}

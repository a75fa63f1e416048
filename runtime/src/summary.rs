use std::fmt;

use typenet_shape::{Op, Shape};

use crate::Network;

/// The table of a net's layers: names, shapes, parameters, multiply-adds and memory, all for one
/// image. [`Display`](fmt::Display) prints it.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// The net's name.
    pub name: &'static str,
    /// The input and the layers in order.
    pub rows: Vec<SummaryRow>,
    /// Bytes of activations and their gradients that a training step needs for one image.
    pub training_bytes: usize,
    /// Bytes of activations that inference needs for one image.
    pub inference_bytes: usize,
}

/// One layer in a [`Summary`].
#[derive(Clone, PartialEq, Debug)]
pub struct SummaryRow {
    /// The layer's name.
    pub name: &'static str,
    /// Its keyword.
    pub kind: &'static str,
    /// The shape of its value.
    pub output: Shape,
    /// How many parameters it has.
    pub parameters: usize,
    /// Multiply-adds for one image; 0 for layers without a weight.
    pub multiply_adds: u64,
}

impl Summary {
    pub(crate) fn of<N: Network>() -> Summary {
        let rows = N::GRAPH.nodes.iter().zip(N::SHAPES).enumerate().map(|(index, (node, &output))| {
            let tensors = N::LAYOUT.tensors.iter().filter(|tensor| tensor.node == index);
            let multiply_adds = match (node.op, node.inputs.first()) {
                (Op::Input { .. }, _) | (_, None) => 0,
                (op, Some(&input)) => op.multiply_adds(N::SHAPES[input], output),
            };
            SummaryRow {
                name: node.name,
                kind: node.op.kind(),
                output,
                parameters: tensors.map(|tensor| tensor.shape.elements()).sum(),
                multiply_adds,
            }
        });
        Summary {
            name: N::GRAPH.name,
            rows: rows.collect(),
            training_bytes: N::LAYOUT.training_len * size_of::<f32>(),
            inference_bytes: N::LAYOUT.inference_len * size_of::<f32>(),
        }
    }

    /// How many parameters the net has.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// Multiply-adds of a forward pass for one image.
    pub fn multiply_adds(&self) -> u64 {
        self.rows.iter().map(|row| row.multiply_adds).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![["name", "layer", "output", "parameters", "multiply-adds"].map(String::from)];
        for row in &self.rows {
            let count = |number: u64| if number == 0 { String::new() } else { thousands(number) };
            lines.push([
                row.name.to_string(),
                row.kind.to_string(),
                row.output.to_string(),
                count(row.parameters as u64),
                count(row.multiply_adds),
            ]);
        }
        lines.push([
            "total".into(),
            String::new(),
            String::new(),
            thousands(self.parameters() as u64),
            thousands(self.multiply_adds()),
        ]);
        let mut widths = [0; 5];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let [a, b, c, d, e] = widths;
        writeln!(f, "{}", self.name)?;
        for [name, kind, output, parameters, multiply_adds] in &lines {
            writeln!(f, "{name:a$}  {kind:b$}  {output:c$}  {parameters:>d$}  {multiply_adds:>e$}")?;
        }
        write!(
            f,
            "memory for one image: {} bytes training, {} bytes inference",
            thousands(self.training_bytes as u64),
            thousands(self.inference_bytes as u64)
        )
    }
}

/// `61,706`
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! A layer of one's own in a net: its gradients checked, then trained.
//!
//! The task: is a small picture a ring or a cross, wherever it lies? The layer, `Polar`, reads the
//! picture in polar coordinates around a centre that it learns: each row of its output is a circle.
//! The net that holds it is itself a layer of another one.
//!
//! `cargo run --release --example own_layer`

use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;

/// `[c, h, w]` to `[c, circles, rays]`: the number at circle `i` and ray `j` lies between the four
/// around the point at radius `i + 1` and angle `2π j / rays` from the centre `weight`, which is
/// (row, column) from the middle of the image.
#[derive(Clone, Copy, Debug)]
pub struct Polar {
    circles: usize,
    rays: usize,
}

#[typenet::layer]
impl Polar {
    /// So many circles, and numbers on each.
    pub const fn new(circles: usize, rays: usize) -> Polar {
        Polar { circles, rays }
    }

    /// The shape of the output.
    pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        match *input.dims() {
            [_, height, width] if 2 * self.circles >= height || 2 * self.circles >= width => {
                Err(ShapeError::new("has more circles than fit into its input")
                    .with_help("use fewer circles than half of height and width"))
            }
            [channels, _, _] => Ok(Shape::new(&[channels, self.circles, self.rays])),
            _ => Err(ShapeError::new("needs an image").with_help("move it before `flatten`")),
        }
    }

    /// The centre.
    pub const fn weight(self, _: Shape) -> Shape {
        Shape::new(&[2])
    }

    /// The four pixels around each number of a channel, with what each counts for and how that changes
    /// as the centre moves down and to the right.
    fn corners(self, input: Shape, centre: [f64; 2]) -> impl Iterator<Item = [Corner; 4]> {
        let (height, width) = (input.dim(1), input.dim(2));
        (0..self.circles * self.rays).map(move |at| {
            let (radius, ray) = ((at / self.rays + 1) as f64, (at % self.rays) as f64);
            let angle = std::f64::consts::TAU * ray / self.rays as f64;
            let row = (height as f64 - 1.0) / 2.0 + centre[0] + radius * angle.sin();
            let column = (width as f64 - 1.0) / 2.0 + centre[1] + radius * angle.cos();
            let (down, right) = (row - row.floor(), column - column.floor());
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(below, beside)| {
                let (i, j) = (row.floor() as isize + below, column.floor() as isize + beside);
                let inside = (0..height as isize).contains(&i) && (0..width as isize).contains(&j);
                let along =
                    |step, share| if step == 1 { (share, 1.0) } else { (1.0 - share, -1.0) };
                let ((rows, by_row), (columns, by_column)) =
                    (along(below, down), along(beside, right));
                Corner {
                    pixel: inside.then(|| i as usize * width + j as usize),
                    share: rows * columns,
                    slopes: [by_row * columns, rows * by_column],
                }
            })
        })
    }
}

/// A pixel that a number of the output lies beside.
struct Corner {
    /// Its place in the channel, unless it lies outside, where all is 0.
    pixel: Option<usize>,
    /// What it counts for.
    share: f64,
    /// How that changes as the centre moves down, and to the right.
    slopes: [f64; 2],
}

impl Layer for Polar {
    fn forward(&self, input: Shape, parameters: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        let centre = [0, 1].map(|axis| f64::from(parameters.weight[axis]));
        let channels = x.chunks_exact(input.dim(1) * input.dim(2));
        for (x, y) in channels.zip(y.chunks_exact_mut(self.circles * self.rays)) {
            for (y, corners) in y.iter_mut().zip(self.corners(input, centre)) {
                for Corner { pixel, share, .. } in corners {
                    *y += pixel.map_or(0.0, |pixel| share as f32 * x[pixel]);
                }
            }
        }
    }

    fn backward(
        &self,
        input: Shape,
        parameters: Parameters<'_>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        gradients: Gradients<'_>,
    ) {
        let centre = [0, 1].map(|axis| f64::from(parameters.weight[axis]));
        let area = input.dim(1) * input.dim(2);
        let channels = x.chunks_exact(area).zip(dx.chunks_exact_mut(area));
        for ((x, dx), dy) in channels.zip(dy.chunks_exact(self.circles * self.rays)) {
            for (dy, corners) in dy.iter().zip(self.corners(input, centre)) {
                for Corner { pixel, share, slopes } in corners {
                    let Some(pixel) = pixel else { continue };
                    dx[pixel] += share as f32 * dy;
                    for (gradient, slope) in gradients.weight.iter_mut().zip(slopes) {
                        *gradient += slope as f32 * x[pixel] * dy;
                    }
                }
            }
        }
    }

    fn reference(&self, input: Shape, parameters: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
        let centre = [parameters.weight[0], parameters.weight[1]];
        let channels = x.chunks_exact(input.dim(1) * input.dim(2));
        for (x, y) in channels.zip(y.chunks_exact_mut(self.circles * self.rays)) {
            for (y, corners) in y.iter_mut().zip(self.corners(input, centre)) {
                for Corner { pixel, share, .. } in corners {
                    *y += pixel.map_or(0.0, |pixel| share * x[pixel]);
                }
            }
        }
    }

    /// Near the middle of the image.
    fn init(&self, _: Shape, weight: &mut [f32], _: &mut [f32], uniform: &mut dyn FnMut() -> f32) {
        weight.iter_mut().for_each(|weight| *weight = 0.3 * uniform());
    }
}

network! {
    /// What circles around a centre show.
    pub struct Circles: [1, 12, 12] -> [4, 4, 16] {
        polar: Polar(4, 16),
        conv1: conv2d(4, kernel = 3, padding = 1), relu,
    }
}

network! {
    /// Ring or cross.
    pub struct Shapes: [1, 12, 12] -> [2] {
        features: Circles,
        residual { conv2d(4, kernel = 3, padding = 1), tanh }
        flatten,
        fc: linear(2),
    }
}

/// A ring (0) or a cross (1) near the middle, and some noise.
fn picture(number: usize) -> ([[[f32; 12]; 12]; 1], usize) {
    let label = number % 2;
    let random = |k: usize| ((number * 31 + k) as f32 * 12.9898).sin() * 43_758.547 % 1.0;
    let (top, left) = (5.5 + random(1), 5.5 + random(2));
    let size = 3.0 + 0.8 * random(3);
    let pixel = |i: usize, j: usize| {
        let (down, right) = (i as f32 - top, j as f32 - left);
        let drawn = match label {
            0 => (down.hypot(right) - size).abs() < 0.8,
            _ => down.abs().min(right.abs()) < 0.8 && down.hypot(right) < size + 1.0,
        };
        f32::from(u8::from(drawn)) + 0.5 * random(10 + 12 * i + j)
    };
    ([std::array::from_fn(|i| std::array::from_fn(|j| pixel(i, j)))], label)
}

fn main() -> typenet::Result<()> {
    println!("{}\n", Shapes::summary());
    let (images, labels): (Vec<_>, Vec<_>) = (0..1000).map(picture).unzip();
    let mut net = Shapes::seeded(1);

    let check = gradcheck(&net, &CrossEntropy::new(), &images[..8], &labels[..8])?;
    println!("{check}\n");
    assert!(check.worst() <= 1e-4, "the gradients are wrong");

    let train = Dataset::from_inputs(&images[..800], labels[..800].to_vec())?;
    let test = Dataset::from_inputs(&images[800..], labels[800..].to_vec())?;
    let before = net.features.polar.weight;
    let history = Trainer::new(Sgd::new(0.05).momentum(0.9))
        .loss(CrossEntropy::new())
        .batch(32)
        .epochs(6)
        .fit(&mut net, &train, Some(&test))?;
    for epoch in &history.epochs {
        println!("{epoch}");
    }
    println!("the centre went from {before:?} to {:?}", net.features.polar.weight);
    Ok(())
}

//! Three ways to a gradient, each as a way to train: `cargo run --release --example gradients` writes
//! `gradients.svg`.
//!
//! 1. Backpropagation: the whole gradient, for about the price of two more forward passes.
//! 2. Forward gradients (Baydin and others, *Gradients without Backpropagation*, 2022): the slope along one
//!    random direction by forward mode, times that direction. On average that is the gradient, and
//!    nothing is kept for a way back; but it is as noisy as there are parameters.
//! 3. Numerical: two losses for every parameter, for a net that is smaller still.
//!
//! And a sensitivity map: how much each pixel moves the score of a class, by one call of forward mode with a
//! direction for each pixel.

use std::time::{Duration, Instant};

use plotters::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::prelude::*;
use typenet::{Flat, Logits};

network! {
    /// 334 parameters.
    pub struct Small: [1, 8, 8] -> [10] {
        avg_pool2d(2), flatten,
        fc1: linear(12), tanh,
        fc2: linear(10),
    }
}

network! {
    /// 170 parameters.
    pub struct Tiny: [1, 8, 8] -> [10] { avg_pool2d(2), flatten, fc: linear(10) }
}

network! {
    /// For the map: it sees every pixel.
    pub struct Seeing: [1, 8, 8] -> [10] {
        conv1: conv2d(16, kernel = 3, padding = 1), relu,
        conv2: conv2d(32, kernel = 3, padding = 1), relu, max_pool2d(2),
        flatten, fc1: linear(64), relu, fc2: linear(10),
    }
}

const DIGITS: &[u8] = include_bytes!("../data/digits.csv.gz");
const PICTURE: &str = "gradients.svg";
const BATCH: usize = 64;
/// What each way may take.
const TIME: Duration = Duration::from_secs(4);

type Images = Dataset<[[[f32; 8]; 8]; 1]>;
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Leaves the gradient of a minibatch, or what stands for it, in the workspace; returns the loss.
type Gradient<N> = fn(
    &mut N,
    &[<N as Network>::Input],
    &[usize],
    &mut Workspace<N>,
    &mut ChaCha8Rng,
) -> Fallible<f64>;

/// How a run went.
struct Run {
    name: &'static str,
    /// Seconds, and the loss of a minibatch then, smoothed.
    curve: Vec<(f64, f64)>,
    steps: usize,
    accuracy: f64,
}

fn main() -> Fallible {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Images::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (train, test) = digits.split_at(1437, 7)?;

    let runs = [
        run::<Small>("backpropagation", &train, &test, 0.5, backpropagation)?,
        run::<Small>("forward gradients", &train, &test, 0.002, forward_gradient)?,
        run::<Tiny>("numerical gradients", &train, &test, 0.5, numerical_gradient)?,
    ];
    println!("{:<22} {:>10} {:>8} {:>12}", "", "parameters", "steps", "µs a step");
    let parameters =
        [Small::summary(), Small::summary(), Tiny::summary()].map(|net| net.parameters);
    for (Run { name, steps, accuracy, .. }, parameters) in runs.iter().zip(parameters) {
        let cost = 1e6 * TIME.as_secs_f64() / *steps as f64;
        println!(
            "{name:<22} {parameters:>10} {steps:>8} {cost:>12.1}   {:.1} % of the test images",
            100.0 * accuracy
        );
    }

    let mut net = Seeing::seeded(42);
    Trainer::new(Sgd::new(0.05).momentum(0.9))
        .loss(CrossEntropy::new())
        .epochs(10)
        .fit(&mut net, &train, None)?;
    let maps: Vec<Map> = [0, 3, 5, 8]
        .iter()
        .map(|&digit| sensitivity(&net, &test, digit))
        .collect::<Result<_, _>>()?;
    draw(&runs, &maps)?;
    println!("drawn in {PICTURE}");
    Ok(())
}

/// Takes steps until the time is over.
fn run<N>(
    name: &'static str,
    train: &Images,
    test: &Images,
    learning_rate: f32,
    gradient: Gradient<N>,
) -> Fallible<Run>
where
    N: Network<Input = [[[f32; 8]; 8]; 1], Output = [f32; 10]> + Logits,
{
    let mut net = N::seeded(42);
    let mut ws = N::workspace(BATCH);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut run = Run { name, curve: Vec::new(), steps: 0, accuracy: 0.0 };
    let (start, mut smooth) = (Instant::now(), 10_f64.ln());
    for epoch in 0.. {
        for batch in train.minibatches(BATCH, epoch) {
            let loss = gradient(&mut net, &batch.inputs, &batch.labels, &mut ws, &mut random)?;
            // The update: w ← w − learning_rate · ∂L/∂w.
            let weights = net.parameters_flat_mut().iter_mut();
            for (weight, slope) in weights.zip(ws.gradients().as_flat()) {
                *weight -= learning_rate * slope;
            }
            smooth += 0.05 * (loss - smooth);
            run.steps += 1;
            run.curve.push((start.elapsed().as_secs_f64(), smooth));
        }
        if start.elapsed() >= TIME {
            break;
        }
    }
    let right = net.outputs(test.inputs()).into_iter().zip(test.targets());
    let right = right.filter(|(output, label)| output.largest() == **label).count();
    run.accuracy = right as f64 / test.len() as f64;
    Ok(run)
}

fn backpropagation<N: Network + Logits>(
    net: &mut N,
    images: &[N::Input],
    labels: &[usize],
    ws: &mut Workspace<N>,
    _: &mut ChaCha8Rng,
) -> Fallible<f64> {
    net.forward(images, ws);
    let loss = CrossEntropy::new().forward_backward(labels, ws)?;
    net.backward(images, ws);
    Ok(loss)
}

/// `(∇L · v) v` for a random direction `v`.
fn forward_gradient<N: Network + Logits>(
    net: &mut N,
    images: &[N::Input],
    labels: &[usize],
    ws: &mut Workspace<N>,
    random: &mut ChaCha8Rng,
) -> Fallible<f64> {
    let mut direction = N::Parameters::zeroed();
    // 1 and −1 have mean 0 and variance 1, and of all such numbers the least noise.
    direction.as_flat_mut().fill_with(|| if random.random_bool(0.5) { 1.0 } else { -1.0 });
    let along = Direction::of_parameters(&*direction);
    let result = net.slope(&CrossEntropy::new(), images, labels, along, ws)?;
    let gradient = ws.gradients_mut().as_flat_mut();
    for (gradient, v) in gradient.iter_mut().zip(direction.as_flat()) {
        *gradient = result.slope as f32 * v;
    }
    Ok(result.loss)
}

/// `(L(w + h) − L(w − h)) / 2h` for each weight.
fn numerical_gradient<N: Network + Logits>(
    net: &mut N,
    images: &[N::Input],
    labels: &[usize],
    ws: &mut Workspace<N>,
    _: &mut ChaCha8Rng,
) -> Fallible<f64> {
    const STEP: f32 = 1e-2;
    let loss_at = |net: &mut N, ws: &mut Workspace<N>| -> Fallible<f64> {
        net.forward(images, ws);
        Ok(CrossEntropy::new().forward_backward(labels, ws)?)
    };
    for weight in 0..N::Parameters::LEN {
        let kept = net.parameters_flat()[weight];
        net.parameters_flat_mut()[weight] = kept + STEP;
        let above = loss_at(net, ws)?;
        net.parameters_flat_mut()[weight] = kept - STEP;
        let below = loss_at(net, ws)?;
        net.parameters_flat_mut()[weight] = kept;
        let slope = (above - below) / f64::from(2.0 * STEP);
        ws.gradients_mut().as_flat_mut()[weight] = slope as f32;
    }
    loss_at(net, ws)
}

/// An image, and how much each pixel moves the score of its class.
struct Map {
    digit: usize,
    image: [[f32; 8]; 8],
    slopes: [[f32; 8]; 8],
}

/// One call: the image 64 times, and in each a direction in which one pixel moves.
fn sensitivity(net: &Seeing, data: &Images, digit: usize) -> Fallible<Map> {
    let found = data
        .inputs()
        .iter()
        .zip(data.targets())
        .find(|(image, label)| **label == digit && net.predict(image) == digit);
    let (&image, _) = found.ok_or("no such digit is recognised")?;
    let images = [image; 64];
    let mut directions = [[[[0.0; 8]; 8]; 1]; 64];
    for (pixel, direction) in directions.iter_mut().enumerate() {
        direction[0][pixel / 8][pixel % 8] = 1.0;
    }
    let (mut outputs, mut tangents) = ([[0.0; 10]; 64], [[0.0; 10]; 64]);
    let along = Direction::of_inputs(&directions);
    net.jvp_into(&mut Seeing::workspace(64), &images, along, &mut outputs, &mut tangents)?;
    let mut slopes = [[0.0; 8]; 8];
    for (pixel, tangent) in tangents.iter().enumerate() {
        slopes[pixel / 8][pixel % 8] = tangent[digit];
    }
    Ok(Map { digit, image: image[0], slopes })
}

const COLOURS: [RGBColor; 3] =
    [RGBColor(0x4a, 0x86, 0xc8), RGBColor(0xc2, 0x41, 0x4f), RGBColor(0x5a, 0x9e, 0x5e)];

fn draw(runs: &[Run], maps: &[Map]) -> Fallible {
    let root = SVGBackend::new(PICTURE, (1100, 460)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(560);
    let mut chart = ChartBuilder::on(&left)
        .caption("loss against time", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((1e-3..TIME.as_secs_f64()).log_scale(), 0.0..2.5)?;
    chart
        .configure_mesh()
        .x_desc("seconds")
        .y_desc("loss of a minibatch, smoothed")
        .light_line_style(WHITE)
        .x_label_formatter(&|x| format!("{x}"))
        .draw()?;
    for (run, colour) in runs.iter().zip(COLOURS) {
        // As many points as can be seen.
        let mut next = 0.0;
        let points = run.curve.iter().copied().filter(|&(seconds, _)| {
            let is_apart = seconds >= next;
            if is_apart {
                next = 1.01 * seconds;
            }
            is_apart
        });
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(run.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let background = WHITE.mix(0.9);
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(background)
        .border_style(WHITE)
        .draw()?;

    let caption = ("sans-serif", 18).into_font();
    right.draw(&Text::new("which pixels move the score of the digit", (60, 14), caption))?;
    for (index, map) in maps.iter().enumerate() {
        let corner = (36 + 260 * (index as i32 % 2), 50 + 200 * (index as i32 / 2));
        let label = ("sans-serif", 14).into_font();
        if index == 0 {
            let text = "left the image; right: red for it, blue against it";
            right.draw(&Text::new(text, (60, 36), ("sans-serif", 13).into_font()))?;
        }
        right.draw(&Text::new(map.digit.to_string(), (corner.0 - 14, corner.1 + 60), label))?;
        let largest = map.slopes.as_flattened().iter().fold(0.0_f32, |most, s| most.max(s.abs()));
        for row in 0..8 {
            for column in 0..8 {
                let at = |left: i32| {
                    let (x, y) = (corner.0 + left + 14 * column as i32, corner.1 + 14 * row as i32);
                    [(x, y), (x + 14, y + 14)]
                };
                let ink = 255 - (255.0 * map.image[row][column]) as u8;
                let ink = RGBColor(ink, ink, ink);
                right.draw(&Rectangle::new(at(0), ink.filled()))?;
                let slope = map.slopes[row][column] / largest;
                let pale = 255 - (255.0 * slope.abs()) as u8;
                let colour =
                    if slope > 0.0 { RGBColor(255, pale, pale) } else { RGBColor(pale, pale, 255) };
                right.draw(&Rectangle::new(at(122), colour.filled()))?;
            }
        }
    }
    root.present()?;
    Ok(())
}

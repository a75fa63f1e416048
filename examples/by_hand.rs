//! The textbook's loop, without a trainer: `cargo run --release --example by_hand` writes
//! `by_hand.svg`.
//!
//! 1. Minibatch gradient descent and full-batch gradient descent on the embedded digits, side by side.
//! 2. A gradient check: how far one-sided and central differences are from the slope that
//!    backpropagation gives, for steps of every size.

use plotters::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::prelude::*;
use typenet::{Flat, reference};

network! {
    /// Smooth everywhere, so that its slopes can be compared with differences.
    pub struct Digits: [1, 8, 8] -> [10] {
        conv1: conv2d(8, kernel = 3, padding = 1), tanh,
        avg_pool2d(2),
        flatten,
        fc1: linear(32), tanh,
        fc2: linear(10),
    }
}

const DIGITS: &[u8] = include_bytes!("../data/digits.csv.gz");
const PICTURE: &str = "by_hand.svg";
const LEARNING_RATE: f32 = 0.1;
const EPOCHS: u64 = 12;

/// A curve: where, and how large.
type Curve = Vec<(f64, f64)>;
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Dataset::<Input<Digits>>::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (train, test) = digits.split_at(1437, 7)?;

    let mut net = Digits::seeded(42);
    let minibatch = minibatches(&mut net, &train)?;
    let full = full_batch(&mut Digits::seeded(42), &train)?;
    println!("minibatches of 32: {}", evaluate(&net, &CrossEntropy::new(), &test)?);

    let (one_sided, central) = gradient_check(&mut Digits::seeded(42), &train.take(8))?;
    draw([&minibatch, &full], [&one_sided, &central])?;
    println!("drawn in {PICTURE}");
    Ok(())
}

/// Minibatch, forward, loss, backward, update. Returns the loss after each share of an epoch.
fn minibatches(net: &mut Digits, train: &Dataset<Input<Digits>>) -> Fallible<Curve> {
    let mut ws = Digits::workspace(32);
    let mut curve = Curve::new();
    for epoch in 0..EPOCHS {
        let batches = train.minibatches(32, epoch);
        let count = batches.len();
        for (index, batch) in batches.enumerate() {
            net.forward(&batch.inputs, &mut ws);
            let loss = CrossEntropy::new().forward_backward(&batch.labels, &mut ws)?;
            net.backward(&batch.inputs, &mut ws);
            // The update: w ← w − learning_rate · ∂L/∂w.
            let weights = net.parameters_flat_mut().iter_mut();
            for (weight, slope) in weights.zip(ws.gradients().as_flat()) {
                *weight -= LEARNING_RATE * slope;
            }
            curve.push((epoch as f64 + (index + 1) as f64 / count as f64, loss));
        }
    }
    Ok(curve)
}

/// One step an epoch, downhill on the loss of all images.
fn full_batch(net: &mut Digits, train: &Dataset<Input<Digits>>) -> Fallible<Curve> {
    let mut ws = Digits::workspace(train.len());
    let mut curve = Curve::new();
    for epoch in 0..EPOCHS {
        net.forward(train.inputs(), &mut ws);
        let loss = CrossEntropy::new().forward_backward(train.targets(), &mut ws)?;
        net.backward(train.inputs(), &mut ws);
        let weights = net.parameters_flat_mut().iter_mut();
        for (weight, slope) in weights.zip(ws.gradients().as_flat()) {
            *weight -= LEARNING_RATE * slope;
        }
        curve.push((epoch as f64 + 1.0, loss));
    }
    Ok(curve)
}

/// The slope of the loss in a direction v is ∇L · v. Compares it with (L(w + hv) − L(w)) / h and
/// (L(w + hv) − L(w − hv)) / 2h, computed in f64: the relative errors for each h.
fn gradient_check(net: &mut Digits, data: &Dataset<Input<Digits>>) -> Fallible<(Curve, Curve)> {
    let mut ws = Digits::workspace(data.len());
    net.forward(data.inputs(), &mut ws);
    CrossEntropy::new().forward_backward(data.targets(), &mut ws)?;
    net.backward(data.inputs(), &mut ws);

    let mut random = ChaCha8Rng::seed_from_u64(1);
    let weights: Vec<f64> = net.parameters_flat().iter().copied().map(f64::from).collect();
    let direction: Vec<f64> = weights.iter().map(|_| random.random_range(-1.0..1.0)).collect();
    let gradient = ws.gradients().as_flat().iter().copied().map(f64::from);
    let slope: f64 = gradient.zip(&direction).map(|(slope, v)| slope * v).sum();

    let loss_at = |h: f64| {
        let moved: Vec<f64> = weights.iter().zip(&direction).map(|(w, v)| w + h * v).collect();
        loss(&moved, data)
    };
    println!("slope by backpropagation, ∇L · v: {slope:.9}");
    println!("{:>8} {:>14} {:>14}", "h", "one-sided", "central");
    let (mut one_sided, mut central) = (Curve::new(), Curve::new());
    for step in 0..=44 {
        let h = 10f64.powf(-f64::from(step) / 4.0);
        let (ahead, here, behind) = (loss_at(h), loss_at(0.0), loss_at(-h));
        let (first, second) = ((ahead - here) / h, (ahead - behind) / (2.0 * h));
        if step % 4 == 0 {
            println!("{h:>8.0e} {first:>14.9} {second:>14.9}");
        }
        let error = |difference: f64| ((difference - slope) / slope).abs().max(1e-12);
        one_sided.push((h, error(first)));
        central.push((h, error(second)));
    }
    Ok((one_sided, central))
}

/// The mean cross-entropy in f64: −ln of the probability of the right class.
fn loss(weights: &[f64], data: &Dataset<Input<Digits>>) -> f64 {
    let of_one = |(image, &label): (&Input<Digits>, &usize)| {
        let image: Vec<f64> = image.as_flat().iter().copied().map(f64::from).collect();
        let evaluation = reference::evaluate::<Digits>(weights, &image);
        let logits = evaluation.output();
        logits.iter().map(|x| x.exp()).sum::<f64>().ln() - logits[label]
    };
    data.inputs().iter().zip(data.targets()).map(of_one).sum::<f64>() / data.len() as f64
}

fn draw(descents: [&Curve; 2], checks: [&Curve; 2]) -> Fallible {
    let root = SVGBackend::new(PICTURE, (1100, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(550);
    let colours = [RGBColor(0x4a, 0x86, 0xc8), RGBColor(0xc2, 0x41, 0x4f)];

    let mut chart = ChartBuilder::on(&left)
        .caption("descent", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..EPOCHS as f64, 0.0..2.5)?;
    chart.configure_mesh().x_desc("epochs").y_desc("loss").light_line_style(WHITE).draw()?;
    let names = ["minibatches of 32", "full batch"];
    for ((curve, colour), name) in descents.into_iter().zip(colours).zip(names) {
        let line = LineSeries::new(curve.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let background = WHITE.mix(0.9);
    chart.configure_series_labels().background_style(background).border_style(WHITE).draw()?;

    let mut chart = ChartBuilder::on(&right)
        .caption("differences against backpropagation", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d((1e-11..1.0).log_scale(), (1e-12..10.0).log_scale())?;
    let power = |x: &f64| format!("1e{:.0}", x.log10());
    chart
        .configure_mesh()
        .x_desc("step h")
        .y_desc("relative error of the slope")
        .light_line_style(WHITE)
        .x_label_formatter(&power)
        .y_label_formatter(&power)
        .draw()?;
    let names = ["(L(w + hv) − L(w)) / h", "(L(w + hv) − L(w − hv)) / 2h"];
    for ((curve, colour), name) in checks.into_iter().zip(colours).zip(names) {
        let line = LineSeries::new(curve.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(background)
        .border_style(WHITE)
        .draw()?;
    root.present()?;
    Ok(())
}

//! Fits a function with noise by squared differences and draws the fit:
//! `cargo run --release --example regression` writes `regression.svg`.

use plotters::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::prelude::*;

network! {
    /// One number in, one number out.
    pub struct Curve: [1] -> [1] {
        fc1: linear(32), tanh,
        fc2: linear(32), tanh,
        fc3: linear(1),
    }
}

const PICTURE: &str = "regression.svg";

fn truth(x: f32) -> f32 {
    (3.0 * x).sin() + 0.5 * x
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let (xs, ys): (Vec<[f32; 1]>, Vec<[f32; 1]>) = (0..300)
        .map(|_| {
            let x = random.random_range(-2.0f32..2.0);
            ([x], [truth(x) + random.random_range(-0.3f32..0.3)])
        })
        .unzip();
    let data = Dataset::from_inputs(&xs, ys.clone())?;
    let (train, test) = data.split(0.2, 1)?;

    println!("{}\n", Curve::summary());
    let mut net = Curve::seeded_with(Scheme::XavierUniform, 5);
    let history = Trainer::new(Sgd::new(0.05).momentum(0.9).schedule(Schedule::cosine(1000)))
        .loss(SumSquaredError::new())
        .regularizer(Regularizer::l2(1e-5))
        .batch(32)
        .epochs(1000)
        .fit(&mut net, &train, Some(&test))?;
    for epoch in history.epochs.iter().step_by(200).chain(history.epochs.last()) {
        println!("{epoch}");
    }

    let root = SVGBackend::new(PICTURE, (800, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("a net fitted with squared differences", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(40)
        .build_cartesian_2d(-2.0f32..2.0, -2.6f32..2.6)?;
    chart.configure_mesh().x_desc("x").y_desc("y").light_line_style(WHITE).draw()?;
    let grey = RGBColor(150, 150, 150);
    chart
        .draw_series(xs.iter().zip(&ys).map(|(x, y)| Circle::new((x[0], y[0]), 2, grey.filled())))?
        .label("data: sin 3x + x/2, with noise")
        .legend(move |(x, y)| Circle::new((x + 10, y), 3, grey.filled()));
    let steps = || (-200..=200).map(|i| i as f32 / 100.0);
    chart
        .draw_series(LineSeries::new(steps().map(|x| (x, truth(x))), BLUE.mix(0.5)))?
        .label("the function")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLUE.mix(0.5)));
    chart
        .draw_series(LineSeries::new(
            steps().map(|x| (x, net.output(&[x])[0])),
            RED.stroke_width(2),
        ))?
        .label("the net")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], RED.stroke_width(2)));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    root.present()?;
    let last = history.epochs.last().and_then(|epoch| epoch.test.as_ref());
    println!("\ndrawn in {PICTURE}; test loss {:.4}", last.map_or(f64::NAN, |test| test.loss));
    Ok(())
}

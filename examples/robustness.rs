//! What makes recognition hard, and what augmentation does about it:
//! `cargo run --release --example robustness` writes `robustness.svg`.
//!
//! One net learns the embedded digits as they are; beside it, for each kind of change, one learns from
//! digits that are changed anew in each epoch. Both are tested on digits with more and more of that
//! change: viewpoint (rotation, scale), illumination, deformation, occlusion and background clutter.

use plotters::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::Flat;
use typenet::data::{Augment, Draw, Examples, View};
use typenet::prelude::*;

network! {
    pub struct Digits: [1, 8, 8] -> [10] {
        conv1: conv2d(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        conv2: conv2d(32, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
        max_pool2d(2),
        conv3: conv2d(64, kernel = 3, padding = 1, bias = false), bn3: batch_norm, relu,
        max_pool2d(2),
        flatten,
        fc: linear(10),
    }
}

type Image = Input<Digits>;
type Set = Dataset<Image>;
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

const DIGITS: &[u8] = include_bytes!("../data/digits.csv.gz");
const PICTURE: &str = "robustness.svg";
const EPOCHS: usize = 30;
/// The strengths at which nets are tested; augmentation draws them up to 1.
const STRENGTHS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// A kind of change.
#[derive(Clone, Copy)]
enum Kind {
    Rotation,
    Scale,
    Illumination,
    Deformation,
    Occlusion,
    Clutter,
}

impl Kind {
    const ALL: [Kind; 6] = [
        Kind::Rotation,
        Kind::Scale,
        Kind::Illumination,
        Kind::Deformation,
        Kind::Occlusion,
        Kind::Clutter,
    ];

    fn name(self) -> &'static str {
        match self {
            Kind::Rotation => "viewpoint: rotation",
            Kind::Scale => "viewpoint: scale",
            Kind::Illumination => "illumination",
            Kind::Deformation => "deformation",
            Kind::Occlusion => "occlusion",
            Kind::Clutter => "background clutter",
        }
    }

    /// Changes an image, 0 not at all, 1 strongly.
    fn change(self, strength: f64, image: &mut Image, draw: Draw) -> typenet::Result<()> {
        let augment = Augment::new();
        let augment = match self {
            _ if strength == 0.0 => return Ok(()),
            Kind::Rotation => augment.rotation(60.0 * strength),
            Kind::Scale => augment.scale(1.0 - 0.5 * strength, 1.0 + 0.5 * strength),
            Kind::Illumination => augment.color_jitter(0.95 * strength, 0.95 * strength, 0.0, 0.0),
            Kind::Deformation => augment.elastic(16.0 * strength, 2.0),
            Kind::Occlusion => augment.cutout((5.0 * strength).round().max(1.0) as usize),
            Kind::Clutter => {
                clutter(strength as f32, image, draw);
                return Ok(());
            }
        };
        augment.apply(image, draw)
    }
}

/// Puts three short strokes behind the digit.
fn clutter(strength: f32, image: &mut Image, draw: Draw) {
    let seed = draw.seed ^ (draw.epoch as u64) << 20 ^ (draw.index as u64) << 40;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..3 {
        let (row, column) = (random.random_range(0.0..8.0f32), random.random_range(0.0..8.0f32));
        let angle = random.random_range(0.0..std::f32::consts::TAU);
        for step in 0..5 {
            let along = step as f32 - 2.0;
            let (i, j) = (row + along * angle.sin(), column + along * angle.cos());
            if (0.0..8.0).contains(&i) && (0.0..8.0).contains(&j) {
                let pixel = &mut image[0][i as usize][j as usize];
                *pixel = pixel.max(0.9 * strength);
            }
        }
    }
}

/// Digits that are changed anew in each epoch, each with a strength of its own.
struct Changed<'a> {
    digits: &'a Set,
    kind: Kind,
    seed: u64,
}

impl Examples<Image, usize> for Changed<'_> {
    fn len(&self) -> usize {
        self.digits.len()
    }

    fn target(&self, view: View, index: usize) -> typenet::Result<usize> {
        self.digits.target(view, index)
    }

    fn inputs_into(
        &self,
        view: View,
        indices: &[usize],
        numbers: &mut [f32],
    ) -> typenet::Result<()> {
        self.digits.inputs_into(view, indices, numbers)?;
        let View::Epoch(epoch) = view else { return Ok(()) };
        let images = Image::slice_from_flat_mut(numbers).unwrap_or_default();
        for (image, &index) in images.iter_mut().zip(indices) {
            let draw = Draw { seed: self.seed, epoch, index };
            let strength = ChaCha8Rng::seed_from_u64((epoch * self.len() + index) as u64);
            self.kind.change({ strength }.random_range(0.0..1.0), image, draw)?;
        }
        Ok(())
    }
}

fn main() -> Fallible {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Set::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (train, test) = digits.split_stratified(0.3, 7)?;

    let mut plain = Digits::seeded(1);
    trainer().fit(&mut plain, &train, None)?;
    println!("accuracy in % on digits with a change of strength");
    let strengths = STRENGTHS.map(|strength| format!("{strength:>7.2}")).concat();
    println!("{:<22}{:<12}{strengths}", "change", "trained");
    let mut curves = Vec::new();
    for kind in Kind::ALL {
        let mut augmented = Digits::seeded(1);
        let changed = Changed { digits: &train, kind, seed: 3 };
        trainer().fit(&mut augmented, &changed, None)?;
        let of = |net| STRENGTHS.iter().map(|&s| accuracy(net, &test, kind, s)).collect();
        let both: [Fallible<Vec<f64>>; 2] = [of(&plain), of(&augmented)];
        let [without, with] = both;
        let (without, with) = (without?, with?);
        for (curve, trained) in [(&without, "without"), (&with, "with")] {
            let numbers = curve.iter().map(|x| format!("{x:>7.1}")).collect::<String>();
            println!("{:<22}{trained:<12}{numbers}", kind.name());
        }
        curves.push((kind, without, with));
    }
    draw(&test, &curves)?;
    println!("drawn in {PICTURE}");
    Ok(())
}

fn trainer() -> Trainer<CrossEntropy, AdamW> {
    let schedule = Schedule::cosine(EPOCHS);
    Trainer::new(AdamW::new(3e-3).schedule(schedule))
        .loss(CrossEntropy::new())
        .batch(64)
        .epochs(EPOCHS)
}

fn changed(test: &Set, kind: Kind, strength: f64) -> Fallible<Vec<Image>> {
    let mut images = test.inputs().to_vec();
    for (index, image) in images.iter_mut().enumerate() {
        kind.change(strength, image, Draw { seed: 11, epoch: 0, index })?;
    }
    Ok(images)
}

fn accuracy(net: &Digits, test: &Set, kind: Kind, strength: f64) -> Fallible<f64> {
    let images = changed(test, kind, strength)?;
    let right = net.predict_batch(&images).into_iter().zip(test.targets());
    let right = right.filter(|(class, label)| class == *label).count();
    Ok(100.0 * right as f64 / test.len() as f64)
}

/// A panel for each kind: digits under the full change, and the accuracies below.
fn draw(test: &Set, curves: &[(Kind, Vec<f64>, Vec<f64>)]) -> Fallible {
    let root = SVGBackend::new(PICTURE, (1080, 760)).into_drawing_area();
    root.fill(&WHITE)?;
    let colours = [RGBColor(0xc2, 0x41, 0x4f), RGBColor(0x4a, 0x86, 0xc8)];
    for ((kind, without, with), panel) in curves.iter().zip(root.split_evenly((2, 3))) {
        let (shown, below) = panel.split_vertically(100);
        let images = changed(test, *kind, 1.0)?;
        shown.draw(&Text::new(kind.name(), (56, 12), ("sans-serif", 18)))?;
        for (place, image) in images.iter().take(6).enumerate() {
            for (row, pixels) in image[0].iter().enumerate() {
                for (column, &ink) in pixels.iter().enumerate() {
                    let grey = 255 - (255.0 * ink.clamp(0.0, 1.0)) as u8;
                    let corner = (56 + 48 * place as i32 + 5 * column as i32, 44 + 5 * row as i32);
                    let pixel = [corner, (corner.0 + 5, corner.1 + 5)];
                    shown.draw(&Rectangle::new(pixel, RGBColor(grey, grey, grey).filled()))?;
                }
            }
        }
        let mut chart = ChartBuilder::on(&below)
            .margin(10)
            .x_label_area_size(34)
            .y_label_area_size(46)
            .build_cartesian_2d(0.0..1.0, 0.0..100.0)?;
        chart
            .configure_mesh()
            .x_desc("strength")
            .y_desc("accuracy, %")
            .x_labels(5)
            .y_labels(5)
            .light_line_style(WHITE)
            .draw()?;
        let names = ["trained without the change", "trained with it"];
        for ((curve, colour), name) in [without, with].into_iter().zip(colours).zip(names) {
            let points = STRENGTHS.iter().copied().zip(curve.iter().copied());
            chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?.label(name).legend(
                move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)),
            );
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.9))
            .border_style(WHITE)
            .draw()?;
    }
    root.present()?;
    Ok(())
}

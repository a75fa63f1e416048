//! The charts of a report, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::record::{Confusion, EpochRecord, Record};
use crate::{Error, Result};

const SIZE: (u32, u32) = (560, 320);
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const SOFT: RGBColor = RGBColor(0x6b, 0x72, 0x80);
const GRID: RGBColor = RGBColor(0xe9, 0xec, 0xef);
const BATCH: RGBColor = RGBColor(0xc4, 0xd3, 0xe6);
const TRAIN: RGBColor = RGBColor(0x4a, 0x86, 0xc8);
const VALIDATION: RGBColor = RGBColor(0xcc, 0x8a, 0x30);
const TEST: RGBColor = RGBColor(0x4f, 0x9d, 0x6b);
const RIGHT: RGBColor = RGBColor(0x2f, 0x6f, 0xb5);
const WRONG: RGBColor = RGBColor(0xc2, 0x41, 0x4f);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// One line of a chart.
struct Line {
    label: &'static str,
    colour: RGBColor,
    width: u32,
    points: Vec<(f64, f64)>,
}

/// The loss of batches and epochs; `None` where no epoch was recorded.
pub(crate) fn loss(record: &Record) -> Result<Option<String>> {
    let epochs = &record.epochs;
    let mut lines = vec![
        of_epochs("training", TRAIN, epochs, |epoch| Some(epoch.loss)),
        of_epochs("validation", VALIDATION, epochs, |epoch| epoch.validation_loss),
        of_epochs("test", TEST, epochs, |epoch| epoch.test_loss),
    ];
    let values = lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let most = values.fold(0.0, f64::max);
    if record.batch_losses.len() > epochs.len() {
        lines.insert(0, of_batches(record, 1.15 * most));
    }
    draw_lines("loss", lines, 0.0..1.15 * most, |y| short(*y))
}

/// The accuracies of epochs; `None` where none was recorded.
pub(crate) fn accuracy(record: &Record) -> Result<Option<String>> {
    let epochs = &record.epochs;
    let lines = vec![
        of_epochs("training", TRAIN, epochs, |epoch| epoch.accuracy),
        of_epochs("validation", VALIDATION, epochs, |epoch| epoch.validation_accuracy),
        of_epochs("test", TEST, epochs, |epoch| epoch.test_accuracy),
    ];
    let values = lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let least = values.fold(1.0, f64::min);
    let low = (10.0 * (least - 0.02)).floor().max(0.0) / 10.0;
    draw_lines("accuracy", lines, low..1.0, |y| format!("{:.0} %", 100.0 * y))
}

/// The learning rates of epochs; `None` where no epoch was recorded.
pub(crate) fn learning_rate(record: &Record) -> Result<Option<String>> {
    let line = of_epochs("", TRAIN, &record.epochs, |epoch| Some(epoch.learning_rate));
    let most = line.points.iter().map(|point| point.1).fold(0.0, f64::max);
    draw_lines("learning rate", vec![line], 0.0..1.15 * most, |y| short(*y))
}

fn of_epochs(
    label: &'static str,
    colour: RGBColor,
    epochs: &[EpochRecord],
    value: impl Fn(&EpochRecord) -> Option<f64>,
) -> Line {
    let point = |epoch: &EpochRecord| Some((epoch.epoch as f64, value(epoch)?));
    let points = epochs.iter().filter_map(point).filter(|point| point.1.is_finite());
    Line { label, colour, width: 2, points: points.collect() }
}

/// The losses of the batches, averaged so that no more than a few hundred points are drawn.
fn of_batches(record: &Record, most: f64) -> Line {
    let losses = &record.batch_losses;
    let window = losses.len().div_ceil(400);
    let last = record.epochs.last().map_or(0, |epoch| epoch.epoch);
    let first = record.epochs.first().map_or(0, |epoch| epoch.epoch.saturating_sub(1));
    let span = (last - first.min(last)) as f64;
    let point = |(index, losses): (usize, &[f64])| {
        let middle = (index * window) as f64 + 0.5 * losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        (first as f64 + span * middle / record.batch_losses.len() as f64, mean.min(most))
    };
    let points = losses.chunks(window).enumerate().map(point).filter(|point| point.1.is_finite());
    Line { label: "batches", colour: BATCH, width: 1, points: points.collect() }
}

/// A number with as many digits as a reader needs at an axis.
fn short(number: f64) -> String {
    match number.abs() {
        0.0 => "0".into(),
        x if x < 1e-3 => format!("{number:.0e}"),
        x if x < 0.1 => format!("{number:.3}"),
        x if x < 10.0 => format!("{number:.2}"),
        x if x < 1e5 => format!("{number:.0}"),
        _ => format!("{number:.0e}"),
    }
}

fn draw_lines(
    title: &'static str,
    mut lines: Vec<Line>,
    range: std::ops::Range<f64>,
    label: impl Fn(&f64) -> String,
) -> Result<Option<String>> {
    lines.retain(|line| !line.points.is_empty());
    let xs = || lines.iter().flat_map(|line| &line.points).map(|point| point.0);
    let (first, last) = (xs().fold(f64::INFINITY, f64::min), xs().fold(0.0, f64::max));
    if lines.is_empty() {
        return Ok(None);
    }
    // A range of no length has no ticks.
    let range = if range.end > range.start { range } else { range.start..range.start + 1.0 };
    let xs = if last > first { first..last } else { first - 0.5..last + 0.5 };
    let mut svg = String::new();
    let draw = || -> Drawn {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .margin_right(18)
            .caption(title, ("sans-serif", 16, FontStyle::Bold, &INK))
            .x_label_area_size(34)
            .y_label_area_size(52)
            .build_cartesian_2d(xs, range)?;
        chart
            .configure_mesh()
            .axis_style(SOFT)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 12, &SOFT))
            .x_desc("epoch")
            .x_labels(10)
            .x_label_formatter(&|x| if x.fract() == 0.0 { format!("{x}") } else { String::new() })
            .y_labels(6)
            .y_label_formatter(&label)
            .draw()?;
        let several = lines.len() > 1;
        for Line { label, colour, width, points } in &lines {
            let style = colour.stroke_width(*width);
            if let &[(x, y)] = &points[..] {
                chart.draw_series([Circle::new((x, y), 3, colour.filled())])?;
            }
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style))?
                .label(*label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
        if several {
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.85))
                .border_style(GRID)
                .label_font(("sans-serif", 12, &INK))
                .position(match title {
                    "accuracy" => SeriesLabelPosition::LowerRight,
                    _ => SeriesLabelPosition::UpperRight,
                })
                .draw()?;
        }
        root.present()?;
        Ok(())
    };
    draw().map_err(Error::draw(title))?;
    Ok(Some(svg))
}

/// The confusion matrix as a heat map: rows are actual classes, columns predicted ones. A cell's depth
/// is its share of the row; what is right is blue, what is wrong is red.
pub(crate) fn confusion(confusion: &Confusion) -> Result<String> {
    let classes = confusion.classes.len().max(1);
    let cell = (520 / classes).clamp(5, 46) as i32;
    let (has_names, has_counts) = (cell >= 12, cell >= 24);
    let longest = confusion.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let margin = if has_names { 34 + 7 * longest.min(20) as i32 } else { 34 };
    let side = cell * classes as i32;
    let mut svg = String::new();
    let size = ((margin + side + 12) as u32, (margin + side + 12) as u32);
    let mut draw = || -> Drawn {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        for (actual, row) in confusion.counts.iter().enumerate() {
            let images = row.iter().sum::<usize>().max(1);
            for (predicted, &count) in row.iter().enumerate() {
                let share = count as f64 / images as f64;
                // The few that are wrong must be seen too.
                let depth = if count == 0 { 0.0 } else { 0.08 + 0.92 * share.sqrt() };
                let colour = if actual == predicted { RIGHT } else { WRONG };
                let x = margin + predicted as i32 * cell;
                let y = margin + actual as i32 * cell;
                let corners = [(x, y), (x + cell - 1, y + cell - 1)];
                root.draw(&Rectangle::new(corners, GRID.filled()))?;
                root.draw(&Rectangle::new(corners, colour.mix(depth).filled()))?;
                if has_counts && count > 0 {
                    let ink = if depth > 0.6 { WHITE } else { INK };
                    let middle = (x + cell / 2, y + cell / 2);
                    let text = count.to_string();
                    // A wide number must fit its cell.
                    let fit = 1.6 * f64::from(cell - 4) / text.len() as f64;
                    put(&root, &text, middle, (HPos::Center, VPos::Center), fit.min(13.0), ink)?;
                }
            }
            if has_names {
                let name = shortened(&confusion.classes[actual]);
                let middle = margin + actual as i32 * cell + cell / 2;
                let place = (margin - 6, middle);
                put(&root, &name, place, (HPos::Right, VPos::Center), 12.0, INK)?;
                if longest <= 2 {
                    let place = (middle, margin - 6);
                    put(&root, &name, place, (HPos::Center, VPos::Bottom), 12.0, INK)?;
                    continue;
                }
                let style = style(12.0, INK)
                    .transform(FontTransform::Rotate270)
                    .pos(Pos::new(HPos::Left, VPos::Center));
                root.draw(&Text::new(name, (middle, margin - 6), style))?;
            }
        }
        let end = margin + side;
        put(&root, "predicted →", (end, 4), (HPos::Right, VPos::Top), 12.0, SOFT)?;
        let style = style(12.0, SOFT)
            .transform(FontTransform::Rotate270)
            .pos(Pos::new(HPos::Left, VPos::Top));
        root.draw(&Text::new("← actual", (4, end), style))?;
        root.present()?;
        Ok(())
    };
    draw().map_err(Error::draw("confusion matrix"))?;
    Ok(svg)
}

fn style(size: f64, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

fn put(
    root: &Area<'_>,
    text: &str,
    place: (i32, i32),
    (horizontal, vertical): (HPos, VPos),
    size: f64,
    colour: RGBColor,
) -> Drawn {
    let style = style(size, colour).pos(Pos::new(horizontal, vertical));
    root.draw(&Text::new(text.to_owned(), place, style))
}

/// A name that fits beside a heat map.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 20 {
        name.to_owned()
    } else {
        name.chars().take(19).chain(['…']).collect()
    }
}

//! What is shown, and how.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Axis, Block, BorderType, Chart, Dataset, Gauge, GraphType, LegendPosition, Paragraph,
};
use typenet_runtime::train::{Epoch, Evaluation, Moment};

use crate::curve::{limits, means};

const TRAINING: Color = Color::Cyan;
const VALIDATION: Color = Color::Yellow;

type Curve = Vec<(f64, f64)>;

/// All that is shown of a run.
#[derive(Debug, Default)]
pub(crate) struct View {
    net: &'static str,
    epoch: usize,
    epochs: usize,
    batch: usize,
    batches: usize,
    steps: u64,
    learning_rate: f64,
    gradient_norm: Option<f64>,
    images_per_second: Option<f64>,
    batch_losses: Curve,
    losses: [Curve; 2],
    accuracies: [Curve; 2],
    last: Option<String>,
    /// When it was first updated, and after how many steps.
    start: Option<(Instant, u64)>,
    passed: Duration,
}

impl View {
    pub(crate) fn update(&mut self, moment: &Moment<'_>, now: Instant) {
        let history = moment.history();
        let (start, _) = *self.start.get_or_insert((now, moment.steps()));
        self.passed = now.duration_since(start);
        (self.net, self.epoch, self.epochs) = (moment.net(), moment.epoch(), moment.epochs());
        (self.batch, self.batches, self.steps) = (moment.batch(), moment.batches(), moment.steps());
        self.learning_rate = f64::from(moment.learning_rate());
        self.gradient_norm = moment.gradient_norm();
        let epochs = &history.epochs;
        self.images_per_second = epochs.last().map(|epoch| epoch.images_per_second);
        let a_step = 1.0 / moment.batches().max(1) as f64;
        self.batch_losses = means(&history.batch_losses, a_step, a_step);
        let curve = |of: &dyn Fn(&Epoch) -> Option<f64>| -> Curve {
            let points = epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, of(epoch)?)));
            points.filter(|(_, y)| y.is_finite()).collect()
        };
        self.losses =
            [curve(&|epoch| Some(epoch.loss)), curve(&|epoch| Some(held_back(epoch)?.loss))];
        self.accuracies = [
            curve(&|epoch| epoch.accuracy),
            curve(&|epoch| held_back(epoch).and_then(Evaluation::accuracy)),
        ];
        self.last = epochs.last().map(ToString::to_string);
    }

    /// The share of all epochs that has been trained.
    fn share(&self) -> f64 {
        let epochs = self.epoch.saturating_sub(1) as f64;
        let epochs = epochs + self.batch as f64 / self.batches.max(1) as f64;
        (epochs / self.epochs.max(1) as f64).clamp(0.0, 1.0)
    }

    /// The time left at the speed so far.
    fn left(&self) -> Option<Duration> {
        let (_, first) = self.start?;
        let (done, all) = (self.steps.saturating_sub(first), (self.epochs * self.batches) as u64);
        let trained = (self.epoch.saturating_sub(1) * self.batches + self.batch) as u64;
        let left = all.saturating_sub(trained) as f64;
        let seconds = self.passed.as_secs_f64() * left / done as f64;
        (done > 0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>) {
        let rows = [Constraint::Length(3), Constraint::Min(8), Constraint::Length(4)];
        let [top, middle, bottom] = Layout::vertical(rows).areas(frame.area());
        self.draw_progress(frame, top);
        let has_accuracy = self.accuracies.iter().any(|curve| !curve.is_empty());
        if has_accuracy {
            let halves = [Constraint::Percentage(50); 2];
            let [left, right] = Layout::horizontal(halves).areas(middle);
            self.draw_losses(frame, left);
            self.draw_accuracies(frame, right);
        } else {
            self.draw_losses(frame, middle);
        }
        self.draw_numbers(frame, bottom);
    }

    fn draw_progress(&self, frame: &mut Frame<'_>, area: Rect) {
        let title = format!(" {} · epoch {} of {} ", self.net, self.epoch, self.epochs);
        let left = self.left().map(|left| format!(", {} left", clock(left))).unwrap_or_default();
        let label = format!(
            "batch {} of {} · {} passed{left}",
            self.batch,
            self.batches,
            clock(self.passed)
        );
        let gauge = Gauge::default()
            .block(block(title))
            .gauge_style(Style::new().fg(Color::Blue).bg(Color::Black))
            .label(Span::styled(label, Style::new().fg(Color::White).bold()))
            .ratio(self.share());
        frame.render_widget(gauge, area);
    }

    fn draw_losses(&self, frame: &mut Frame<'_>, area: Rect) {
        let [training, validation] = &self.losses;
        let all = self.losses.iter().chain([&self.batch_losses]);
        let curves = [
            ("batches", &self.batch_losses, Color::DarkGray),
            ("training", training, TRAINING),
            ("held back", validation, VALIDATION),
        ];
        self.draw_chart(frame, area, " loss ", &curves, limits(all, 1e-6), &|loss| short(loss));
    }

    fn draw_accuracies(&self, frame: &mut Frame<'_>, area: Rect) {
        let [training, validation] = &self.accuracies;
        let curves = [("training", training, TRAINING), ("held back", validation, VALIDATION)];
        let limits = limits(self.accuracies.iter(), 0.02);
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        self.draw_chart(frame, area, " accuracy ", &curves, limits, &percent);
    }

    fn draw_chart(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        title: &str,
        curves: &[(&'static str, &Curve, Color)],
        limits: [f64; 2],
        text: &dyn Fn(f64) -> String,
    ) {
        let shown = curves.iter().filter(|(_, curve, _)| !curve.is_empty());
        let sets = shown.map(|(name, curve, color)| {
            // A single point is no line.
            let kind = if curve.len() > 1 { GraphType::Line } else { GraphType::Scatter };
            Dataset::default()
                .name(*name)
                .marker(Marker::Braille)
                .graph_type(kind)
                .style(Style::new().fg(*color))
                .data(curve)
        });
        let end = self.epochs.max(1) as f64;
        let labels = |ends: [String; 2]| ends.map(|end| Line::from(end).style(Color::DarkGray));
        let x = Axis::default()
            .bounds([0.0, end])
            .labels(labels(["0".into(), format!("{end} epochs")]));
        let y = Axis::default().bounds(limits).labels(labels(limits.map(text)));
        let axis = Style::new().fg(Color::DarkGray);
        let chart = Chart::new(sets.collect())
            .block(block(title.to_owned()))
            .legend_position(Some(LegendPosition::TopRight))
            .x_axis(x.style(axis))
            .y_axis(y.style(axis));
        frame.render_widget(chart, area);
    }

    fn draw_numbers(&self, frame: &mut Frame<'_>, area: Rect) {
        let mut first = vec![
            Span::raw("learning rate ").dim(),
            Span::raw(short(self.learning_rate)),
            Span::raw("   steps ").dim(),
            Span::raw(self.steps.to_string()),
        ];
        if let Some(norm) = self.gradient_norm {
            first.extend([Span::raw("   gradient norm ").dim(), Span::raw(short(norm))]);
        }
        if let Some(images) = self.images_per_second {
            first.extend([
                Span::raw("   images a second ").dim(),
                Span::raw(format!("{images:.0}")),
            ]);
        }
        let last = self.last.clone().unwrap_or_else(|| "the first epoch".to_owned());
        let lines = vec![Line::from(first), Line::from(last)];
        let keys = Line::from(" q stops after this step and keeps the net ").right_aligned();
        let numbers = Paragraph::new(lines).block(block(String::new()).title_bottom(keys.dim()));
        frame.render_widget(numbers, area);
    }
}

fn block(title: String) -> Block<'static> {
    let block = Block::bordered().border_type(BorderType::Rounded);
    block
        .border_style(Style::new().fg(Color::DarkGray))
        .title(Span::styled(title, Style::new().bold()))
}

/// The evaluation of an epoch on images that are not trained on.
fn held_back(epoch: &Epoch) -> Option<&Evaluation> {
    epoch.validation.as_ref().or(epoch.test.as_ref())
}

/// A number in few digits.
fn short(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        0.001..1e5 => format!("{number:.4}"),
        _ => format!("{number:.2e}"),
    }
}

/// A time as `1:02:03` or `2:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn screen(view: &View, width: u16, height: u16) -> String {
        let backend = TestBackend::new(width, height);
        let Ok(mut terminal) = Terminal::new(backend);
        let Ok(_) = terminal.draw(|frame| view.draw(frame));
        terminal.backend().to_string()
    }

    fn view() -> View {
        let now = Instant::now();
        View {
            net: "LeNet5",
            epoch: 3,
            epochs: 4,
            batch: 50,
            batches: 100,
            steps: 250,
            learning_rate: 0.05,
            gradient_norm: Some(1.25),
            images_per_second: Some(4321.4),
            batch_losses: (1..=250)
                .map(|i| (f64::from(i) / 100.0, 2.3 / f64::from(i).sqrt()))
                .collect(),
            losses: [vec![(1.0, 0.9), (2.0, 0.5)], vec![(1.0, 0.8), (2.0, 0.6)]],
            accuracies: [vec![(1.0, 0.6), (2.0, 0.8)], vec![(1.0, 0.7)]],
            last: Some("epoch   2  loss 0.5000".to_owned()),
            start: Some((now, 0)),
            passed: Duration::from_secs(125),
        }
    }

    #[test]
    fn everything_is_on_the_screen() {
        let screen = screen(&view(), 110, 30);
        for text in [
            "LeNet5 · epoch 3 of 4",
            "batch 50 of 100 · 2:05 passed, 1:15 left",
            "learning rate 0.0500",
            "steps 250",
            "gradient norm 1.2500",
            "images a second 4321",
            "epoch   2  loss 0.5000",
            "held back",
            "accuracy",
            "4 epochs",
            "q stops",
        ] {
            assert!(screen.contains(text), "no {text:?} in\n{screen}");
        }
    }

    #[test]
    fn without_classes_there_is_one_chart() {
        let mut view = view();
        view.accuracies = [Vec::new(), Vec::new()];
        let screen = screen(&view, 110, 30);
        assert!(screen.contains(" loss ") && !screen.contains("accuracy"), "{screen}");
    }

    #[test]
    fn no_size_and_no_state_is_too_small() {
        for (width, height) in [(1, 1), (3, 2), (10, 5), (40, 12), (300, 100)] {
            screen(&View::default(), width, height);
            screen(&view(), width, height);
        }
    }

    #[test]
    fn times_and_numbers_are_short() {
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(clock(Duration::from_secs(59)), "0:59");
        assert_eq!([0.0, 0.25, 1e-5, 1e6].map(short), ["0", "0.2500", "1.00e-5", "1.00e6"]);
    }
}

//! The progress bar of `fit`, which only a terminal shows.

use super::Epoch;

/// What the bar shows while an epoch runs.
#[cfg_attr(not(feature = "progress"), allow(dead_code))]
pub(super) struct Now {
    pub(super) epoch: usize,
    pub(super) epochs: usize,
    pub(super) loss: f64,
    pub(super) accuracy: Option<f64>,
    pub(super) images_per_second: f64,
    /// The share of the time in which the net waited for data.
    pub(super) waiting: f64,
}

#[cfg(feature = "progress")]
pub(super) struct Progress {
    bar: indicatif::ProgressBar,
    shown: std::time::Instant,
}

#[cfg(feature = "progress")]
impl Progress {
    pub(super) fn new(steps: u64, visible: bool) -> Progress {
        // Drawn to stderr, and by indicatif only if that is a terminal.
        let bar = if visible {
            indicatif::ProgressBar::new(steps)
        } else {
            indicatif::ProgressBar::hidden()
        };
        let template = "{prefix} {bar:24} {msg}  {eta} left";
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        let shown = std::time::Instant::now() - std::time::Duration::from_secs(1);
        Progress { bar, shown }
    }

    pub(super) fn step(&mut self, now: &Now) {
        self.bar.inc(1);
        if self.bar.is_hidden() || self.shown.elapsed().as_millis() < 100 {
            return;
        }
        self.shown = std::time::Instant::now();
        self.bar.set_prefix(format!("epoch {}/{}", now.epoch, now.epochs));
        let accuracy = match now.accuracy {
            Some(accuracy) => format!("  accuracy {:.2} %", 100.0 * accuracy),
            None => String::new(),
        };
        let waiting = match now.waiting {
            share if share >= 0.01 => format!("  {:.0} % waiting for data", 100.0 * share),
            _ => String::new(),
        };
        self.bar.set_message(format!(
            "loss {:.4}{accuracy}  {:.0} images/s{waiting}",
            now.loss, now.images_per_second
        ));
    }

    pub(super) fn epoch(&self, epoch: &Epoch) {
        if !self.bar.is_hidden() {
            self.bar.println(epoch.to_string());
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(not(feature = "progress"))]
pub(super) struct Progress;

#[cfg(not(feature = "progress"))]
impl Progress {
    pub(super) fn new(_steps: u64, _visible: bool) -> Progress {
        Progress
    }
    pub(super) fn step(&mut self, now: &Now) {
        let Now { epoch: _, epochs: _, loss: _, accuracy: _, images_per_second: _, waiting: _ } =
            now;
    }
    pub(super) fn epoch(&self, _epoch: &Epoch) {}
    pub(super) fn finish(&self) {}
}

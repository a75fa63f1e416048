//! A live view of a training run in the terminal: loss and accuracy as curves, the learning rate, the time left.
//!
//! ```no_run
//! use typenet_dashboard::Dashboard;
//! use typenet_runtime::loss::CrossEntropy;
//! use typenet_runtime::optim::Sgd;
//! use typenet_runtime::train::Trainer;
//!
//! let trainer = Trainer::new(Sgd::new(0.05)).loss(CrossEntropy::new()).callback(Dashboard::new());
//! ```
//!
//! `q`, Escape or Ctrl-C ends the run after the current step: `fit` returns, and the net keeps its weights. Nothing
//! is drawn unless standard input and output are a terminal.
#![forbid(unsafe_code)]

mod curve;
mod view;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use typenet_runtime::train::{Callback, Moment};

use view::View;

/// The shortest time between two drawings.
const EVERY: Duration = Duration::from_millis(100);

/// A callback that draws the run in the terminal: for
/// [`Trainer::callback`](typenet_runtime::train::Trainer::callback).
///
/// It takes the whole terminal from the first step on. It gives the terminal back, as it was, when the trainer and
/// its clones are dropped or [`close`](Self::close) is called, also in a panic. The trainer's progress bar is not
/// shown.
#[derive(Debug)]
pub struct Dashboard {
    screen: Screen,
    drawn: Option<Instant>,
    view: View,
}

/// The terminal.
enum Screen {
    /// Not taken yet.
    Waiting,
    Open(DefaultTerminal),
    /// There is none, or it cannot be written any more.
    Closed,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Screen::Waiting => "Waiting",
            Screen::Open(_) => "Open",
            Screen::Closed => "Closed",
        })
    }
}

impl Default for Dashboard {
    fn default() -> Dashboard {
        Dashboard::new()
    }
}

impl Dashboard {
    /// A dashboard on the standard output, if that and the standard input are a terminal.
    pub fn new() -> Dashboard {
        let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let screen = if is_terminal { Screen::Waiting } else { Screen::Closed };
        Dashboard { screen, drawn: None, view: View::default() }
    }

    /// Gives the terminal back; nothing is drawn any more.
    pub fn close(&mut self) {
        if let Screen::Open(_) = self.screen {
            ratatui::restore();
        }
        self.screen = Screen::Closed;
    }

    fn show(&mut self, moment: &mut Moment<'_>) {
        if let Screen::Waiting = self.screen {
            // It also gives the terminal back when the program panics.
            self.screen = ratatui::try_init().map_or(Screen::Closed, Screen::Open);
        }
        let Screen::Open(terminal) = &mut self.screen else { return };
        if asks_to_stop() {
            moment.stop("asked for at the dashboard");
        }
        let now = Instant::now();
        let is_due = moment.record().is_some()
            || self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= EVERY);
        if !is_due {
            return;
        }
        self.drawn = Some(now);
        self.view.update(moment, now);
        if terminal.draw(|frame| self.view.draw(frame)).is_err() {
            // Whoever watched has gone: training goes on.
            self.close();
        }
    }
}

impl Callback for Dashboard {
    fn after_step(&mut self, moment: &mut Moment<'_>) {
        self.show(moment);
    }

    fn after_epoch(&mut self, moment: &mut Moment<'_>) {
        self.show(moment);
    }

    fn shows_progress(&self) -> bool {
        !matches!(self.screen, Screen::Closed)
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether a key that ends the run was pressed; the others are thrown away.
fn asks_to_stop() -> bool {
    let mut asks = false;
    while event::poll(Duration::ZERO).unwrap_or(false) {
        match event::read() {
            Ok(Event::Key(key)) => asks |= is_stop(key),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    asks
}

fn is_stop(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press
        && match key.code {
            KeyCode::Char('q') | KeyCode::Esc => true,
            KeyCode::Char('c') => control,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_keys_end_a_run() {
        let key = |code, modifiers| is_stop(KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(key(KeyCode::Esc, KeyModifiers::NONE));
        assert!(key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE));
        assert!(!key(KeyCode::Enter, KeyModifiers::NONE));
    }
}

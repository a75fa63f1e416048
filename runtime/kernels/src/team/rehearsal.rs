//! How a call would be shared out among more threads than there are.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::Team;

thread_local! {
    /// The calls that this thread rehearses.
    static REHEARSAL: RefCell<Option<Rehearsal>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Rehearsal {
    threads: usize,
    pieces: Vec<Piece>,
}

/// A piece of work that a rehearsed call has shared out.
#[derive(Clone, Debug)]
pub struct Piece {
    /// How long each of its tasks took, in their order.
    pub tasks: Vec<Duration>,
}

impl Piece {
    /// The time of all tasks.
    pub fn work(&self) -> Duration {
        self.tasks.iter().sum()
    }

    /// When the last of so many threads is done, where each takes the next task when it is free.
    pub fn makespan(&self, threads: usize) -> Duration {
        let mut busy = vec![Duration::ZERO; threads.max(1)];
        for task in &self.tasks {
            if let Some(first) = busy.iter_mut().min() {
                *first += *task;
            }
        }
        busy.into_iter().max().unwrap_or_default()
    }
}

impl Team {
    /// Runs `body` on this thread alone, but cuts its calls as for so many threads. Returns the result of
    /// `body`, and the pieces of work that were shared out, in their order.
    pub fn rehearse<R>(threads: usize, body: impl FnOnce() -> R) -> (R, Vec<Piece>) {
        let before = REHEARSAL.replace(Some(Rehearsal { threads, pieces: Vec::new() }));
        let _restore = Restore(before);
        let result = body();
        let pieces = REHEARSAL.take().map(|rehearsal| rehearsal.pieces).unwrap_or_default();
        (result, pieces)
    }

    /// How many threads the rehearsal of this thread has, if there is one.
    pub(super) fn rehearsed_threads() -> Option<usize> {
        REHEARSAL.with_borrow(|rehearsal| rehearsal.as_ref().map(|one| one.threads))
    }

    /// Does the tasks one after the other, and notes how long each takes.
    pub(super) fn note(tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        let timed = |index| {
            let start = Instant::now();
            task(0, index);
            start.elapsed()
        };
        let tasks = (0..tasks).map(timed).collect();
        REHEARSAL.with_borrow_mut(|rehearsal| {
            if let Some(rehearsal) = rehearsal {
                rehearsal.pieces.push(Piece { tasks });
            }
        });
    }
}

/// Puts back what was before, also after a panic.
struct Restore(Option<Rehearsal>);

impl Drop for Restore {
    fn drop(&mut self) {
        REHEARSAL.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_does_every_task_once_and_counts_them() {
        let numbers = std::sync::Mutex::new(Vec::new());
        let (threads, pieces) = Team::rehearse(5, || {
            Team::gather(usize::MAX, |team| {
                for tasks in [1, 3, 10] {
                    team.share(tasks, &|i| {
                        // What a task shares out itself is part of it.
                        team.share(2, &|_| ());
                        numbers.lock().map(|mut numbers| numbers.push(i)).unwrap_or_default();
                    });
                }
                team.threads()
            })
        });
        assert_eq!(threads, 5);
        assert_eq!(pieces.iter().map(|piece| piece.tasks.len()).collect::<Vec<_>>(), [1, 3, 10]);
        assert_eq!(numbers.into_inner().map(|numbers| numbers.len()).unwrap_or(0), 14);
        // And nothing is left of it.
        assert_eq!(Team::rehearsed_threads(), None);
    }

    #[test]
    fn a_free_thread_takes_the_next_task() {
        let tasks = [3, 1, 1, 1, 4].map(Duration::from_millis).to_vec();
        let piece = Piece { tasks };
        assert_eq!(piece.work(), Duration::from_millis(10));
        assert_eq!(piece.makespan(1), Duration::from_millis(10));
        assert_eq!(piece.makespan(2), Duration::from_millis(7));
        assert_eq!(piece.makespan(9), Duration::from_millis(4));
    }
}

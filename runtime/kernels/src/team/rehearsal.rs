//! How a call would be shared out among more threads than there are.

use std::cell::RefCell;
use std::ops::AddAssign;
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
    /// How many threads the task that runs may count on.
    of_task: usize,
    /// What it has shared out.
    shared: Vec<Vec<Duration>>,
}

/// A piece of work that a rehearsed call has shared out.
#[derive(Clone, Debug)]
pub struct Piece {
    /// In their order.
    pub tasks: Vec<Task>,
}

/// A task that was rehearsed.
#[derive(Clone, Debug, Default)]
pub struct Task {
    /// How long it took.
    pub time: Duration,
    /// Of that, the parts that it shared out to threads without a task, each time that it did so.
    pub shared: Vec<Vec<Duration>>,
}

/// How long each of `threads` threads is busy, if each takes the next item as soon as it is free.
fn dealt<T: Copy + Ord + Default + AddAssign>(
    threads: usize,
    start: &[T],
    each: impl Iterator<Item = T>,
) -> Vec<T> {
    let mut busy = start.to_vec();
    busy.resize(threads.max(1), T::default());
    for time in each {
        if let Some(first) = busy.iter_mut().min() {
            *first += time;
        }
    }
    busy
}

/// What the busiest of `threads` threads gets of tasks of these sizes, as a multiple of an even share: 1 is
/// even.
pub(crate) fn largest_share(threads: usize, tasks: impl Iterator<Item = usize>) -> f64 {
    let busy = dealt(threads, &[], tasks);
    let all: usize = busy.iter().sum();
    let most = busy.iter().max().copied().unwrap_or(0);
    if all == 0 { 1.0 } else { (most * busy.len()) as f64 / all as f64 }
}

impl Task {
    /// How long it takes `threads` threads.
    fn time_on(&self, threads: usize) -> Duration {
        let shared: Duration = self.shared.iter().flatten().sum();
        let spans = self
            .shared
            .iter()
            .filter_map(|parts| dealt(threads, &[], parts.iter().copied()).into_iter().max());
        self.time.saturating_sub(shared) + spans.sum::<Duration>()
    }
}

impl Piece {
    /// The time of all tasks.
    pub fn work(&self) -> Duration {
        self.tasks.iter().map(|task| task.time).sum()
    }

    /// When the last of `threads` threads is done. Each takes the next task as soon as it is free; where
    /// fewer tasks than threads are left, free threads help with these.
    pub fn makespan(&self, threads: usize) -> Duration {
        let (whole, left) =
            self.tasks.split_at(self.tasks.len() - self.tasks.len() % threads.max(1));
        let busy = dealt(threads, &[], whole.iter().map(|task| task.time));
        let each = threads_of_task(threads, left.len());
        let busy = dealt(threads, &busy, left.iter().map(|task| task.time_on(each)));
        busy.into_iter().max().unwrap_or_default()
    }
}

/// How many threads there are for each of the last tasks.
fn threads_of_task(threads: usize, left: usize) -> usize {
    threads.checked_div(left).unwrap_or(1).max(1)
}

impl Team {
    /// Runs `body` on this thread alone, but cuts its calls as for `threads` threads. Returns the result of
    /// `body`, and the pieces of work that were shared out, in their order.
    pub fn rehearse<R>(threads: usize, body: impl FnOnce() -> R) -> (R, Vec<Piece>) {
        let rehearsal = Rehearsal { threads, pieces: Vec::new(), of_task: 1, shared: Vec::new() };
        let before = REHEARSAL.replace(Some(rehearsal));
        let _restore = Restore(before);
        let result = body();
        let pieces = REHEARSAL.take().map(|rehearsal| rehearsal.pieces).unwrap_or_default();
        (result, pieces)
    }

    /// How many threads the rehearsal of this thread has, if there is one.
    pub(super) fn rehearsed_threads() -> Option<usize> {
        REHEARSAL.with_borrow(|rehearsal| rehearsal.as_ref().map(|one| one.threads))
    }

    /// How many threads a task of it may count on.
    pub(super) fn rehearsed_threads_of_task() -> usize {
        REHEARSAL.with_borrow(|rehearsal| rehearsal.as_ref().map_or(1, |one| one.of_task))
    }

    /// Does the tasks one after the other, and notes how long each takes.
    pub(super) fn note(&self, tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        let threads = self.threads();
        let left = tasks % threads;
        let timed = |index| {
            REHEARSAL.with_borrow_mut(|rehearsal| {
                if let Some(one) = rehearsal {
                    one.of_task =
                        if index < tasks - left { 1 } else { threads_of_task(threads, left) };
                    one.shared.clear();
                }
            });
            let start = Instant::now();
            task(0, index);
            let time = start.elapsed();
            REHEARSAL.with_borrow_mut(|rehearsal| {
                let shared = rehearsal
                    .as_mut()
                    .map(|one| std::mem::take(&mut one.shared))
                    .unwrap_or_default();
                Task { time, shared }
            })
        };
        // This may be within a task of another net's call.
        let outer = REHEARSAL.with_borrow_mut(|rehearsal| {
            rehearsal.as_mut().map(|one| (one.of_task, std::mem::take(&mut one.shared)))
        });
        let tasks = (0..tasks).map(timed).collect();
        REHEARSAL.with_borrow_mut(|rehearsal| {
            if let Some(rehearsal) = rehearsal {
                rehearsal.pieces.push(Piece { tasks });
                (rehearsal.of_task, rehearsal.shared) = outer.unwrap_or_default();
            }
        });
    }

    /// Does the parts of a task one after the other, and notes how long each takes.
    pub(super) fn note_parts(parts: usize, part: &(dyn Fn(usize, usize) + Sync)) {
        let timed = |index| {
            let start = Instant::now();
            part(0, index);
            start.elapsed()
        };
        let parts = (0..parts).map(timed).collect();
        REHEARSAL.with_borrow_mut(|rehearsal| {
            if let Some(rehearsal) = rehearsal {
                rehearsal.shared.push(parts);
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

    fn tasks(milliseconds: &[u64]) -> Vec<Task> {
        let task = |&time| Task { time: Duration::from_millis(time), shared: Vec::new() };
        milliseconds.iter().map(task).collect()
    }

    #[test]
    fn a_free_thread_takes_the_next_task() {
        let piece = Piece { tasks: tasks(&[3, 1, 1, 1, 4]) };
        assert_eq!(piece.work(), Duration::from_millis(10));
        assert_eq!(piece.makespan(1), Duration::from_millis(10));
        assert_eq!(piece.makespan(2), Duration::from_millis(7));
        assert_eq!(piece.makespan(9), Duration::from_millis(4));
    }

    #[test]
    fn threads_without_a_task_help() {
        let mut tasks = tasks(&[6, 6, 6]);
        tasks[2].shared = vec![vec![Duration::from_millis(2); 2]];
        let piece = Piece { tasks };
        assert_eq!(piece.makespan(2), Duration::from_millis(10));
        assert_eq!(piece.makespan(3), Duration::from_millis(6));
        assert_eq!(piece.makespan(1), Duration::from_millis(18));
    }
}

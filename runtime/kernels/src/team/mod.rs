//! Threads that work together for the length of one call: a step or an inference. They come from rayon's pool
//! once: by `join` for a caller in a pool, from `helpers` for others. Between pieces of work they busy-wait,
//! so that a hand-off costs a few hundred nanoseconds, not the several microseconds of waking a thread.
//!
//! Each thread has a lot of the tasks that it begins with; whoever is free takes what others have left. A thread of
//! the pool that is busy elsewhere is not waited for: the others do its share, in the end the caller alone.

mod board;
mod crew;
mod helpers;
mod rehearsal;
mod sharing;
mod slices;

pub(crate) use crew::even_pairs;
pub use crew::{Crew, Kept, Rooms};
use helpers::{Assignment, Call};
pub(crate) use rehearsal::largest_share;
pub use rehearsal::{Piece, Task};
pub use sharing::Team;
use sharing::{Inside, Over};
pub use slices::{
    Chunks, ChunksMut, EqualMut, LongAndShort, LongAndShortRead, Numbered, OfImage, OfImages,
    OneAnd, OneOr, Parts, RangesMut, chunks, chunks_mut, equal_mut, long_and_short,
    long_and_short_mut, of_images, one_and, ranges_mut,
};
pub(crate) use slices::{Shared, even_part};

impl Team {
    /// Runs `body` with the threads of the current rayon pool, at most `threads` of them.
    pub fn gather<R: Send>(threads: usize, body: impl FnOnce(&Team) -> R + Send) -> R {
        if let Some(rehearsed) = Team::rehearsed_threads() {
            return body(&Team::rehearsed(rehearsed.min(threads).saturating_sub(1)));
        }
        let helpers = match threads {
            0 | 1 => 0,
            // It has one thread, and no need of what hands work to others.
            _ if cfg!(target_family = "wasm") => 0,
            _ => rayon::current_num_threads().min(threads) - 1,
        };
        if helpers == 0 {
            return body(&Team::alone());
        }
        let is_in_pool = rayon::current_thread_index().is_some();
        let call = (!is_in_pool).then(|| Call::start(helpers));
        let team = Team::of(call.as_ref().map_or(helpers, |call| call.helpers));
        let lead = || {
            // Also when `body` panics, or the helpers would wait for ever.
            let _over = Over(&team);
            let _inside = Inside::lead();
            body(&team)
        };
        if is_in_pool {
            return rayon::join(lead, || team.help(helpers)).0;
        }
        let _helpers = (team.threads() > 1).then(|| Assignment::new(&team));
        lead()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    pub(super) fn pool(threads: usize) -> rayon::ThreadPool {
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool,
            Err(error) => unreachable!("{error}"),
        }
    }

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 3, 8] {
            pool(threads).install(|| {
                Team::gather(usize::MAX, |team| {
                    assert_eq!(team.threads(), threads);
                    for tasks in [0, 1, 2, 7, 100, 70_000] {
                        let mut numbers = vec![0_usize; tasks];
                        for _ in 0..2 {
                            team.for_each(chunks_mut(&mut numbers, 1), |i, number| number[0] += i);
                        }
                        assert!(numbers.iter().enumerate().all(|(i, &number)| number == 2 * i));
                    }
                });
            });
        }
    }

    #[test]
    fn parts_of_several_slices_belong_together() {
        let from: Vec<u32> = (0..100).collect();
        let mut to = vec![0; 34];
        Team::gather(2, |team| {
            team.for_each((chunks(&from, 3), chunks_mut(&mut to, 1)), |_, (from, to)| {
                to[0] = from.iter().sum();
            });
        });
        assert!(
            to.iter()
                .enumerate()
                .all(|(i, &sum)| sum == if i == 33 { 99 } else { 9 * i as u32 + 3 })
        );
    }

    #[test]
    fn images_have_parts_of_buffers() {
        let buffers = [1..3, 3..3, 4..7];
        for images in [1, 2, 5] {
            let mut numbers = vec![0; 8 * images];
            Team::gather(2, |team| {
                let parts = of_images(&mut numbers, images, &buffers, Clone::clone);
                team.for_each(parts, |image, mut part| {
                    for (buffer, range) in buffers.iter().enumerate() {
                        assert_eq!(part.get(buffer).len(), range.len());
                        part.get(buffer).iter_mut().for_each(|n| *n += 10 * image + buffer + 1);
                    }
                });
            });
            for (buffer, range) in buffers.iter().enumerate() {
                for image in 0..images {
                    let first = range.start * images + image * range.len();
                    let part = &numbers[first..first + range.len()];
                    assert!(part.iter().all(|&n| n == 10 * image + buffer + 1), "{numbers:?}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "parts that ascend")]
    fn buffers_that_overlap_are_refused() {
        of_images(&mut [0; 20], 2, &[0..4, 3..5], Clone::clone);
    }

    #[test]
    fn long_parts_come_before_short_ones() {
        let from: Vec<usize> = (0..23).collect();
        let mut to = vec![0; 23];
        Team::gather(2, |team| {
            let parts = (long_and_short(&from, 14, 5, 2), long_and_short_mut(&mut to, 14, 5, 2));
            team.for_each(parts, |index, (from, to)| {
                let expected = [5, 5, 4, 2, 2, 2, 2, 1][index];
                assert!(from.len() == expected && to.len() == expected);
                to.copy_from_slice(from);
            });
        });
        assert_eq!(to, from);
    }

    #[test]
    fn a_task_that_shares_out_work_does_it_alone() {
        let sum = AtomicUsize::new(0);
        pool(2).install(|| {
            Team::gather(2, |team| {
                team.share(10, &|i| {
                    team.share(10, &|j| {
                        sum.fetch_add(10 * i + j, Ordering::Relaxed);
                    });
                });
            });
        });
        assert_eq!(sum.into_inner(), 4950);
    }

    #[test]
    fn a_busy_pool_is_not_waited_for() {
        let pool = pool(2);
        let (free, wait) = std::sync::mpsc::channel::<()>();
        pool.spawn(move || {
            let _ = wait.recv();
        });
        let sum = AtomicUsize::new(0);
        pool.install(|| {
            Team::gather(2, |team| {
                team.share(100, &|i| {
                    sum.fetch_add(i, Ordering::Relaxed);
                });
            });
        });
        assert_eq!(sum.into_inner(), 4950);
        drop(free);
    }

    #[test]
    fn callers_outside_a_pool_are_helped() {
        let callers: Vec<_> = (0..6)
            .map(|caller| {
                std::thread::spawn(move || {
                    for round in 0..300 {
                        let sum = AtomicUsize::new(0);
                        Team::gather(usize::MAX, |team| {
                            for tasks in [3, 50] {
                                team.share(tasks, &|i| {
                                    sum.fetch_add(i + caller, Ordering::Relaxed);
                                });
                            }
                        });
                        assert_eq!(sum.into_inner(), 3 + 1225 + 53 * caller);
                        // Some calls come at once, others when the helpers have gone.
                        if round % 60 == 0 {
                            std::thread::sleep(std::time::Duration::from_millis(1));
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            assert!(caller.join().is_ok());
        }
    }

    /// A sum that waits in calls of rayon, as a user's own layer may.
    fn joined(from: usize, to: usize) -> usize {
        if to - from < 30 {
            // Long enough for whoever waits for it to take up another job.
            std::thread::sleep(std::time::Duration::from_micros(20));
            return (from..to).sum();
        }
        let middle = from.midpoint(to);
        let (left, right) = rayon::join(|| joined(from, middle), || joined(middle, to));
        left + right
    }

    #[test]
    fn tasks_may_call_rayon() {
        for (threads, outside) in [(2, false), (3, false), (5, false), (8, false), (0, true)] {
            let run = || {
                for _ in 0..20 {
                    let sum = AtomicUsize::new(0);
                    Team::gather(usize::MAX, |team| {
                        team.runs_foreign_code();
                        assert_eq!(joined(0, 100), 4950);
                        for tasks in [1, 2, 9] {
                            team.share(tasks, &|_| {
                                sum.fetch_add(joined(0, 200), Ordering::Relaxed);
                            });
                        }
                        assert_eq!(joined(0, 100), 4950);
                    });
                    assert_eq!(sum.into_inner(), 12 * 19_900);
                }
            };
            if outside { run() } else { pool(threads).install(run) }
        }
    }

    #[test]
    fn a_panic_comes_to_a_caller_outside_a_pool() {
        for round in 0..100 {
            let result = std::panic::catch_unwind(|| {
                Team::gather(3, |team| {
                    team.share(100, &|i| assert_ne!(i, round, "this one"));
                });
            });
            assert!(result.is_err());
        }
    }

    #[test]
    fn a_panic_comes_through_and_ends_the_work() {
        for bad in [0, 5, 99] {
            let result = std::panic::catch_unwind(|| {
                pool(3).install(|| {
                    Team::gather(3, |team| team.share(100, &|i| assert_ne!(i, bad, "this one")));
                });
            });
            assert!(result.is_err());
        }
    }
}

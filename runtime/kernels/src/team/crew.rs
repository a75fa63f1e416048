//! A task that can share out parts of itself to threads without a task, each with memory of its own.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::Lanes;
use super::Team;
use super::slices::{EqualMut, Parts, Shared, even_part};

/// Vector multiply-adds that take some microseconds.
const WORTHWHILE: usize = 1 << 15;

/// The time of a pass over a value, in multiply-adds for each of its vectors.
const PASS: usize = 4;

/// As [`even_part`], but of pairs.
pub(crate) fn even_pairs(part: usize, parts: usize, count: usize) -> Range<usize> {
    let pairs = even_part(part, parts, count.div_ceil(2));
    2 * pairs.start..count.min(2 * pairs.end)
}

/// Memory for each thread of a team.
pub trait Rooms: Sync {
    /// Calls `work` with the memory of the calling thread, whose number is `thread`.
    ///
    /// # Safety
    /// No two calls with one number are at work at the same time.
    unsafe fn with(&self, thread: usize, work: &mut dyn FnMut(&mut [Lanes]));
}

impl Rooms for EqualMut<'_, Lanes> {
    unsafe fn with(&self, thread: usize, work: &mut dyn FnMut(&mut [Lanes])) {
        assert!(thread < self.count(), "room for each thread");
        // SAFETY: the index was just compared, and the caller vouches for the rest.
        work(unsafe { self.part(thread) });
    }
}

/// Memory that each thread keeps: a function that calls its argument with the calling thread's memory.
#[derive(Clone, Copy, Debug)]
pub struct Kept<F>(pub F);

impl<F: Fn(&mut dyn FnMut(&mut [Lanes])) + Sync> Rooms for Kept<F> {
    unsafe fn with(&self, _: usize, work: &mut dyn FnMut(&mut [Lanes])) {
        (self.0)(work);
    }
}

/// Who works on a task: the thread that has it, and threads without a task, if there are any.
#[derive(Debug)]
pub struct Crew<'a> {
    scratch: &'a mut [Lanes],
    place: Option<Place<'a>>,
    /// The fewest vector multiply-adds that are worth handing on.
    worthwhile: usize,
}

/// Where a task runs.
#[derive(Clone, Copy)]
struct Place<'a> {
    team: &'a Team,
    thread: usize,
    rooms: &'a dyn Rooms,
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("thread", &self.thread).finish_non_exhaustive()
    }
}

impl<'a> Crew<'a> {
    /// The calling thread alone, with this scratch memory.
    pub fn alone(scratch: &'a mut [Lanes]) -> Crew<'a> {
        Crew { scratch, place: None, worthwhile: WORTHWHILE }
    }

    /// The thread at this place, whose memory `scratch` is. The thread has a task, and nobody else its number.
    fn at(place: Place<'a>, scratch: &'a mut [Lanes]) -> Crew<'a> {
        Crew { scratch, place: Some(place), worthwhile: WORTHWHILE }
    }

    /// The first `len` of the scratch memory, and the crew with the rest.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn split(self, len: usize) -> (&'a mut [Lanes], Crew<'a>) {
        let (first, scratch) = self.scratch.split_at_mut(len);
        (first, Crew { scratch, ..self })
    }

    /// The same crew, for a shorter time.
    pub fn reborrow(&mut self) -> Crew<'_> {
        Crew { scratch: &mut *self.scratch, ..*self }
    }

    /// The same crew, which shares out even the smallest work: for tests.
    #[doc(hidden)]
    pub fn sharing_all(self) -> Crew<'a> {
        Crew { worthwhile: 1, ..self }
    }

    /// Memory that the task needs while it runs, with any contents.
    pub fn scratch(&mut self) -> &mut [Lanes] {
        self.scratch
    }

    /// About how many threads there are: 1 where no other is free. What a task computes must not depend on
    /// it.
    pub fn threads(&self) -> usize {
        self.place.map_or(1, |place| place.team.threads_of_task())
    }

    /// How many parts to cut work of `multiply_adds` vector multiply-adds into: at most as many as there are
    /// threads, and each worth handing on.
    pub(crate) fn parts(&self, multiply_adds: usize) -> usize {
        self.threads().min(multiply_adds / self.worthwhile).max(1)
    }

    /// How many of the `channels` each part of a pass has, over a value of `len` vectors.
    pub fn channels_of_part(&self, channels: usize, len: usize) -> usize {
        let parts = self.parts(len.saturating_mul(PASS));
        channels.div_ceil(parts).next_multiple_of(4).min(channels).max(1)
    }

    /// Calls `work` with each part and its number, on this thread or on one that is free, and with scratch
    /// memory of that thread, at least as long as this one's.
    ///
    /// # Panics
    /// When a call does.
    pub fn for_each<P: Parts>(
        &mut self,
        parts: P,
        work: impl Fn(&mut [Lanes], usize, P::Part) + Sync,
    ) {
        let count = parts.count();
        let Some(place) = self.place.filter(|_| count > 1) else {
            for index in 0..count {
                // SAFETY: the index is below the count, and each comes once.
                work(self.scratch, index, unsafe { parts.part(index) });
            }
            return;
        };
        let own = Shared::new(&mut *self.scratch);
        place.team.share_parts(place.thread, count, &|thread, index| {
            // SAFETY: the index is below the count, and each comes once.
            let part = unsafe { parts.part(index) };
            if thread == place.thread {
                // SAFETY: this thread's, which does one part at a time; it is borrowed until all are done.
                return work(unsafe { own.into_slice() }, index, part);
            }
            let mut part = Some(part);
            // SAFETY: another thread's number, which does one part at a time and has no task.
            unsafe {
                place.rooms.with(thread, &mut |room| {
                    if let Some(part) = part.take() {
                        assert!(room.len() >= own.len(), "as much memory for each thread");
                        work(&mut room[..own.len()], index, part);
                    }
                });
            }
        });
    }
}

impl Team {
    /// As [`for_each`](Self::for_each), where a call can share out parts of its own to threads that have none.
    ///
    /// # Panics
    /// As that, or when there is not room for each thread.
    pub fn for_each_crew<P: Parts>(
        &self,
        rooms: &mut dyn Rooms,
        parts: P,
        work: impl Fn(Crew<'_>, usize, P::Part) + Sync,
    ) {
        // Borrowed for this call alone, so that no other one hands out the same rooms.
        let rooms = &*rooms;
        // Who has it is on the thread of that number. Within a task of another call nobody is.
        let main = self.take();
        let shares = main.is_some();
        self.share_on(main.as_ref(), parts.count(), &|thread, index| {
            // SAFETY: the index is below the count, and each comes once.
            let mut part = Some(unsafe { parts.part(index) });
            // SAFETY: no two tasks are on one thread at a time, nor parts where a task is; and where this call
            // does all tasks by itself, nobody else has its rooms.
            unsafe {
                rooms.with(thread, &mut |room| {
                    let Some(part) = part.take() else { return };
                    let crew = if shares {
                        Crew::at(Place { team: self, thread, rooms }, room)
                    } else {
                        Crew::alone(room)
                    };
                    work(crew, index, part);
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::slices::{chunks_mut, equal_mut};
    use super::super::tests::pool;
    use super::*;

    /// Waits for another thread, but not for ever.
    fn wait_for(crew: &Crew<'_>) {
        for _ in 0..10_000 {
            if crew.threads() > 1 {
                break;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn parts_are_done_once_in_memory_of_their_thread() {
        for (threads, tasks) in [(1, 3), (2, 1), (3, 2), (4, 7), (8, 3), (5, 40)] {
            pool(threads).install(|| {
                Team::gather(usize::MAX, |team| {
                    let mut numbers = vec![0; tasks * 12];
                    let mut rooms = vec![Lanes::ZERO; team.threads() * 3];
                    for round in 1..20 {
                        let mut rooms = equal_mut(&mut rooms, team.threads());
                        team.for_each_crew(
                            &mut rooms,
                            chunks_mut(&mut numbers, 12),
                            |crew, task, all| {
                                let (first, mut crew) = crew.split(1);
                                first.fill(Lanes([task as f32; 16]));
                                crew.reborrow().for_each(
                                    chunks_mut(all, 2),
                                    |room, part, numbers| {
                                        assert_eq!(room.len(), 2);
                                        room.fill(Lanes([part as f32; 16]));
                                        for number in numbers {
                                            *number += 100 * round + part;
                                            std::hint::spin_loop();
                                        }
                                        assert!(
                                            room.iter().all(|lanes| lanes.0 == [part as f32; 16])
                                        );
                                    },
                                );
                                assert_eq!(first[0].0, [task as f32; 16]);
                            },
                        );
                    }
                    for (i, &number) in numbers.iter().enumerate() {
                        assert_eq!(number, 19_000 + 19 * (i % 12 / 2), "{threads} {tasks}");
                    }
                });
            });
        }
    }

    #[test]
    fn a_task_within_a_task_has_no_crew() {
        pool(3).install(|| {
            Team::gather(3, |team| {
                let (mut outer, mut inner) = ([Lanes::ZERO; 3], [Lanes::ZERO; 3]);
                let (mut outer, inner) =
                    (equal_mut(&mut outer, 3), std::sync::Mutex::new(&mut inner));
                team.for_each_crew(&mut outer, chunks_mut(&mut [0; 1], 1), |_, _, _| {
                    let Ok(mut inner) = inner.lock() else { return };
                    let mut inner = equal_mut(&mut inner[..], 3);
                    team.for_each_crew(&mut inner, chunks_mut(&mut [0; 2], 1), |crew, _, _| {
                        assert_eq!(crew.threads(), 1);
                        assert!(crew.place.is_none());
                    });
                });
            });
        });
    }

    #[test]
    fn memory_may_be_what_a_thread_keeps() {
        let done = AtomicUsize::new(0);
        pool(3).install(|| {
            Team::gather(3, |team| {
                let mut rooms =
                    Kept(|work: &mut dyn FnMut(&mut [Lanes])| work(&mut [Lanes::ZERO; 4]));
                team.for_each_crew(&mut rooms, chunks_mut(&mut [0; 2], 1), |mut crew, _, _| {
                    wait_for(&crew);
                    crew.for_each(chunks_mut(&mut [0; 5], 1), |room, _, _| {
                        assert_eq!(room.len(), 4);
                        done.fetch_add(1, Ordering::Relaxed);
                    });
                });
            });
        });
        assert_eq!(done.into_inner(), 10);
    }

    #[test]
    fn a_panic_of_a_part_comes_through() {
        for bad in 0..8 {
            let result = std::panic::catch_unwind(|| {
                pool(3).install(|| {
                    Team::gather(3, |team| {
                        let mut rooms = [Lanes::ZERO; 3];
                        let mut rooms = equal_mut(&mut rooms, 3);
                        team.for_each_crew(
                            &mut rooms,
                            chunks_mut(&mut [0; 2], 1),
                            |mut crew, task, _| {
                                wait_for(&crew);
                                crew.for_each(chunks_mut(&mut [0; 4], 1), |_, part, _| {
                                    assert_ne!(4 * task + part, bad, "this one");
                                });
                            },
                        );
                    });
                });
            });
            assert!(result.is_err());
        }
    }
}

//! Threads that work together for the length of one call: a step or an inference. They come from
//! rayon's pool once (by `join` for a caller in a pool, from the `lobby` for others), and between
//! pieces of work they wait awake, so that a hand-off costs a few hundred nanoseconds in place of the
//! several microseconds of waking a thread.
//!
//! Whoever is free takes the next task. A thread of the pool that is busy elsewhere is not waited for:
//! the others do its share, in the end the caller alone.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use typenet_shape::{Buffer, Transformed};

use super::lobby::Invited;

/// Looks for work so many times before it lets other threads of the machine run in between.
const SPINS: usize = 2000;

/// The threads of a call; [`Team::gather`] makes one.
#[derive(Debug)]
pub struct Team {
    /// The piece of work that is shared out; see [`Claims`].
    claims: AtomicU64,
    work: UnsafeCell<Option<Work>>,
    /// How many of its tasks are done.
    done: AtomicUsize,
    /// Whether one of them panicked in a helper.
    failed: AtomicBool,
    /// Whether a piece of work is being shared out.
    sharing: AtomicBool,
    /// How many helpers have come.
    present: AtomicUsize,
    helpers: usize,
}

/// A function of the thread and the number of a task, on the stack of the one who shares it out.
#[derive(Clone, Copy, Debug)]
struct Work(*const (dyn Fn(usize, usize) + Sync));

// SAFETY: `work` is written while no task is to be had, and read by those who have claimed one; the
// function that it points to is `Sync`, and outlives its tasks because `share` waits for them.
unsafe impl Sync for Team {}
// SAFETY: as for `Sync`: the pointer goes nowhere.
unsafe impl Send for Team {}

/// What `claims` holds: the number of the piece of work, how many tasks it has, and the next one.
/// All in one number, so that a claim that comes too late fails.
#[derive(Clone, Copy)]
struct Claims {
    piece: u32,
    tasks: u16,
    next: u16,
}

impl Claims {
    /// No more work will come.
    const OVER: u32 = u32::MAX;

    fn unpack(number: u64) -> Claims {
        Claims { piece: (number >> 32) as u32, tasks: (number >> 16) as u16, next: number as u16 }
    }

    fn pack(self) -> u64 {
        u64::from(self.piece) << 32 | u64::from(self.tasks) << 16 | u64::from(self.next)
    }
}

impl Team {
    /// Runs `body` with the threads of the current rayon pool, at most `threads` of them.
    pub fn gather<R: Send>(threads: usize, body: impl FnOnce(&Team) -> R + Send) -> R {
        let helpers = match threads {
            0 | 1 => 0,
            _ => rayon::current_num_threads().min(threads) - 1,
        };
        let team = Team::of(helpers);
        if helpers == 0 {
            return body(&team);
        }
        let lead = || {
            // Also when `body` panics, or the helpers would wait for ever.
            let _over = Over(&team);
            body(&team)
        };
        if rayon::current_thread_index().is_some() {
            return rayon::join(lead, || team.help(helpers)).0;
        }
        let _invited = Invited::new(&team, helpers);
        lead()
    }

    /// A team of the caller alone.
    pub fn alone() -> Team {
        Team::of(0)
    }

    fn of(helpers: usize) -> Team {
        Team {
            claims: AtomicU64::new(0),
            work: UnsafeCell::new(None),
            done: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            sharing: AtomicBool::new(false),
            present: AtomicUsize::new(0),
            helpers,
        }
    }

    /// How many threads there are at most.
    pub fn threads(&self) -> usize {
        self.helpers + 1
    }

    /// Calls `task` with each number below `tasks`, once, on whichever thread is free, and returns
    /// when all are done. What a task shares out itself, it does alone.
    ///
    /// # Panics
    /// When a task does.
    pub fn share(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.share_with(tasks, &|_, index| task(index));
    }

    /// As [`share`](Self::share), where `task` is also told on which thread it is, from 0 to
    /// [`threads`](Self::threads): no two tasks are on the same one at a time.
    fn share_with(&self, tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        if self.helpers == 0 || tasks < 2 || self.sharing.swap(true, Ordering::Acquire) {
            return (0..tasks).for_each(|index| task(0, index));
        }
        let _sharing = Sharing(self);
        // More tasks than the counter holds go in portions.
        let most = usize::from(u16::MAX);
        for first in (0..tasks).step_by(most) {
            self.share_portion(most.min(tasks - first), &|thread, i| task(thread, first + i));
        }
    }

    fn share_portion(&self, tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        let piece = Claims::unpack(self.claims.load(Ordering::Relaxed)).piece.wrapping_add(1);
        let piece = if piece == Claims::OVER { 1 } else { piece };
        self.done.store(0, Ordering::Relaxed);
        // SAFETY: all tasks of the piece before are done and none can be claimed, so nobody reads
        // this; and `sharing` lets one thread at a time come here. The lifetime is erased: `wait`
        // sees to it that no task runs when this function is left.
        unsafe {
            let task: &'static (dyn Fn(usize, usize) + Sync) = std::mem::transmute(task);
            *self.work.get() = Some(Work(task));
        }
        let claims = Claims { piece, tasks: tasks as u16, next: 0 };
        self.claims.store(claims.pack(), Ordering::Release);
        let wait = Wait(self);
        while self.work_once(0) {}
        drop(wait);
        if self.failed.swap(false, Ordering::Relaxed) {
            failed();
        }
    }

    /// Claims a task and does it on this thread; `false` if there is none.
    fn work_once(&self, thread: usize) -> bool {
        let now = Claims::unpack(self.claims.load(Ordering::Acquire));
        if now.next >= now.tasks {
            return false;
        }
        let then = Claims { next: now.next + 1, ..now };
        let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
        if self.claims.compare_exchange(now.pack(), then.pack(), acquire, relaxed).is_err() {
            return true;
        }
        let _done = Done(self);
        // SAFETY: this task is claimed and not yet done, so its work stands there and lives.
        unsafe {
            if let Some(Work(task)) = *self.work.get() {
                (*task)(thread, usize::from(now.next));
            }
        }
        true
    }

    /// Works until the call is over; sends for the other helpers first.
    pub(super) fn help(&self, helpers: usize) {
        if helpers > 1 {
            rayon::join(|| self.help(1), || self.help(helpers - 1));
            return;
        }
        let thread = 1 + self.present.fetch_add(1, Ordering::Relaxed);
        let mut spins = 0;
        while Claims::unpack(self.claims.load(Ordering::Acquire)).piece != Claims::OVER {
            if self.work_once(thread) {
                spins = 0;
            } else {
                pause(&mut spins);
            }
        }
    }
}

pub(super) fn pause(spins: &mut usize) {
    *spins += 1;
    if spins.is_multiple_of(SPINS) {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

#[cold]
#[allow(clippy::panic)]
fn failed() -> ! {
    panic!("a task panicked on another thread")
}

/// Counts a task as done, whether it returned or panicked.
struct Done<'a>(&'a Team);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        self.0.done.fetch_add(1, Ordering::Release);
    }
}

/// Waits for all tasks that are claimed, and lets no more be.
struct Wait<'a>(&'a Team);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut now = Claims::unpack(self.0.claims.load(Ordering::Relaxed));
        // After a panic there may be tasks left.
        while now.next < now.tasks {
            let none = Claims { tasks: now.next, ..now };
            let relaxed = Ordering::Relaxed;
            match self.0.claims.compare_exchange(now.pack(), none.pack(), relaxed, relaxed) {
                Ok(_) => now = none,
                Err(other) => now = Claims::unpack(other),
            }
        }
        let mut spins = 0;
        while self.0.done.load(Ordering::Acquire) < usize::from(now.next) {
            pause(&mut spins);
        }
    }
}

/// Lets the next piece of work come.
struct Sharing<'a>(&'a Team);

impl Drop for Sharing<'_> {
    fn drop(&mut self) {
        self.0.sharing.store(false, Ordering::Release);
    }
}

/// Sends the helpers home.
struct Over<'a>(&'a Team);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let over = Claims { piece: Claims::OVER, tasks: 0, next: 0 };
        self.0.claims.store(over.pack(), Ordering::Release);
    }
}

/// A slice that several threads write, each places of its own: those who write there say in an
/// unsafe block why nobody else does.
#[derive(Debug)]
pub(crate) struct Shared<'a, T> {
    first: *mut T,
    len: usize,
    of: std::marker::PhantomData<&'a mut [T]>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

// SAFETY: it stands for the exclusive slice, and reads and writes nothing by itself.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: likewise.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Shared<'a, T> {
        let (first, len) = (slice.as_mut_ptr(), slice.len());
        Shared { first, len, of: std::marker::PhantomData }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The first place, from which as many follow as [`len`](Self::len) says.
    pub(crate) fn as_mut_ptr(self) -> *mut T {
        self.first
    }

    /// The places from `start` on.
    ///
    /// # Panics
    /// When there are not so many.
    pub(crate) fn from(self, start: usize) -> Shared<'a, T> {
        self.part(start..self.len)
    }

    /// Some of the places.
    ///
    /// # Panics
    /// When there are not so many.
    pub(crate) fn part(self, range: Range<usize>) -> Shared<'a, T> {
        assert!(range.start <= range.end && range.end <= self.len, "places of the slice");
        // SAFETY: just asserted.
        Shared { first: unsafe { self.first.add(range.start) }, len: range.len(), of: self.of }
    }

    /// All of these places as a slice.
    ///
    /// # Safety
    /// Nobody else reads or writes them while that lives.
    pub(crate) unsafe fn into_slice(self) -> &'a mut [T] {
        // SAFETY: they lie in a slice that is borrowed for 'a, and the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

/// Something that is shared out in parts, no two of which overlap: slices in chunks, and several of
/// them together.
pub trait Parts: Sync {
    /// One part.
    type Part;

    /// How many there are.
    fn count(&self) -> usize;

    /// The part at `index`.
    ///
    /// # Safety
    /// `index` is below the count, and nobody else has this part.
    unsafe fn part(&self, index: usize) -> Self::Part;
}

/// A slice in chunks of one length, of which the last may be shorter.
#[derive(Debug)]
pub struct Chunks<'a, T>(&'a [T], usize);

/// As [`Chunks`], to write.
#[derive(Debug)]
pub struct ChunksMut<'a, T> {
    all: Shared<'a, T>,
    chunk: usize,
}

/// `slice` in chunks of `chunk` numbers.
///
/// # Panics
/// When `chunk` is 0.
pub fn chunks<T: Sync>(slice: &[T], chunk: usize) -> Chunks<'_, T> {
    assert!(chunk > 0, "chunks of some length");
    Chunks(slice, chunk)
}

/// `slice` in chunks of `chunk` numbers, to write.
///
/// # Panics
/// When `chunk` is 0.
pub fn chunks_mut<T: Send>(slice: &mut [T], chunk: usize) -> ChunksMut<'_, T> {
    assert!(chunk > 0, "chunks of some length");
    ChunksMut { all: Shared::new(slice), chunk }
}

/// So many parts with nothing but a number.
#[derive(Clone, Copy, Debug)]
pub struct Numbered(pub usize);

impl Parts for Numbered {
    type Part = ();

    fn count(&self) -> usize {
        self.0
    }
    unsafe fn part(&self, _: usize) {}
}

/// A slice in so many parts of one length, to write; also an empty one.
#[derive(Debug)]
pub struct EqualMut<'a, T> {
    whole: ChunksMut<'a, T>,
    parts: usize,
}

/// `slice` in `parts` parts of one length.
///
/// # Panics
/// When it has no such length.
pub fn equal_mut<T: Send>(slice: &mut [T], parts: usize) -> EqualMut<'_, T> {
    let chunk = slice.len().checked_div(parts).unwrap_or(0);
    assert_eq!(chunk * parts, slice.len(), "parts of one length");
    EqualMut { whole: ChunksMut { all: Shared::new(slice), chunk }, parts }
}

impl<'a, T: Send> Parts for EqualMut<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.parts
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        // SAFETY: the caller vouches for the index.
        unsafe { self.whole.part(index) }
    }
}

impl<'a, T: Sync> Parts for Chunks<'a, T> {
    type Part = &'a [T];

    fn count(&self) -> usize {
        self.0.len().div_ceil(self.1)
    }
    unsafe fn part(&self, index: usize) -> &'a [T] {
        let end = self.0.len().min((index + 1) * self.1);
        &self.0[index * self.1..end]
    }
}

impl<'a, T: Send> Parts for ChunksMut<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.all.len().div_ceil(self.chunk)
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        let start = index * self.chunk;
        let part = self.all.part(start..self.all.len().min(start + self.chunk));
        // SAFETY: nobody else has this part.
        unsafe { part.into_slice() }
    }
}

macro_rules! several {
    ($($name:ident $at:tt),*) => {
        impl<$($name: Parts),*> Parts for ($($name,)*) {
            type Part = ($($name::Part,)*);

            fn count(&self) -> usize {
                [$(self.$at.count()),*].into_iter().min().unwrap_or(0)
            }
            unsafe fn part(&self, index: usize) -> Self::Part {
                // SAFETY: what the caller vouches for holds for each of them.
                unsafe { ($(self.$at.part(index),)*) }
            }
        }
    };
}
several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);

impl Team {
    /// Calls `work` with each part and its number, on whichever thread is free.
    ///
    /// # Panics
    /// When a call does.
    pub fn for_each<P: Parts>(&self, parts: P, work: impl Fn(usize, P::Part) + Sync) {
        self.share(parts.count(), &|index| {
            // SAFETY: the index is below the count, and each comes once.
            work(index, unsafe { parts.part(index) });
        });
    }
}

impl Team {
    /// As [`for_each`](Self::for_each), with room of its own for each thread.
    ///
    /// # Panics
    /// When a call does, or there is not room for each thread.
    pub fn for_each_with<R: Parts, P: Parts>(
        &self,
        rooms: R,
        parts: P,
        work: impl Fn(R::Part, usize, P::Part) + Sync,
    ) {
        assert!(rooms.count() >= self.threads(), "room for each thread");
        self.share_with(parts.count(), &|thread, index| {
            // SAFETY: the index is below the count, and each comes once; so is the thread, and no two
            // tasks are on the same one at a time.
            let (room, part) = unsafe { (rooms.part(thread), parts.part(index)) };
            work(room, index, part);
        });
    }
}

/// Parts of a slice that belong to convolutions, to write.
#[derive(Debug)]
pub struct PlacesMut<'a, T> {
    all: Shared<'a, T>,
    convolutions: &'a [Transformed],
    place: fn(&Transformed) -> Buffer,
}

/// The parts of `slice` where convolutions keep what they have transformed.
///
/// # Panics
/// When they overlap or do not ascend, or do not lie in the slice.
pub fn transformed_mut<'a, T: Send>(
    slice: &'a mut [T],
    convolutions: &'a [Transformed],
) -> PlacesMut<'a, T> {
    places_mut(slice, convolutions, |convolution| convolution.place)
}

/// The parts of `slice`, a net's parameters or their gradients, where convolutions keep their weights.
///
/// # Panics
/// As [`transformed_mut`].
pub fn weights_mut<'a, T: Send>(
    slice: &'a mut [T],
    convolutions: &'a [Transformed],
) -> PlacesMut<'a, T> {
    places_mut(slice, convolutions, |convolution| convolution.weight)
}

fn places_mut<'a, T>(
    slice: &'a mut [T],
    convolutions: &'a [Transformed],
    place: fn(&Transformed) -> Buffer,
) -> PlacesMut<'a, T> {
    let mut end = 0;
    for place in convolutions.iter().map(place) {
        assert!(end <= place.offset, "parts that ascend");
        end = place.end();
    }
    assert!(end <= slice.len(), "parts of the slice");
    PlacesMut { all: Shared::new(slice), convolutions, place }
}

impl<'a, T: Send> Parts for PlacesMut<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.convolutions.len()
    }
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        let place = (self.place)(&self.convolutions[index]);
        let part = self.all.part(place.offset..place.end());
        // SAFETY: `places_mut` has compared all parts with each other, and nobody else has this one.
        unsafe { part.into_slice() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
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

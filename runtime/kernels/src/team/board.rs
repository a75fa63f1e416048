//! One piece of work at a time. Its tasks go to whichever thread is free, those of one lot to the same thread
//! where possible.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::slices::even_part;

/// A lot: a contiguous range of the tasks of a piece of work. One thread at a time puts work here, and any
/// thread claims its tasks.
///
/// It has cache lines of its own, to avoid false sharing: a counter beside it would take them from the
/// threads that poll it.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Board {
    /// See [`Claims`].
    claims: AtomicU64,
    work: UnsafeCell<Option<Work>>,
    /// How many of its tasks are done.
    done: AtomicUsize,
    /// Whether one of them panicked on another thread.
    failed: AtomicBool,
    /// Whether a thread has the right to put work here.
    taken: AtomicBool,
}

/// A function of the thread and of a task's number, on the stack of the thread that shares it out, and the
/// number of this lot's first task.
#[derive(Clone, Copy, Debug)]
struct Work(*const (dyn Fn(usize, usize) + Sync), usize);

// SAFETY: `work` is written while no task is to be had, and read by those who have claimed one; the
// function that it points to is `Sync`, and outlives its tasks because `share` waits for them.
unsafe impl Sync for Board {}
// SAFETY: as for `Sync`: the pointer goes nowhere.
unsafe impl Send for Board {}

/// What `claims` holds: the number of the piece of work, how many tasks it has, and the next one.
/// All in one number, so that a claim that comes too late fails.
#[derive(Clone, Copy)]
struct Claims {
    piece: u32,
    tasks: u16,
    next: u16,
}

impl Claims {
    fn unpack(number: u64) -> Claims {
        Claims { piece: (number >> 32) as u32, tasks: (number >> 16) as u16, next: number as u16 }
    }

    fn pack(self) -> u64 {
        u64::from(self.piece) << 32 | u64::from(self.tasks) << 16 | u64::from(self.next)
    }
}

impl Board {
    pub(super) const fn new() -> Board {
        Board {
            claims: AtomicU64::new(0),
            work: UnsafeCell::new(None),
            done: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            taken: AtomicBool::new(false),
        }
    }

    /// Whether there is a task to claim.
    pub(super) fn has_tasks(&self) -> bool {
        let now = Claims::unpack(self.claims.load(Ordering::Relaxed));
        now.next < now.tasks
    }

    /// Claims a task and does it on this thread; `false` if there is none.
    pub(super) fn work_once(&self, thread: usize) -> bool {
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
            if let Some(Work(task, first)) = *self.work.get() {
                (*task)(thread, first + usize::from(now.next));
            }
        }
        true
    }

    /// Puts work here: `task` for so many numbers from `first` on.
    ///
    /// # Safety
    /// Who calls has taken the board, all tasks of the piece before are done, and `task` outlives those of this one.
    unsafe fn post(&self, task: &(dyn Fn(usize, usize) + Sync), first: usize, tasks: u16) {
        let piece = Claims::unpack(self.claims.load(Ordering::Relaxed)).piece.wrapping_add(1);
        self.done.store(0, Ordering::Relaxed);
        // SAFETY: none of its tasks can be claimed, so nobody reads this; and only who has taken the board comes
        // here. The lifetime is erased: the caller vouches for it.
        unsafe {
            let task: &'static (dyn Fn(usize, usize) + Sync) = std::mem::transmute(task);
            *self.work.get() = Some(Work(task, first));
        }
        let claims = Claims { piece, tasks, next: 0 };
        self.claims.store(claims.pack(), Ordering::Release);
    }

    /// Stops the claiming of tasks, and returns how many were claimed.
    fn withdraw(&self) -> usize {
        let mut now = Claims::unpack(self.claims.load(Ordering::Relaxed));
        while now.next < now.tasks {
            let none = Claims { tasks: now.next, ..now };
            let relaxed = Ordering::Relaxed;
            match self.claims.compare_exchange(now.pack(), none.pack(), relaxed, relaxed) {
                Ok(_) => now = none,
                Err(other) => now = Claims::unpack(other),
            }
        }
        usize::from(now.next)
    }
}

/// Runs tasks of these boards on this thread until there are none: first those of its own lot, which were
/// near to it in the previous piece of work too, and then what others have left.
pub(super) fn work(lots: &[Board], thread: usize) {
    let own = thread % lots.len().max(1);
    for lot in lots[own..].iter().chain(&lots[..own]) {
        while lot.work_once(thread) {}
    }
}

/// The right to put work on these boards: whoever has it for the first has it for all.
pub(super) struct Taken<'a> {
    lots: &'a [Board],
}

impl<'a> Taken<'a> {
    /// The right to put work on these boards, if nobody has it.
    pub(super) fn take(lots: &'a [Board]) -> Option<Taken<'a>> {
        let first = lots.first()?;
        (!first.taken.swap(true, Ordering::Acquire)).then(|| Taken { lots })
    }

    /// Calls `task` once for each number below `tasks`, with the thread it runs on: this one, or others that
    /// poll these boards. Returns when all are done. While others still work, this thread calls `wait`, which
    /// returns when its argument says that they are done.
    ///
    /// # Panics
    /// When a task does.
    pub(super) fn share(
        &self,
        thread: usize,
        tasks: usize,
        task: &(dyn Fn(usize, usize) + Sync),
        wait: &dyn Fn(&dyn Fn() -> bool),
    ) {
        // More tasks than the counters hold go in portions.
        let most = usize::from(u16::MAX);
        for first in (0..tasks).step_by(most) {
            self.share_portion(thread, first..tasks.min(first + most), task, wait);
        }
    }

    fn share_portion(
        &self,
        thread: usize,
        tasks: Range<usize>,
        task: &(dyn Fn(usize, usize) + Sync),
        wait: &dyn Fn(&dyn Fn() -> bool),
    ) {
        // Before the first task can be had: it waits for those that are, whatever happens here.
        let lots = &self.lots[..self.lots.len().min(tasks.len())];
        let wait = Wait { lots, wait };
        // This thread's lot comes last, because it begins with it at once.
        for (i, lot) in lots.iter().enumerate().rev() {
            let part = even_part(i, lots.len(), tasks.len());
            // SAFETY: this has taken the boards, and waits for all tasks before it is left.
            unsafe { lot.post(task, tasks.start + part.start, part.len() as u16) };
        }
        work(lots, thread);
        drop(wait);
        // All of them begin the next piece anew.
        let failed = lots.iter().filter(|lot| lot.failed.swap(false, Ordering::Relaxed)).count();
        if failed > 0 {
            fail();
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(first) = self.lots.first() {
            first.taken.store(false, Ordering::Release);
        }
    }
}

#[cold]
#[allow(clippy::panic)]
fn fail() -> ! {
    panic!("a task panicked on another thread")
}

/// Counts a task as done, whether it returned or panicked.
struct Done<'a>(&'a Board);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        self.0.done.fetch_add(1, Ordering::Release);
    }
}

/// Waits for all tasks that are claimed, and lets no more be.
struct Wait<'a> {
    lots: &'a [Board],
    wait: &'a dyn Fn(&dyn Fn() -> bool),
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        for lot in self.lots {
            // After a panic there may be tasks left.
            let claimed = lot.withdraw();
            let is_done = || lot.done.load(Ordering::Acquire) >= claimed;
            if !is_done() {
                (self.wait)(&is_done);
            }
        }
    }
}

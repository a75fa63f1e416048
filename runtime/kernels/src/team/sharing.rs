//! A team, and how it shares out a piece of work.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::slices::Parts;

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
    /// Whether the helpers are only imagined.
    rehearses: bool,
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
    /// A team of the caller alone.
    pub fn alone() -> Team {
        Team::of(0)
    }

    pub(super) fn of(helpers: usize) -> Team {
        Team {
            claims: AtomicU64::new(0),
            work: UnsafeCell::new(None),
            done: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            sharing: AtomicBool::new(false),
            present: AtomicUsize::new(0),
            helpers,
            rehearses: false,
        }
    }

    /// A team of the caller, who cuts work as for so many helpers more.
    pub(super) fn rehearsed(helpers: usize) -> Team {
        Team { rehearses: true, ..Team::of(helpers) }
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
        if self.rehearses && !self.sharing.swap(true, Ordering::Acquire) {
            let _sharing = Sharing(self);
            return Team::note(tasks, task);
        }
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
pub(super) struct Over<'a>(pub(super) &'a Team);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let over = Claims { piece: Claims::OVER, tasks: 0, next: 0 };
        self.0.claims.store(over.pack(), Ordering::Release);
    }
}

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

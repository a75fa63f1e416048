//! One piece of work at a time, whose tasks go to whoever is free.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// The tasks of a piece of work. One thread at a time puts work here, and any thread takes its tasks.
///
/// On lines of its own in the cache: what is counted beside it would take these from those who look here.
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

/// A function of the thread and the number of a task, on the stack of the one who shares it out.
#[derive(Clone, Copy, Debug)]
struct Work(*const (dyn Fn(usize, usize) + Sync));

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
    /// No more work will come.
    const OVER: u32 = u32::MAX;

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

    /// The right to put work here, if nobody has it.
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        (!self.taken.swap(true, Ordering::Acquire)).then(|| Taken(self))
    }

    /// Whether nobody will put work here any more.
    pub(super) fn is_over(&self) -> bool {
        Claims::unpack(self.claims.load(Ordering::Acquire)).piece == Claims::OVER
    }

    /// Whether there is a task to claim, or will be none any more.
    pub(super) fn has_news(&self) -> bool {
        let now = Claims::unpack(self.claims.load(Ordering::Relaxed));
        now.next < now.tasks || now.piece == Claims::OVER
    }

    /// Says that nobody will.
    pub(super) fn end(&self) {
        let over = Claims { piece: Claims::OVER, tasks: 0, next: 0 };
        self.claims.store(over.pack(), Ordering::Release);
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
            if let Some(Work(task)) = *self.work.get() {
                (*task)(thread, usize::from(now.next));
            }
        }
        true
    }
}

/// The right to put work on a board.
pub(super) struct Taken<'a>(&'a Board);

impl Taken<'_> {
    /// Calls `task` with a thread and each number below `tasks`, once, on this thread or on others that look
    /// here, and returns when all are done. While others still work this one calls `wait`, which returns when
    /// what it is given says that they are done.
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
        // More tasks than the counter holds go in portions.
        let most = usize::from(u16::MAX);
        for first in (0..tasks).step_by(most) {
            let portion = |thread: usize, i: usize| task(thread, first + i);
            self.share_portion(thread, most.min(tasks - first), &portion, wait);
        }
    }

    fn share_portion(
        &self,
        thread: usize,
        tasks: usize,
        task: &(dyn Fn(usize, usize) + Sync),
        wait: &dyn Fn(&dyn Fn() -> bool),
    ) {
        let board = self.0;
        let piece = Claims::unpack(board.claims.load(Ordering::Relaxed)).piece.wrapping_add(1);
        let piece = if piece == Claims::OVER { 1 } else { piece };
        board.done.store(0, Ordering::Relaxed);
        // SAFETY: all tasks of the piece before are done and none can be claimed, so nobody reads
        // this; and only who has taken the board comes here. The lifetime is erased: `Wait` sees to it
        // that no task runs when this function is left.
        unsafe {
            let task: &'static (dyn Fn(usize, usize) + Sync) = std::mem::transmute(task);
            *board.work.get() = Some(Work(task));
        }
        let claims = Claims { piece, tasks: tasks as u16, next: 0 };
        board.claims.store(claims.pack(), Ordering::Release);
        let wait = Wait { board, wait };
        while board.work_once(thread) {}
        drop(wait);
        if board.failed.swap(false, Ordering::Relaxed) {
            failed();
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

#[cold]
#[allow(clippy::panic)]
fn failed() -> ! {
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
    board: &'a Board,
    wait: &'a dyn Fn(&dyn Fn() -> bool),
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let board = self.board;
        let mut now = Claims::unpack(board.claims.load(Ordering::Relaxed));
        // After a panic there may be tasks left.
        while now.next < now.tasks {
            let none = Claims { tasks: now.next, ..now };
            let relaxed = Ordering::Relaxed;
            match board.claims.compare_exchange(now.pack(), none.pack(), relaxed, relaxed) {
                Ok(_) => now = none,
                Err(other) => now = Claims::unpack(other),
            }
        }
        (self.wait)(&|| board.done.load(Ordering::Acquire) >= usize::from(now.next));
    }
}

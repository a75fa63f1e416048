//! A team, and how it shares out a piece of work.
//!
//! Where there are fewer tasks than threads, a task can share out parts of itself to those that have none.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::board::{self, Board, Taken};
use super::slices::Parts;

/// How often a thread polls for work before it yields to other threads of the machine.
const SPINS: usize = 2000;

/// How long a helper waits for work in a team that runs a user's code.
const PATIENCE: Duration = Duration::from_millis(5);

/// How many tasks at a time can share out parts of themselves.
const BOARDS: usize = 16;

/// The most lots that tasks are cut into. Each thread begins with its own lot: so it meets the same images,
/// or rows, in one layer after the other, and finds them in its cache. Where two cores share no cache, moving
/// them costs more than computing them.
const LOTS: usize = 16;

/// A counter that changes often, on a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct AloneInLine(AtomicUsize);

/// The threads of a call; [`Team::gather`] makes one.
#[derive(Debug)]
pub struct Team {
    /// The piece of work that is shared out, in lots.
    main: [Board; LOTS],
    /// Whether no more work will come.
    over: AtomicBool,
    /// What its tasks share out to threads that have none of their own.
    of_tasks: [Board; BOARDS],
    /// How many of these boards have work.
    open: AtomicUsize,
    /// How many threads have no task of their own.
    free: AloneInLine,
    /// How many helpers have come.
    present: AtomicUsize,
    pub(super) helpers: usize,
    /// Whether tasks run code that may call rayon.
    foreign: AtomicBool,
    /// Whether the helpers are only imagined.
    pub(super) rehearses: bool,
}

impl Team {
    /// A team of the caller alone.
    pub fn alone() -> Team {
        Team::of(0)
    }

    pub(super) fn of(helpers: usize) -> Team {
        Team {
            main: [const { Board::new() }; LOTS],
            over: AtomicBool::new(false),
            of_tasks: [const { Board::new() }; BOARDS],
            open: AtomicUsize::new(0),
            free: AloneInLine(AtomicUsize::new(0)),
            present: AtomicUsize::new(0),
            helpers,
            foreign: AtomicBool::new(false),
            rehearses: false,
        }
    }

    /// A team of the caller, which cuts work as for `helpers` more threads.
    pub(super) fn rehearsed(helpers: usize) -> Team {
        Team { rehearses: true, ..Team::of(helpers) }
    }

    /// How many threads there are at most.
    pub fn threads(&self) -> usize {
        self.helpers + 1
    }

    /// Calls `task` with each number below `tasks`, once, on whichever thread is free, and returns when all
    /// are done. A task that itself calls this runs those tasks alone.
    ///
    /// # Panics
    /// When a task does.
    pub fn share(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.share_with(tasks, &|_, index| task(index));
    }

    /// As [`share`](Self::share), where `task` is also told on which thread it is, from 0 to
    /// [`threads`](Self::threads): no two tasks are on the same one at a time.
    fn share_with(&self, tasks: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        let main = if self.rehearses || tasks > 1 { self.take() } else { None };
        self.share_on(main.as_ref(), tasks, task);
    }

    /// The lots of this team, one a thread.
    fn lots(&self) -> &[Board] {
        &self.main[..self.threads().min(LOTS)]
    }

    /// The right to share out tasks, if there is anybody to share with, and this is within no task.
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        let shares = self.rehearses || self.helpers > 0;
        if shares { Taken::take(self.lots()) } else { None }
    }

    /// Shares out tasks on the main board, or does them alone where that is not to be had.
    pub(super) fn share_on(
        &self,
        main: Option<&Taken<'_>>,
        tasks: usize,
        task: &(dyn Fn(usize, usize) + Sync),
    ) {
        match main {
            Some(_) if self.rehearses => self.note(tasks, task),
            Some(main) if tasks > 1 => {
                main.share(0, tasks, task, &|is_done| self.assist_until(0, is_done));
            }
            _ => (0..tasks).for_each(|index| task(0, index)),
        }
    }

    /// How many threads a task may count on: itself, and its share of those that have no task.
    pub(super) fn threads_of_task(&self) -> usize {
        if self.rehearses {
            return Team::rehearsed_threads_of_task();
        }
        let free = self.free.0.load(Ordering::Relaxed);
        let present = 1 + self.present.load(Ordering::Relaxed);
        1 + free.div_ceil(present.saturating_sub(free).max(1))
    }

    /// Shares out parts of a task that runs on this thread, as [`share`](Self::share) does tasks, to threads
    /// that have none.
    pub(super) fn share_parts(
        &self,
        thread: usize,
        parts: usize,
        part: &(dyn Fn(usize, usize) + Sync),
    ) {
        if self.rehearses {
            return Team::note_parts(parts, part);
        }
        let mut boards = self.of_tasks.iter().map(std::slice::from_ref);
        match boards.find_map(Taken::take) {
            Some(board) => {
                let _open = Counted::new(&self.open);
                board.share(thread, parts, part, &wait);
            }
            None => (0..parts).for_each(|index| part(thread, index)),
        }
    }

    /// Does parts of other threads' tasks on this one, which has none, until this `is_done`.
    fn assist_until(&self, thread: usize, is_done: &dyn Fn() -> bool) {
        let _free = Counted::new(&self.free.0);
        let mut spins = 0;
        while !is_done() {
            if self.assist_once(thread) { spins = 0 } else { pause(&mut spins) }
        }
    }

    /// Does one part; `false` if there is none.
    fn assist_once(&self, thread: usize) -> bool {
        // The owner of a part that panics learns of it from the board.
        let assist = || self.of_tasks.iter().any(|board| board.work_once(thread));
        self.open.load(Ordering::Relaxed) > 0
            && catch_unwind(AssertUnwindSafe(assist)).unwrap_or(true)
    }

    /// Works until the call is over; sends for the other helpers first.
    pub(super) fn help(&self, helpers: usize) {
        if helpers > 1 {
            rayon::join(|| self.help(1), || self.help(helpers - 1));
            return;
        }
        // A thread of a team that waits in a call of rayon may find this: what it would wait for here may be itself.
        let Some(_inside) = Inside::enter() else { return };
        let thread = 1 + self.present.fetch_add(1, Ordering::Relaxed);
        while !self.over.load(Ordering::Acquire) {
            board::work(self.lots(), thread);
            if !self.wait_for_work(thread) {
                return;
            }
        }
    }

    /// Runs parts of other threads' tasks until this thread's lot has work or the call is over; `false` when
    /// this helper should leave. With fewer tasks than threads, some threads get no lot, and are not needed.
    fn wait_for_work(&self, thread: usize) -> bool {
        let lots = self.lots();
        let own = &lots[thread % lots.len()];
        let _free = Counted::new(&self.free.0);
        let (mut spins, mut idle_since) = (0, None);
        while !own.has_tasks() && !self.over.load(Ordering::Relaxed) {
            if self.assist_once(thread) {
                (spins, idle_since) = (0, None);
                continue;
            }
            if self.foreign.load(Ordering::Relaxed)
                && idle_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE
            {
                return false;
            }
            pause(&mut spins);
        }
        true
    }

    /// Says that tasks run a user's code, which may call rayon. A thread that waits there takes up any job of the
    /// pool, this team's helper too, and the task of the leader may wait for that thread. So helpers that find
    /// nothing to do leave after a while.
    pub fn runs_foreign_code(&self) {
        self.foreign.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    /// Whether this thread works for a team.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A thread that works for a team, as long as this lives.
pub(super) struct Inside {
    before: bool,
}

impl Inside {
    /// `None` on a thread that works for one already.
    pub(super) fn enter() -> Option<Inside> {
        (!INSIDE.get()).then(Inside::lead)
    }

    /// On a thread that leads one, maybe within a task of another.
    pub(super) fn lead() -> Inside {
        Inside { before: INSIDE.replace(true) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.before);
    }
}

/// Waits until this `is_done`.
fn wait(is_done: &dyn Fn() -> bool) {
    let mut spins = 0;
    while !is_done() {
        pause(&mut spins);
    }
}

/// One more of something, as long as this lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Counted<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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

/// Sends the helpers home.
pub(super) struct Over<'a>(pub(super) &'a Team);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
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

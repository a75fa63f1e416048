//! Parked helper threads: threads of rayon's global pool that wait for calls from threads outside of it.
//!
//! Such a caller does not hand its work to the pool and sleep until it is done: it works itself, and
//! assigns its team to the slots of helpers. A helper that does not start in time, because the pool is
//! busy, is not waited for. After a call a helper stays parked in its slot, spinning, because the next call
//! mostly follows at once. Then it returns to the pool.
//!
//! Callers at the same time share the threads of the pool among them. As many callers as threads get no
//! helpers: they occupy the cores by themselves.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::without_provenance_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::sharing::{Inside, Team, pause};

/// How long a helper stays parked after a call.
const SPIN_TIMEOUT: Duration = Duration::from_micros(100);

/// The most helpers there can be.
const MAX_HELPERS: usize = 64;

/// How many calls from outside of the pool there are.
static CALLS: AtomicUsize = AtomicUsize::new(0);

static SLOTS: [Slot; MAX_HELPERS] =
    [const { Slot(AtomicPtr::new(std::ptr::null_mut())) }; MAX_HELPERS];

/// The state of one helper:
/// - null: the slot is empty;
/// - [`PARKED`](Slot::PARKED): a helper is parked here, or has been spawned and will be;
/// - the address of a team: the helper is assigned to it;
/// - the next address, which is odd: the helper works for it.
struct Slot(AtomicPtr<Team>);

impl Slot {
    const PARKED: *mut Team = without_provenance_mut(1);

    fn change(&self, from: *mut Team, to: *mut Team) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Works for the teams that are assigned to this slot, until none has been for a while.
    fn run(&self) {
        let Some(inside) = Inside::enter() else {
            // This thread waits in a call of rayon for a team that it works for: nobody should count on it.
            return self.0.store(std::ptr::null_mut(), Ordering::Release);
        };
        // `help` enters by itself.
        drop(inside);
        let mut idle_since = Instant::now();
        let mut spins = 0;
        loop {
            let now = self.0.load(Ordering::Relaxed);
            if now == Slot::PARKED {
                if spins % 64 == 0
                    && idle_since.elapsed() > SPIN_TIMEOUT
                    && self.change(now, std::ptr::null_mut())
                {
                    return;
                }
                pause(&mut spins);
            } else if self.change(now, working_for(now)) {
                // SAFETY: the caller lets the team live while this slot says that the helper works for
                // it; `help` returns when the team's call is over.
                let team = unsafe { &*now };
                // The caller learns of a panic from the team.
                let _ = catch_unwind(AssertUnwindSafe(|| team.help(1)));
                self.0.store(Slot::PARKED, Ordering::Release);
                (idle_since, spins) = (Instant::now(), 0);
            }
        }
    }
}

/// The state of a helper that works for this team.
fn working_for(team: *mut Team) -> *mut Team {
    team.map_addr(|address| address | 1)
}

/// A call from outside of the pool.
pub(super) struct Call {
    /// How many helpers it may have.
    pub(super) helpers: usize,
}

impl Call {
    /// A call for at most `helpers` helpers.
    pub(super) fn start(helpers: usize) -> Call {
        let calls = 1 + CALLS.fetch_add(1, Ordering::Relaxed);
        let threads = rayon::current_num_threads() / calls;
        Call { helpers: helpers.min(threads.saturating_sub(1)) }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        CALLS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The helpers of a call. Dropping it takes back the assignments and waits for those that work: then no
/// thread has the team any more. The call must be over by then.
pub(super) struct Assignment<'a> {
    team: &'a Team,
    slots: &'static [Slot],
}

impl<'a> Assignment<'a> {
    /// Assigns threads of the global pool, as many as the team has place for: parked ones first, then new ones.
    pub(super) fn new(team: &'a Team) -> Assignment<'a> {
        let slots = &SLOTS[..rayon::current_num_threads().min(MAX_HELPERS)];
        let assignment = Assignment { team, slots };
        let address = assignment.address();
        let mut left = team.threads() - 1;
        for slot in slots {
            if left > 0 && slot.change(Slot::PARKED, address) {
                left -= 1;
            }
        }
        for slot in slots {
            if left > 0 && slot.change(std::ptr::null_mut(), address) {
                left -= 1;
                rayon::spawn(|| slot.run());
            }
        }
        assignment
    }

    fn address(&self) -> *mut Team {
        std::ptr::from_ref(self.team).cast_mut()
    }
}

impl Drop for Assignment<'_> {
    fn drop(&mut self) {
        let address = self.address();
        for slot in self.slots {
            let mut spins = 0;
            if !slot.change(address, Slot::PARKED) {
                while slot.0.load(Ordering::Acquire) == working_for(address) {
                    pause(&mut spins);
                }
            }
        }
    }
}

//! Where threads of rayon's global pool wait for calls from threads outside of it.
//!
//! Such a caller does not hand its work to the pool and sleep until it is done: it works itself, and
//! invites helpers. One that does not come in time, because the pool is busy, is not waited for. A
//! helper stays awake for a moment after a call, since the next one mostly follows at once, and then
//! goes back to the pool.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::without_provenance_mut;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::{Duration, Instant};

use super::sharing::{Team, pause};

/// How long a helper waits for the next call.
const PATIENCE: Duration = Duration::from_micros(100);

/// The most helpers there can be.
const PLACES: usize = 64;

static LOBBY: [Place; PLACES] = [const { Place(AtomicPtr::new(std::ptr::null_mut())) }; PLACES];

/// Room for one helper. It holds
/// - null: no helper;
/// - [`HERE`](Place::HERE): one that waits, or is on its way;
/// - the address of a team: it is invited there;
/// - the next address, which is odd: it works there.
struct Place(AtomicPtr<Team>);

impl Place {
    const HERE: *mut Team = without_provenance_mut(1);

    fn change(&self, from: *mut Team, to: *mut Team) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Waits for invitations and follows them.
    fn help(&self) {
        let mut idle_since = Instant::now();
        let mut spins = 0;
        loop {
            let now = self.0.load(Ordering::Relaxed);
            if now == Place::HERE {
                if spins % 64 == 0
                    && idle_since.elapsed() > PATIENCE
                    && self.change(now, std::ptr::null_mut())
                {
                    return;
                }
                pause(&mut spins);
            } else if self.change(now, at_work(now)) {
                // SAFETY: the one who invited lets the team live while this place says that somebody
                // works there; `help` returns when the team's call is over.
                let team = unsafe { &*now };
                // The caller learns of a panic from the team.
                let _ = catch_unwind(AssertUnwindSafe(|| team.help(1)));
                self.0.store(Place::HERE, Ordering::Release);
                (idle_since, spins) = (Instant::now(), 0);
            }
        }
    }
}

/// What stands at the place of somebody who works for a team.
fn at_work(team: *mut Team) -> *mut Team {
    team.map_addr(|address| address | 1)
}

/// The helpers of a call. When this is dropped nobody works for the team any more; it must be over by
/// then.
pub(super) struct Invited<'a> {
    team: &'a Team,
    places: &'static [Place],
}

impl<'a> Invited<'a> {
    /// Invites so many threads of the global pool, if they are free.
    pub(super) fn new(team: &'a Team, helpers: usize) -> Invited<'a> {
        let places = &LOBBY[..rayon::current_num_threads().min(PLACES)];
        let invited = Invited { team, places };
        let address = invited.address();
        let mut left = helpers;
        for place in places {
            if left > 0 && place.change(Place::HERE, address) {
                left -= 1;
            }
        }
        for place in places {
            if left > 0 && place.change(std::ptr::null_mut(), address) {
                left -= 1;
                rayon::spawn(|| place.help());
            }
        }
        invited
    }

    fn address(&self) -> *mut Team {
        std::ptr::from_ref(self.team).cast_mut()
    }
}

impl Drop for Invited<'_> {
    fn drop(&mut self) {
        let address = self.address();
        for place in self.places {
            let mut spins = 0;
            if !place.change(address, Place::HERE) {
                while place.0.load(Ordering::Acquire) == at_work(address) {
                    pause(&mut spins);
                }
            }
        }
    }
}

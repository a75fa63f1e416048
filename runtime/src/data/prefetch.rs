//! Batches that are fetched while the net works on those before.

use std::fmt;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use typenet_engine::Flat;

use super::{Examples, Sampler, View};
use crate::Result;

/// Fetches the batches of a training run ahead of time and in order, on threads of its own, into a few
/// buffers that it reuses.
///
/// | method | default |
/// |---|---|
/// | [`epochs`](Self::epochs) | without end |
/// | [`from_batch`](Self::from_batch) | 0 |
/// | [`ahead`](Self::ahead) | 2 batches |
/// | [`threads`](Self::threads) | 1; 0 where the examples are [at hand](Examples::is_at_hand) |
///
/// The number of threads and their speed do not change the batches. Once the buffers have grown to the size
/// of a batch, nothing is allocated.
///
/// ```
/// use typenet_runtime::data::{Dataset, Prefetch, Sampler};
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let data = Dataset::from_inputs(&[[1.0], [2.0], [3.0]], vec![10, 20, 30])?;
/// let prefetch = Prefetch::new(&data, Sampler::new(data.len(), 2, 42)).epochs(0..3);
/// let steps = prefetch.run(|batches| {
///     let mut steps = 0;
///     while let Some(batch) = batches.next()? {
///         assert_eq!(batch.targets[0] as f32, 10.0 * batch.inputs[0]);
///         steps += 1;
///     }
///     println!("the net waited {:?}", batches.waited());
///     Ok::<_, typenet_runtime::Error>(steps)
/// })?;
/// assert_eq!(steps, 6);
/// # Ok(())
/// # }
/// ```
pub struct Prefetch<'a, T> {
    fetch: Box<Fetch<'a, T>>,
    sampler: Sampler,
    epochs: Range<usize>,
    batch: usize,
    ahead: usize,
    threads: usize,
}

type Fetch<'a, T> = dyn Fn(&mut Batch<T>) -> Result<()> + Sync + 'a;

/// A batch of examples.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Batch<T> {
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// Which batch of the epoch it is, counted from 0.
    pub index: usize,
    /// Whether it is the last one of the epoch.
    pub is_last: bool,
    /// The indices of the examples in the source.
    pub examples: Vec<usize>,
    /// The numbers of the inputs, one input after the other.
    pub inputs: Vec<f32>,
    /// The target of each input.
    pub targets: Vec<T>,
}

impl<T> Batch<T> {
    fn new() -> Batch<T> {
        let (examples, inputs, targets) = (Vec::new(), Vec::new(), Vec::new());
        Batch { epoch: 0, index: 0, is_last: false, examples, inputs, targets }
    }
}

impl<'a, T: Send> Prefetch<'a, T> {
    /// The batches that the sampler draws from this source. The sampler must be made for as many examples as
    /// the source has.
    pub fn new<I: Flat, S: Examples<I, T> + ?Sized>(source: &'a S, sampler: Sampler) -> Self {
        let fetch = |batch: &mut Batch<T>| {
            let Batch { epoch, examples, inputs, targets, .. } = batch;
            source.batch_into(View::Epoch(*epoch), examples, inputs, targets)
        };
        Prefetch {
            fetch: Box::new(fetch),
            sampler,
            epochs: 0..usize::MAX,
            batch: 0,
            ahead: 2,
            threads: usize::from(!source.is_at_hand()),
        }
    }

    /// Which epochs are run through, counted from 0.
    #[must_use]
    pub fn epochs(self, epochs: Range<usize>) -> Self {
        Prefetch { epochs, ..self }
    }

    /// The batch of the first epoch to start with, counted from 0: to continue an unfinished epoch.
    #[must_use]
    pub fn from_batch(self, batch: usize) -> Self {
        Prefetch { batch, ..self }
    }

    /// How many batches may be ready before they are needed, at least 1.
    #[must_use]
    pub fn ahead(self, batches: usize) -> Self {
        Prefetch { ahead: batches.max(1), ..self }
    }

    /// How many threads fetch, each one batch at a time. With 0, a batch is fetched when it is asked for.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Prefetch { threads, ..self }
    }

    /// Calls `body` with the batches and returns its result. The threads end with it, however it ends.
    ///
    /// # Panics
    /// When the source panics: with the same panic, where `body` asks for the batch.
    pub fn run<R>(self, body: impl FnOnce(&mut Batches<'_, T>) -> R) -> R {
        let Prefetch { fetch, sampler, epochs, batch, ahead, threads } = self;
        let order = Order { sampler, epochs, batch, is_shuffled: false };
        // One for each thread, those that wait, and the one that `body` has.
        let buffers = if threads == 0 { 1 } else { threads + ahead + 1 };
        let shared = Shared {
            fetch: &*fetch,
            state: Mutex::new(State {
                order,
                free: (0..buffers).map(|_| Batch::new()).collect(),
                fetched: (0..buffers).map(|_| None).collect(),
                given_out: 0,
                is_over: false,
            }),
            freed: Condvar::new(),
            filled: Condvar::new(),
        };
        thread::scope(|scope| {
            // Dropped before the scope waits for its threads, also when `body` panics.
            let mut batches = Batches::new(&shared, threads);
            for _ in 0..threads {
                scope.spawn(|| shared.fetch_ahead());
            }
            body(&mut batches)
        })
    }
}

impl<T> fmt::Debug for Prefetch<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetch")
            .field("epochs", &self.epochs)
            .field("batch", &self.batch)
            .field("ahead", &self.ahead)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Which batch comes next.
struct Order {
    sampler: Sampler,
    epochs: Range<usize>,
    batch: usize,
    is_shuffled: bool,
}

impl Order {
    /// Writes the next batch's place and examples; `false` after the last.
    fn next<T>(&mut self, batch: &mut Batch<T>) -> bool {
        while self.epochs.start < self.epochs.end {
            if !self.is_shuffled {
                self.sampler.shuffle(self.epochs.start);
                self.is_shuffled = true;
            }
            let mut batches = self.sampler.batches();
            let count = batches.len();
            if count == 0 {
                return false;
            }
            let Some(examples) = batches.nth(self.batch) else {
                (self.epochs.start, self.batch, self.is_shuffled) =
                    (self.epochs.start + 1, 0, false);
                continue;
            };
            batch.examples.clear();
            batch.examples.extend_from_slice(examples);
            (batch.epoch, batch.index) = (self.epochs.start, self.batch);
            batch.is_last = self.batch + 1 == count;
            self.batch += 1;
            return true;
        }
        false
    }
}

/// What the threads and the one who asks have in common.
struct Shared<'a, T> {
    fetch: &'a Fetch<'a, T>,
    state: Mutex<State<T>>,
    freed: Condvar,
    filled: Condvar,
}

struct State<T> {
    order: Order,
    free: Vec<Batch<T>>,
    /// Batch `n` of the run stands at `n` modulo the number of buffers: never are more on their way.
    fetched: Vec<Option<Fetched<T>>>,
    /// How many batches the threads were given.
    given_out: usize,
    /// Whether no more are wanted, or there are no more.
    is_over: bool,
}

type Fetched<T> = thread::Result<Result<Batch<T>>>;

impl<T> Shared<'_, T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No one panics while holding it, but for a sampler without examples or the like.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does.
    fn fetch_ahead(&self) {
        while let Some((number, mut batch)) = self.take_free() {
            let fetch = AssertUnwindSafe(|| (self.fetch)(&mut batch));
            let fetched = panic::catch_unwind(fetch).map(|fetched| fetched.map(|()| batch));
            let mut state = self.lock();
            let place = number % state.fetched.len();
            state.fetched[place] = Some(fetched);
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Waits for a buffer, and says which batch it is for.
    fn take_free(&self) -> Option<(usize, Batch<T>)> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(mut batch) = state.free.pop() {
                if !state.order.next(&mut batch) {
                    state.is_over = true;
                    drop(state);
                    self.freed.notify_all();
                    self.filled.notify_one();
                    return None;
                }
                state.given_out += 1;
                return Some((state.given_out - 1, batch));
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The batches of a run, one after the other.
pub struct Batches<'a, T> {
    shared: &'a Shared<'a, T>,
    threads: usize,
    current: Option<Batch<T>>,
    asked_for: usize,
    /// Whether there was an error, or no batch is left.
    is_over: bool,
    waited: Duration,
    waits: usize,
}

impl<'a, T> Batches<'a, T> {
    fn new(shared: &'a Shared<'a, T>, threads: usize) -> Self {
        Batches {
            shared,
            threads,
            current: None,
            asked_for: 0,
            is_over: false,
            waited: Duration::ZERO,
            waits: 0,
        }
    }

    /// The next batch; `None` after the last one. Its memory may be that of the batch before.
    ///
    /// # Errors
    /// When the source cannot read an example; there are no batches after that.
    #[allow(clippy::should_implement_trait, reason = "a batch is lent, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<&Batch<T>>> {
        if self.is_over {
            return Ok(None);
        }
        let next = if self.threads == 0 { self.fetch_now() } else { self.take_fetched() };
        self.is_over = !matches!(next, Some(Ok(_)));
        next.transpose().map(|batch| batch.map(|batch| &*self.current.insert(batch)))
    }

    fn fetch_now(&mut self) -> Option<Result<Batch<T>>> {
        let mut batch = {
            let mut state = self.shared.lock();
            let mut batch = self.current.take().or_else(|| state.free.pop())?;
            state.order.next(&mut batch).then_some(batch)?
        };
        let start = Instant::now();
        let fetched = (self.shared.fetch)(&mut batch);
        self.waited += start.elapsed();
        self.waits += 1;
        Some(fetched.map(|()| batch))
    }

    fn take_fetched(&mut self) -> Option<Result<Batch<T>>> {
        let mut state = self.shared.lock();
        if let Some(batch) = self.current.take() {
            state.free.push(batch);
            self.shared.freed.notify_one();
        }
        let place = self.asked_for % state.fetched.len();
        let mut start = None;
        let fetched = loop {
            if let Some(fetched) = state.fetched[place].take() {
                break fetched;
            }
            if state.is_over && state.given_out <= self.asked_for {
                return None;
            }
            start.get_or_insert_with(Instant::now);
            let filled = self.shared.filled.wait(state);
            state = filled.unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        self.asked_for += 1;
        if let Some(start) = start {
            self.waited += start.elapsed();
            self.waits += 1;
        }
        match fetched {
            Ok(fetched) => Some(fetched),
            // Here as the source did in its thread.
            Err(panic) => panic::resume_unwind(panic),
        }
    }

    /// How long this run has waited for batches, in all.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// How often a batch was not ready when it was asked for.
    pub fn waits(&self) -> usize {
        self.waits
    }
}

impl<T> Drop for Batches<'_, T> {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.freed.notify_all();
    }
}

impl<T> fmt::Debug for Batches<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("asked_for", &self.asked_for)
            .field("waited", &self.waited)
            .field("waits", &self.waits)
            .finish_non_exhaustive()
    }
}

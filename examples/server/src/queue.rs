//! The queue of requests for the net, and the thread that works it off in batches.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender, error::TrySendError};
use tokio::sync::oneshot;
use typenet::Scores;

use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::served::{CLASSES, Served};

/// The probability of each class.
pub(crate) type Probabilities = [f32; CLASSES];

/// One request: the numbers of its input, and who waits for the answer.
struct Job {
    numbers: Vec<f32>,
    reply: oneshot::Sender<Probabilities>,
}

/// Requests that wait for the net.
#[derive(Clone)]
pub(crate) struct Queue(Sender<Job>);

/// A place in the queue, for a request whose input is still being made.
pub(crate) struct Place(OwnedPermit<Job>);

impl Queue {
    /// A queue of `places`, and the thread that runs the net. The thread ends with the last queue.
    pub(crate) fn start<N: Served>(
        net: Arc<N>,
        places: NonZeroUsize,
        batch: NonZeroUsize,
        threads: NonZeroUsize,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Queue> {
        let (sender, jobs) = mpsc::channel(places.get());
        // A pool of its own: in the global one, idle threads would wait for work that does not come,
        // and take the cores from the connections.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build();
        let pool = pool.map_err(std::io::Error::other)?;
        std::thread::Builder::new()
            .name("net".to_owned())
            .spawn(move || pool.install(|| work(&*net, jobs, batch.get(), &metrics)))?;
        Ok(Queue(sender))
    }

    /// A place, if there is one.
    pub(crate) fn place(&self) -> Result<Place, Refusal> {
        match self.0.clone().try_reserve_owned() {
            Ok(permit) => Ok(Place(permit)),
            Err(TrySendError::Full(_)) => Err(Refusal::busy("too many requests wait for the net")),
            Err(TrySendError::Closed(_)) => Err(Refusal::broken()),
        }
    }

    /// Whether the net's thread is there.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// How many places are taken.
    pub(crate) fn len(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }
}

impl Place {
    /// Has the net answer. `numbers` must be as many as its input has.
    pub(crate) async fn answer(self, numbers: Vec<f32>) -> Result<Probabilities, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Job { numbers, reply });
        answer.await.map_err(|_| Refusal::broken())
    }
}

/// Answers all that waits, up to `most` at once, until the queue is closed and empty. Under little load
/// a request is a batch of its own and waits for nobody; under much, batches form by themselves.
fn work<N: Served>(net: &N, mut jobs: Receiver<Job>, most: usize, metrics: &Metrics) {
    let mut workspace = N::workspace(most);
    let mut outputs = vec![[0.0; CLASSES]; most];
    let mut batch = Vec::with_capacity(most);
    let mut numbers = Vec::new();
    while jobs.blocking_recv_many(&mut batch, most) > 0 {
        // Whoever has a request just read hands it over first, if the cores are busy: to take each by
        // itself would cost more than to take them together.
        std::thread::yield_now();
        while batch.len() < most
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        // Nobody waits for those that took too long.
        batch.retain(|job: &Job| !job.reply.is_closed());
        numbers.clear();
        batch.iter().for_each(|job| numbers.extend_from_slice(&job.numbers));
        let outputs = &mut outputs[..batch.len()];
        let Ok(inputs) = N::inputs(&numbers) else { return };
        if net.answer(&mut workspace, inputs, outputs).is_err() {
            return;
        }
        metrics.batch(batch.len());
        for (job, output) in batch.drain(..).zip(outputs) {
            // Who no longer waits needs no answer.
            let _ = job.reply.send(output.softmax());
        }
    }
}

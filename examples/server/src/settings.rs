use std::num::NonZeroUsize;
use std::time::Duration;

/// The limits of the service.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many requests may wait for the net; more are answered with 503.
    pub queue: NonZeroUsize,
    /// How many of them the net takes at once.
    pub batch: NonZeroUsize,
    /// On how many threads the net runs.
    pub threads: NonZeroUsize,
    /// In which time a body must have come, and in which the net must have answered.
    pub timeout: Duration,
    /// In which time a request's head must have come; so long may a connection be idle.
    pub head_timeout: Duration,
    /// Bytes of a body.
    pub body_limit: NonZeroUsize,
    /// Connections at a time; more wait until one ends.
    pub connections: NonZeroUsize,
}

//! What the service counts, for Prometheus.

use std::sync::Mutex;
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Labels {
    path: &'static str,
    status: u16,
}

pub(crate) struct Metrics {
    requests: Family<Labels, Counter>,
    times: Histogram,
    batches: Histogram,
    queue: Gauge,
    connections: Gauge,
    // A mutex, since a registry is not `Sync` by itself.
    registry: Mutex<Registry>,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let metrics = Metrics {
            requests: Family::default(),
            // 50 µs to 1.6 s.
            times: Histogram::new(exponential_buckets(50e-6, 2.0, 16)),
            batches: Histogram::new(exponential_buckets(1.0, 2.0, 8)),
            queue: Gauge::default(),
            connections: Gauge::default(),
            registry: Mutex::default(),
        };
        if let Ok(mut registry) = metrics.registry.lock() {
            let counted = metrics.requests.clone();
            registry.register("requests", "Requests answered, by path and status", counted);
            registry.register_with_unit(
                "request_duration",
                "Time from a request's head to its answer",
                Unit::Seconds,
                metrics.times.clone(),
            );
            registry.register(
                "batch_size",
                "Requests that the net took at once",
                metrics.batches.clone(),
            );
            registry.register(
                "queue_length",
                "Requests that wait for the net",
                metrics.queue.clone(),
            );
            registry.register("connections", "Open connections", metrics.connections.clone());
        }
        metrics
    }

    pub(crate) fn request(&self, path: &'static str, status: StatusCode, time: Duration) {
        self.requests.get_or_create(&Labels { path, status: status.as_u16() }).inc();
        self.times.observe(time.as_secs_f64());
    }

    pub(crate) fn batch(&self, size: usize) {
        self.batches.observe(size as f64);
    }

    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// All of it as text. `queue` is how many requests wait now.
    pub(crate) fn text(&self, queue: usize) -> Option<String> {
        self.queue.set(i64::try_from(queue).unwrap_or(i64::MAX));
        let mut encoded = String::new();
        text::encode(&mut encoded, &*self.registry.lock().ok()?).ok()?;
        Some(encoded)
    }
}

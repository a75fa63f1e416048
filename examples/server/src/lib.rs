//! A net behind HTTP.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | the page to draw on |
//! | `POST /predict` | probabilities for [`Drawing`], as [`Answer`]; both are JSON |
//! | `POST /predict/image` | the same for a PNG or JPEG file, as the body or in a form |
//! | `GET /healthz` | 200 while the net answers |
//! | `GET /metrics` | counts, times, batches and the queue, as OpenMetrics text |
//!
//! What goes wrong has a status and `{"error": "why"}`.

mod decode;
mod metrics;
mod queue;
mod refusal;
mod routes;
mod served;
mod server;
mod settings;

pub use refusal::Refusal;
pub use routes::{Answer, Drawing};
pub use served::{CLASSES, Served};
pub use server::{listen, serve};
pub use settings::Settings;

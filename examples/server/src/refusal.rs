//! Requests that get no prediction.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request gets no prediction: a status, and `{"error": "why"}` as its body.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    why: String,
}

#[derive(Serialize)]
struct Body {
    error: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, why: impl Into<String>) -> Refusal {
        Refusal { status, why: why.into() }
    }

    /// The server has too much to do.
    pub(crate) fn busy(why: &str) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    pub(crate) fn unprocessable(why: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, why)
    }

    /// The net is no longer there.
    pub(crate) fn broken() -> Refusal {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the net does not answer")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Body { error: self.why })).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = header::HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

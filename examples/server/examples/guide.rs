//! The program of `docs/service.md`.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use typenet::prelude::*;
use typenet::zoo::LeNet5;

/// 28×28 numbers from 0 to 255 in, ten probabilities out.
async fn predict(
    State(net): State<Arc<LeNet5>>,
    Json(pixels): Json<Vec<u8>>,
) -> Result<Json<[f32; 10]>, (StatusCode, String)> {
    let unfit = |error: typenet::Error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let image = net.input_from_u8(&pixels).map_err(unfit)?;
    Ok(Json(net.probabilities(&image)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let net = Arc::new(LeNet5::load("lenet5.safetensors")?);
    let app = Router::new().route("/predict", post(predict)).with_state(net);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

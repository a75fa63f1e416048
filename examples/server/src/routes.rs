//! What is answered to which request.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use typenet_digit_page::Picture;

use crate::decode::decode;
use crate::metrics::Metrics;
use crate::queue::{Place, Queue};
use crate::refusal::Refusal;
use crate::served::{CLASSES, Served};
use crate::settings::Settings;

/// The paths that are counted by name.
const PATHS: [&str; 5] = ["/", "/predict", "/predict/image", "/healthz", "/metrics"];

/// The page needs nothing from elsewhere, and gets nothing.
const PAGE_HEADERS: [(HeaderName, &str); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
         connect-src 'self'; img-src data: blob:; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// A grey picture to predict: `{"width": 2, "height": 1, "pixels": [0, 255]}`.
#[derive(Debug, Deserialize, Serialize)]
pub struct Drawing {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// One number a pixel, row by row from the top: 0 for black, 255 for white.
    pub pixels: Vec<u8>,
}

/// A prediction.
#[derive(Debug, Deserialize, Serialize)]
pub struct Answer {
    /// The most probable class.
    pub class: usize,
    /// The probability of each class.
    pub probabilities: [f32; CLASSES],
    /// The numbers that the net saw, where the request had `?input=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<f32>>,
}

/// What may stand behind `?`.
#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    input: bool,
}

struct App<N> {
    net: Arc<N>,
    queue: Queue,
    metrics: Arc<Metrics>,
    settings: Settings,
    /// Image files are decoded on as many threads as there are cores.
    decoders: Arc<Semaphore>,
    page: String,
}

type Shared<N> = State<Arc<App<N>>>;

pub(crate) fn router<N: Served>(
    net: Arc<N>,
    queue: Queue,
    metrics: Arc<Metrics>,
    settings: Settings,
) -> Router {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let script = format!("<script>\n{}</script>", include_str!("../page/predict.js"));
    let app = Arc::new(App {
        net,
        queue,
        metrics: metrics.clone(),
        settings,
        decoders: Arc::new(Semaphore::new(cores)),
        page: typenet_digit_page::PAGE.replace("<script src=\"predict.js\"></script>", &script),
    });
    Router::new()
        .route("/", get(page::<N>))
        .route("/predict", post(predict::<N>))
        .route("/predict/image", post(predict_image::<N>))
        .route("/healthz", get(healthz::<N>))
        .route("/metrics", get(show_metrics::<N>))
        .layer(DefaultBodyLimit::max(settings.body_limit.get()))
        .layer(middleware::from_fn_with_state(metrics, count))
        .with_state(app)
}

async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let known = PATHS.iter().find(|&&path| path == request.uri().path());
    let response = next.run(request).await;
    metrics.request(known.copied().unwrap_or("other"), response.status(), start.elapsed());
    response
}

async fn page<N: Served>(State(app): Shared<N>) -> impl IntoResponse {
    (PAGE_HEADERS, Html(app.page.clone()))
}

async fn predict<N: Served>(
    State(app): Shared<N>,
    Query(options): Query<Options>,
    request: Request,
) -> Result<Json<Answer>, Refusal> {
    let body = app.body(request).await?;
    let place = app.queue.place()?;
    // Not axum's `Json`, which keeps track of where it is in the text: that takes longer than the net.
    let drawing: Drawing = serde_json::from_slice(&body).map_err(|error| {
        let kind = if error.is_data() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::BAD_REQUEST
        };
        Refusal::new(kind, error.to_string())
    })?;
    let picture = Picture::new(drawing.width, drawing.height, &drawing.pixels);
    let picture = picture.ok_or_else(|| {
        let Drawing { width, height, pixels } = &drawing;
        Refusal::unprocessable(format!("{width}×{height} are not {} pixels", pixels.len()))
    })?;
    app.answer(place, &picture, &options).await
}

async fn predict_image<N: Served>(
    State(app): Shared<N>,
    Query(options): Query<Options>,
    request: Request,
) -> Result<Json<Answer>, Refusal> {
    let file = if is_form(request.headers()) {
        app.in_time(first_file(request)).await?
    } else {
        app.body(request).await?
    };
    let place = app.queue.place()?;
    let slow = |_| Refusal::busy("too many images wait to be decoded");
    let decoder = timeout(app.settings.timeout, app.decoders.clone().acquire_owned());
    let decoder = decoder.await.map_err(slow)?;
    let picture = tokio::task::spawn_blocking(move || {
        let _at_work = decoder;
        decode(file)
    });
    let picture = picture.await.map_err(|_| Refusal::unprocessable("a broken image"))??;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let picture = Picture::new(width, height, picture.as_raw());
    let picture = picture.ok_or_else(|| Refusal::unprocessable("the image has no pixels"))?;
    app.answer(place, &picture, &options).await
}

/// Whether a body is what a page's form, or `curl --form`, sends.
fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
    })
}

/// The first file of a form, whatever its field is called.
async fn first_file(request: Request) -> Result<Bytes, Refusal> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?;
    let wrong = |error: MultipartError| Refusal::new(error.status(), error.body_text());
    while let Some(field) = form.next_field().await.map_err(wrong)? {
        if field.file_name().is_some() {
            return field.bytes().await.map_err(wrong);
        }
    }
    Err(Refusal::new(StatusCode::BAD_REQUEST, "the form has no file"))
}

impl<N: Served> App<N> {
    /// All of a request's body, if it is not too long, and comes in time.
    async fn body(&self, request: Request) -> Result<Bytes, Refusal> {
        let body = async {
            let body = Bytes::from_request(request, &()).await;
            body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))
        };
        self.in_time(body).await
    }

    async fn in_time(
        &self,
        body: impl Future<Output = Result<Bytes, Refusal>>,
    ) -> Result<Bytes, Refusal> {
        let slow = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long");
        timeout(self.settings.timeout, body).await.map_err(slow)?
    }

    async fn answer(
        &self,
        place: Place,
        picture: &Picture<'_>,
        options: &Options,
    ) -> Result<Json<Answer>, Refusal> {
        let numbers = self.net.numbers(picture).map_err(Refusal::unprocessable)?;
        if let Err(error) = N::input(&numbers) {
            return Err(Refusal::unprocessable(error.to_string()));
        }
        let input = options.input.then(|| numbers.clone());
        let answer = timeout(self.settings.timeout, place.answer(numbers)).await;
        let probabilities = answer.map_err(|_| Refusal::busy("the net took too long"))??;
        let class = typenet::Scores::largest(&probabilities);
        Ok(Json(Answer { class, probabilities, input }))
    }
}

async fn healthz<N: Served>(State(app): Shared<N>) -> Result<&'static str, Refusal> {
    if app.queue.is_open() { Ok("ok\n") } else { Err(Refusal::broken()) }
}

async fn show_metrics<N: Served>(State(app): Shared<N>) -> Result<impl IntoResponse, Refusal> {
    let text = app.metrics.text(app.queue.len()).ok_or_else(Refusal::broken)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}

//! A service as a target's handler: requests that are made for it, and what it answers.

use std::{
    fmt::Display,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use serde::Serialize;
use tower_service::Service;

use crate::adapter::{TargetError, TargetErrorKind, endpoint::refused};

/// How long an answer may be. An order is a few kilobytes.
const LONGEST_ANSWER: usize = 4 << 20;

pub(super) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(super) type Handler = Arc<dyn Fn(http::Request<Full<Bytes>>) -> Later<Result<Answer, String>> + Send + Sync>;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

pub(super) fn json(operation: &str, body: &impl Serialize) -> Result<Vec<u8>, TargetError> {
    serde_json::to_vec(body).map_err(|error| TargetError::new(operation, TargetErrorKind::Nonsense(error.to_string())))
}

/// Whether something that was posted was answered with 2xx.
pub(super) fn taken(operation: &str, path: &str, answer: &Answer) -> Result<(), TargetError> {
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(TargetError::new(operation, refused(path, answer.status, &answer.body))) }
}

/// A service whose own error is what a server makes of it: the connection is closed without an answer.
pub(super) fn answered(operation: &str, answer: Result<Answer, String>) -> Result<Answer, TargetError> {
    answer.map_err(|how| TargetError::new(operation, TargetErrorKind::Crashed(format!("did not answer: {how}"))))
}

pub(super) fn request(
    operation: &str,
    method: http::Method,
    path: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> Result<http::Request<Full<Bytes>>, TargetError> {
    let mut builder = http::Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let length = body.len();
    builder
        .header("content-length", length)
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| TargetError::new(operation, TargetErrorKind::Nonsense(format!("no request can be made for `{path}`: {error}"))))
}

pub(super) fn handler<S, B>(service: S) -> Handler
where
    S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>, Error: Display, Future: Send> + Clone + Send + 'static,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let service = Mutex::new(service);
    Arc::new(move |request| {
        // A clone for each request, as servers make one for each connection.
        let mut service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            poll_fn(|context| service.poll_ready(context)).await.map_err(|error| error.to_string())?;
            let (head, body) = service.call(request).await.map_err(|error| error.to_string())?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|error| error.to_string())?;
            Ok(Answer { status: head.status.as_u16(), body: body.to_bytes() })
        })
    })
}

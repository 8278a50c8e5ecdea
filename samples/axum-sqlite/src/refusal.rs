//! Why a request is not answered with 2xx, and what it is answered with instead.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// A refused request. It has left no trace, not even its event id: sent again, perhaps corrected, it still works.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The signature is missing or wrong, or too old.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Not JSON, or no such event.
    #[error("no valid event: {0}")]
    Malformed(String),
    /// A valid event that cannot be true of its order.
    #[error("{0}")]
    Unprocessable(&'static str),
    /// No such order. The provider tries again later, and by then the shop may know it.
    #[error("unknown order")]
    UnknownOrder,
    /// This shop has no contract with that provider.
    #[error("no such endpoint")]
    NoSuchEndpoint,
    /// Our own fault. The provider delivers again.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// Our own fault, too.
    #[error("a stored order cannot be read or written: {0}")]
    Stored(#[source] serde_json::Error),
    /// A mistake in this program.
    #[error("internal error")]
    Panicked,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::UnknownOrder | Refusal::NoSuchEndpoint => StatusCode::NOT_FOUND,
            Refusal::Database(_) | Refusal::Stored(_) | Refusal::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Refusal {
        Refusal::Malformed(error.to_string())
    }
}

impl From<std::str::Utf8Error> for Refusal {
    fn from(error: std::str::Utf8Error) -> Refusal {
        Refusal::Malformed(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // The reason helps whoever reads the provider's log of deliveries; it says nothing that the sender did not know.
        (self.status(), self.to_string()).into_response()
    }
}

//! Why a delivery is refused, and with which status.

/// A delivery that is not processed. Nothing of it may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: RefusalKind,
    /// What is wrong, for the log.
    pub(super) why: &'static str,
}

/// What sort of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// It is not proven to be the provider's.
    Unsigned,
    /// The body is not JSON.
    Malformed,
    /// It is JSON, but not such an event.
    Invalid,
    /// It is about an order that the shop does not have.
    UnknownOrder,
    /// It is such an event, but cannot be true of this order.
    Doubtful,
    /// Only a faulty shop: it does not fit what is stored.
    Conflict,
    /// Only a faulty shop: this form of content is not taken.
    MediaType,
    /// Only a faulty shop: an error that nobody foresaw.
    Failed,
    /// Only a faulty shop: it is out of order.
    Unavailable,
}

impl Refusal {
    pub(super) fn unsigned(why: &'static str) -> Refusal {
        Refusal { kind: RefusalKind::Unsigned, why }
    }

    pub(super) fn malformed(why: &'static str) -> Refusal {
        Refusal { kind: RefusalKind::Malformed, why }
    }

    pub(super) fn invalid(why: &'static str) -> Refusal {
        Refusal { kind: RefusalKind::Invalid, why }
    }

    pub(super) fn unknown_order() -> Refusal {
        Refusal { kind: RefusalKind::UnknownOrder, why: "there is no such order" }
    }

    pub(super) fn doubtful(why: &'static str) -> Refusal {
        Refusal { kind: RefusalKind::Doubtful, why }
    }

    pub(super) fn conflict(why: &'static str) -> Refusal {
        Refusal { kind: RefusalKind::Conflict, why }
    }

    pub(super) const fn failed(why: &'static str) -> Refusal {
        Refusal { kind: RefusalKind::Failed, why }
    }

    /// The HTTP status that is answered.
    pub(super) fn status(self) -> u16 {
        match self.kind {
            RefusalKind::Malformed | RefusalKind::Invalid => 400,
            RefusalKind::Unsigned => 401,
            RefusalKind::UnknownOrder => 404,
            RefusalKind::Conflict => 409,
            RefusalKind::MediaType => 415,
            RefusalKind::Doubtful => 422,
            RefusalKind::Failed => 500,
            RefusalKind::Unavailable => 503,
        }
    }
}

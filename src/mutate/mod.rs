//! Mutations: what is done to a delivery's body, headers or signature, and what must happen then.
//!
//! A mutation changes the bytes of a valid delivery. By which effect its result is to be judged follows from the group
//! of the mutation and from what the event is needed for (`docs/expectations.md`, "Mutations"). Where the places are that it
//! needs, the provider says with an [`Anatomy`]; nothing here names a provider. A mutation that finds nothing to change in
//! a body is no mutation.

mod anatomy;
mod body;
mod bytes;
mod readings;

pub use anatomy::Anatomy;
pub(crate) use bytes::significant;

use std::{borrow::Cow, sync::Arc};

use crate::{
    case::{Body, Delivery, Effect, OtherSecret, Signature},
    domain::RefundState,
    json::Value,
    model::Tell,
    plan::{Group, Mutation, MutationKind},
};

/// What a mutation made of a delivery.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The delivery as it is sent now.
    pub delivery: Delivery,
    /// Whether it stands in the place of the original; otherwise the original still follows.
    pub replaces: bool,
}

/// Applies a mutation. `None` where the delivery has nothing that it could change. With `fresh_id` the result has an event
/// id of its own unless it stands in for the original: a doubtful event may be remembered by its id without having been
/// applied, and must not hide the original from the target.
pub fn mutate(mutation: Mutation, original: &Delivery, anatomy: &Anatomy, fresh_id: Option<&str>) -> Option<Mutant> {
    let effect = effect(mutation.kind, anatomy);
    let changed = changed(mutation, original, anatomy, fresh_id.filter(|_| effect != Effect::Accept))?;
    let replaces = effect == Effect::Accept;
    // What means the same is judged like the original.
    let effect = if replaces { original.effect } else { effect };
    Some(Mutant { delivery: Delivery { effect, ..changed }, replaces })
}

/// The delivery written as no provider writes it, for those who ask that it is read as what it means. `None` where it
/// has nothing that could be written so, or where that is not what the mutation does.
pub fn unusual(mutation: Mutation, original: &Delivery, anatomy: &Anatomy) -> Option<Delivery> {
    (mutation.kind.group() == Group::Unusual).then(|| changed(mutation, original, anatomy, None)).flatten()
}

/// What must happen with a delivery of this mutation.
pub fn effect(kind: MutationKind, anatomy: &Anatomy) -> Effect {
    match kind.group() {
        Group::Addition | Group::Equivalent | Group::Rotation => Effect::Accept,
        Group::Malformed | Group::NoEvent => Effect::Reject,
        // Only what must move the state is lost when it is acknowledged without having been read.
        Group::Incomplete if anatomy.lacks(kind) => Effect::Reject,
        Group::Incomplete | Group::Unusual | Group::Doubtful => Effect::Tolerate,
        Group::Unsigned | Group::Tampered | Group::Stale => Effect::Refuse,
    }
}

fn changed(mutation: Mutation, original: &Delivery, anatomy: &Anatomy, fresh_id: Option<&str>) -> Option<Delivery> {
    let mut delivery = original.clone();
    delivery.fault = None;
    delivery.mutation = Some(mutation.kind.name().to_owned());
    delivery.mutation_kind = Some(mutation.kind);
    let mut value = Cow::Borrowed(&anatomy.body);
    if let Some(fresh_id) = fresh_id {
        *value.to_mut().pointer_mut(&anatomy.id)? = Value::from(fresh_id);
        delivery.body = Body::new(body::written(&value, anatomy));
        fresh_id.clone_into(&mut delivery.event.id);
    }
    let pick = usize::from(mutation.pick);
    match mutation.kind {
        MutationKind::RotatedSecret => delivery.signature = Signature::Rotated { known_first: pick % 2 == 1 },
        MutationKind::SignatureAbsent => delivery.signature = Signature::Absent,
        MutationKind::SignatureTruncated => delivery.signature = Signature::Truncated,
        MutationKind::OtherSecret => delivery.signature = Signature::OtherSecret(OtherSecret::ALL[pick % OtherSecret::ALL.len()]),
        MutationKind::Stale => delivery.signature = Signature::Stale,
        MutationKind::OtherScheme => delivery.signature = Signature::OtherScheme { first: pick % 2 == 0 },
        MutationKind::TwoWrong => delivery.signature = Signature::TwoWrong,
        MutationKind::OtherCase => delivery.signature = Signature::OtherCase,
        MutationKind::OnlyOtherScheme => delivery.signature = Signature::OnlyOtherScheme,
        MutationKind::FutureTime => delivery.signature = Signature::At { seconds: AHEAD },
        MutationKind::AgeLimit => delivery.signature = Signature::At { seconds: -i16::try_from(anatomy.oldest_signature).ok()? },
        MutationKind::SignatureWrong => delivery.signature = Signature::Over("another body".to_owned()),
        MutationKind::BodyChanged | MutationKind::Reserialised => {
            let signed = delivery.body.text()?.to_owned();
            let changed = body::change(mutation.kind, pick, delivery.body.bytes(), value.into_owned(), anatomy)?;
            delivery.body = Body::new(changed);
            delivery.signature = Signature::Over(signed);
        }
        MutationKind::ContentType => content_type(&mut delivery, pick),
        MutationKind::Truncate
        | MutationKind::Trailing
        | MutationKind::Empty
        | MutationKind::BadUtf8
        | MutationKind::Syntax
        | MutationKind::Whitespace
        | MutationKind::Escapes
        | MutationKind::Deep
        | MutationKind::Large
        | MutationKind::OtherEncoding => {
            delivery.body = Body::new(bytes::change(mutation.kind, pick, delivery.body.bytes())?);
        }
        _ => delivery.body = Body::new(body::change(mutation.kind, pick, delivery.body.bytes(), value.into_owned(), anatomy)?),
    }
    delivery.readings = readings::of(mutation, &delivery.event, anatomy);
    if mutation.kind == MutationKind::NegativeAmount {
        keep_unharmed(&mut delivery.event.tells);
    }
    Some(delivery)
}

/// Without the amount that is negative nothing is told, but of refunds that nothing is paid of, and, where the amount is a running
/// total, of refunds that the same body carries: those may be taken.
fn keep_unharmed(tells: &mut Vec<Tell>) {
    let has_total = tells.iter().any(|tell| matches!(tell, Tell::Total { .. }));
    tells.retain(|tell| matches!(tell, Tell::Refund { state, .. } if has_total || *state != RefundState::Succeeded));
}

/// How many seconds ahead a signature from the future is: an hour, as with a clock that was not put back.
const AHEAD: i16 = 3600;

fn content_type(delivery: &mut Delivery, pick: usize) {
    const FORMS: [&str; 2] = ["application/json; charset=utf-8", "application/json;charset=UTF-8"];
    Arc::make_mut(&mut delivery.headers).insert("content-type".to_owned(), FORMS[pick % FORMS.len()].to_owned());
}

//! Mutations: what is done to a delivery's body, headers or signature, and what must happen then.
//!
//! A mutation changes the bytes of a valid delivery and knows by which effect its result is to be judged
//! (`docs/expectations.md`, "Mutations"). Where the places are that it needs, the provider says with an [`Anatomy`];
//! nothing here names a provider. A mutation that finds nothing to change in a body is no mutation.

mod anatomy;
mod body;
mod bytes;

pub use anatomy::Anatomy;

use crate::{
    case::{Body, Delivery, Effect, Signature},
    plan::{Mutation, MutationKind},
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
    let effect = effect(mutation.kind);
    if effect == Effect::Reject && needs_refund_event(mutation.kind) && !anatomy.is_refund_event {
        return None;
    }
    let mut delivery = original.clone();
    delivery.fault = None;
    delivery.effect = match effect {
        // What means the same is judged like the original.
        Effect::Accept => original.effect,
        other => other,
    };
    delivery.mutation = Some(name(mutation.kind).to_owned());
    if let Some(fresh_id) = fresh_id.filter(|_| effect != Effect::Accept) {
        take_id(&mut delivery, anatomy, fresh_id)?;
    }
    let pick = usize::from(mutation.pick);
    match mutation.kind {
        MutationKind::RotatedSecret => delivery.signature = Signature::Rotated { known_first: pick % 2 == 1 },
        MutationKind::SignatureAbsent => delivery.signature = Signature::Absent,
        MutationKind::SignatureTruncated => delivery.signature = Signature::Truncated,
        MutationKind::OtherSecret => {
            const SECRETS: [&str; 3] = ["whsec_that_nobody_was_told", "", "secret"];
            delivery.signature = Signature::With(SECRETS[pick % SECRETS.len()].to_owned());
        }
        MutationKind::Stale => delivery.signature = Signature::Stale,
        MutationKind::SignatureWrong => delivery.signature = Signature::Over("another body".to_owned()),
        MutationKind::BodyChanged | MutationKind::Reserialised => {
            let signed = delivery.body.text()?.to_owned();
            let changed = body::change(mutation.kind, pick, delivery.body.bytes(), anatomy)?;
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
        _ => delivery.body = Body::new(body::change(mutation.kind, pick, delivery.body.bytes(), anatomy)?),
    }
    if mutation.kind == MutationKind::UnknownOrder {
        // It tells nothing of any order of this case.
        delivery.event.tells.clear();
    }
    Some(Mutant { delivery, replaces: effect == Effect::Accept })
}

/// What must happen with a delivery of this mutation.
pub fn effect(kind: MutationKind) -> Effect {
    use MutationKind::*;
    match kind {
        AddMember | Reorder | Whitespace | AmountForm | Escapes | TimeDigits | DropOptional | NullOptional | EmptyItems | ContentType
        | Envelope | RotatedSecret => Effect::Accept,
        Truncate | Trailing | Empty | BadUtf8 | Syntax | NoType | NoObject | NoOrderId | BadAmount | WrongRoot => Effect::Reject,
        UnknownOrder | OtherCurrency | OverCaptured | TooPrecise | TextAmount | UnknownState | BadEventId | BadTime | OtherMode | Deep
        | Large | Repeated | OtherEncoding => Effect::Flag,
        SignatureAbsent | SignatureWrong | SignatureTruncated | OtherSecret | BodyChanged | Reserialised | Stale => Effect::Refuse,
    }
}

/// What a mutation is called in timelines and case files.
pub fn name(kind: MutationKind) -> &'static str {
    use MutationKind::*;
    match kind {
        AddMember => "an unknown member",
        Reorder => "members in another order",
        Whitespace => "white space between tokens",
        AmountForm => "an amount in another notation",
        Escapes => "characters as escapes",
        TimeDigits => "other fraction digits in a time",
        DropOptional => "an optional member left out",
        NullOptional => "an optional member null",
        EmptyItems => "other form of no items",
        ContentType => "another form of Content-Type",
        Envelope => "another envelope version",
        RotatedSecret => "secret being rotated",
        Truncate => "body broken off",
        Trailing => "trailing garbage",
        Empty => "empty body",
        BadUtf8 => "invalid UTF-8",
        Syntax => "broken JSON",
        NoType => "no event type",
        NoObject => "no object",
        NoOrderId => "no order id",
        BadAmount => "no usable amount",
        WrongRoot => "not an object",
        UnknownOrder => "unknown order",
        OtherCurrency => "another currency",
        OverCaptured => "more than captured",
        TooPrecise => "an amount too precise",
        TextAmount => "an amount as text",
        UnknownState => "an unknown state",
        BadEventId => "a strange event id",
        BadTime => "a strange time",
        OtherMode => "another environment",
        Deep => "very deep JSON",
        Large => "a very large member",
        Repeated => "a repeated member",
        OtherEncoding => "another encoding",
        SignatureAbsent => "no signature",
        SignatureWrong => "wrong signature",
        SignatureTruncated => "truncated signature",
        OtherSecret => "another secret",
        BodyChanged => "body changed after signing",
        Reserialised => "body written anew after signing",
        Stale => "signed an hour ago",
    }
}

/// A body that is not JSON is no event at all, whatever it was meant to be; only refund and charge refund events have
/// members without which they cannot be applied.
fn needs_refund_event(kind: MutationKind) -> bool {
    MutationKind::INVALID.contains(&kind) && kind != MutationKind::WrongRoot
}

fn take_id(delivery: &mut Delivery, anatomy: &Anatomy, fresh_id: &str) -> Option<()> {
    delivery.body = Body::new(body::with_text(delivery.body.bytes(), &anatomy.id, fresh_id)?);
    fresh_id.clone_into(&mut delivery.event.id);
    Some(())
}

fn content_type(delivery: &mut Delivery, pick: usize) {
    const FORMS: [&str; 3] = ["application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON; charset=\"utf-8\""];
    delivery.headers.insert("content-type".to_owned(), FORMS[pick % FORMS.len()].to_owned());
}

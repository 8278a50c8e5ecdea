//! Mutations as data: which, and where. What they do to a body is in the room `mutate`.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};

/// One mutation of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mutation {
    /// What is done.
    pub kind: MutationKind,
    /// Where or in which of its forms; taken modulo how many there are.
    #[serde(default)]
    pub pick: u16,
}

/// What is done to a delivery (`docs/expectations.md`, "Mutations").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "kebab-case")]
pub enum MutationKind {
    // ---- accept: means the same
    /// An unknown member is added somewhere.
    AddMember,
    /// The members of every object are put in another order.
    Reorder,
    /// White space between the tokens.
    Whitespace,
    /// An amount is written as another JSON number of the same value.
    AmountForm,
    /// Characters are written as escapes.
    Escapes,
    /// A time is written with more or fewer fraction digits.
    TimeDigits,
    /// An optional member is left out.
    DropOptional,
    /// An optional member that was absent is null.
    NullOptional,
    /// `items` is empty, or left out.
    EmptyItems,
    /// The Content-Type is written in another way.
    ContentType,
    /// The envelope is another version's.
    Envelope,
    /// The secret is being rotated: two signatures, one of them by the secret that the target knows.
    RotatedSecret,

    // ---- reject: not JSON
    /// The body breaks off.
    Truncate,
    /// Something follows the body.
    Trailing,
    /// The body is empty, or blank.
    Empty,
    /// A byte that is not UTF-8.
    BadUtf8,
    /// A small mistake in the notation.
    Syntax,

    // ---- reject: JSON, but not such an event
    /// The type is missing or no text.
    NoType,
    /// The object is missing or no object.
    NoObject,
    /// The order's id is missing or no text.
    NoOrderId,
    /// An amount that is needed is missing, negative or no number.
    BadAmount,
    /// The body is not an object at all.
    WrongRoot,

    // ---- flag: doubtful
    /// An order that the target does not know.
    UnknownOrder,
    /// Another currency than the order's, or none such.
    OtherCurrency,
    /// More paid back than was captured.
    OverCaptured,
    /// An amount more precise than the currency.
    TooPrecise,
    /// An amount as text.
    TextAmount,
    /// A state that nobody has heard of.
    UnknownState,
    /// The event id is missing, empty, very long or strange.
    BadEventId,
    /// The creation time is missing or unreadable, or of a rare form.
    BadTime,
    /// Another environment.
    OtherMode,
    /// Very deep nesting.
    Deep,
    /// A very large member.
    Large,
    /// A member is repeated.
    Repeated,
    /// A byte order mark, or another encoding than UTF-8.
    OtherEncoding,

    // ---- refuse: not authentic
    /// No signature.
    SignatureAbsent,
    /// A signature of something else.
    SignatureWrong,
    /// A signature that breaks off.
    SignatureTruncated,
    /// A signature with a secret that the target does not know.
    OtherSecret,
    /// The body was changed after signing.
    BodyChanged,
    /// The body was written anew after signing: the same JSON, other bytes.
    Reserialised,
    /// Correctly signed, an hour ago.
    Stale,
}

impl MutationKind {
    /// What means the same, apart from unknown members and signatures.
    pub const EQUIVALENT: &[MutationKind] = {
        use MutationKind::*;
        &[Reorder, Whitespace, AmountForm, Escapes, TimeDigits, DropOptional, NullOptional, EmptyItems, ContentType, Envelope]
    };
    /// What is not JSON.
    pub const MALFORMED: &[MutationKind] = {
        use MutationKind::*;
        &[Truncate, Trailing, Empty, BadUtf8, Syntax]
    };
    /// What is JSON but not such an event.
    pub const INVALID: &[MutationKind] = {
        use MutationKind::*;
        &[NoType, NoObject, NoOrderId, BadAmount, WrongRoot]
    };
    /// What is doubtful.
    pub const DOUBTFUL: &[MutationKind] = {
        use MutationKind::*;
        &[
            UnknownOrder,
            OtherCurrency,
            OverCaptured,
            TooPrecise,
            TextAmount,
            UnknownState,
            BadEventId,
            BadTime,
            OtherMode,
            Deep,
            Large,
            Repeated,
            OtherEncoding,
        ]
    };
    /// What has no valid signature.
    pub const UNSIGNED: &[MutationKind] = {
        use MutationKind::*;
        &[SignatureAbsent, SignatureWrong, SignatureTruncated, OtherSecret]
    };
    /// What shows whether the signature is checked over the raw bytes.
    pub const RAW_BODY: &[MutationKind] = {
        use MutationKind::*;
        &[BodyChanged, Reserialised, Whitespace, Escapes, AmountForm, Reorder]
    };
}

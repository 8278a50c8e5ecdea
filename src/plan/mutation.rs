//! Mutations as data: which, where, and of which group. What they do to a body is in the room `mutate`.
//!
//! One row for each kind; whoever has to recognise a mutation compares the kind and never the words for people.

#[cfg(feature = "arbitrary")]
use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};

/// One mutation of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mutation {
    /// What is done.
    pub kind: MutationKind,
    /// Where or in which of its forms; taken modulo how many there are.
    #[serde(default)]
    pub pick: u16,
}

/// Which mutations belong together: what must happen after them follows from the group and from the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// More is said than before.
    Addition,
    /// The same, as the provider itself may write it.
    Equivalent,
    /// The same, as JSON allows it and no provider writes it.
    Unusual,
    /// Not JSON.
    Malformed,
    /// JSON, but no object.
    NoEvent,
    /// An event without a part that it needs.
    Incomplete,
    /// Two reasonable consumers may differ about it.
    Doubtful,
    /// No valid signature.
    Unsigned,
    /// Other bytes than those that were signed.
    Tampered,
    /// Signed too long ago.
    Stale,
    /// Several signatures, one of which is right.
    Rotation,
}

impl Group {
    /// Whether it is not proven to be the provider's.
    pub fn is_forged(self) -> bool {
        matches!(self, Group::Unsigned | Group::Tampered | Group::Stale)
    }
}

macro_rules! mutations {
    ($($group:ident { $($kind:ident $name:literal $doc:literal;)+ })+) => {
        /// What is done to a delivery.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
        #[serde(rename_all = "kebab-case")]
        pub enum MutationKind {
            $($(#[doc = $doc] $kind,)+)+
        }

        impl MutationKind {
            /// Every kind.
            pub const ALL: &[MutationKind] = &[$($(MutationKind::$kind,)+)+];

            /// What it is called in timelines and case files, for people.
            pub fn name(self) -> &'static str {
                match self {
                    $($(MutationKind::$kind => $name,)+)+
                }
            }

            /// The group that it belongs to.
            pub fn group(self) -> Group {
                match self {
                    $($(MutationKind::$kind => Group::$group,)+)+
                }
            }
        }
    };
}

mutations! {
    Addition {
        AddMember "an unknown member" "An unknown member is added somewhere.";
    }
    Equivalent {
        Reorder "members in another order" "The members of every object are put in another order.";
        Whitespace "white space between tokens" "White space between the tokens, or none where there was some.";
        AmountForm "an amount with other fraction digits" "An amount has more zeros at its end.";
        Escapes "characters as escapes" "Characters are written as escapes.";
        TimeDigits "other fraction digits in a time" "A time is written with more fraction digits.";
        DropOptional "an optional member left out" "An optional member is left out.";
        EmptyItems "other form of no items" "`items` is empty, or left out.";
        ContentType "another form of Content-Type" "The Content-Type names the charset.";
        Envelope "another form of envelope" "The envelope says something else that it may say.";
    }
    Unusual {
        UnusualNumber "an amount in an unusual notation" "An amount is written as another JSON number of the same value.";
        NullOptional "an optional member null" "An optional member that was absent is null.";
        ZonedTime "a time with the name of its zone" "A time names its zone in brackets after it.";
    }
    Malformed {
        Truncate "body broken off" "The body breaks off.";
        Trailing "trailing garbage" "Something follows the body.";
        Empty "empty body" "The body is empty, or blank.";
        BadUtf8 "invalid UTF-8" "A byte that is not UTF-8.";
        Syntax "broken JSON" "A small mistake in the notation.";
    }
    NoEvent {
        WrongRoot "not an object" "The body is not an object at all.";
    }
    Incomplete {
        NoType "no event type" "There is no type.";
        NoObject "no object" "There is no object.";
        NoOrderId "no order id" "There is no order id, and nothing else that could be read as one.";
        NoAmount "no amount" "There is no amount from which the one that counts could be told.";
    }
    Doubtful {
        Damaged "a member damaged" "The type, the object or the order id is missing, of the wrong kind or written in capitals.";
        BadAmount "no usable amount" "An amount is missing, no number, or written in capitals.";
        BooleanAmount "an amount that is true" "An amount is `true`, which loosely typed languages take for 1.";
        NegativeAmount "a negative amount" "An amount is negative.";
        UnknownOrder "unknown order" "An order that the target does not know.";
        OtherCurrency "another currency" "Another currency than the order's, or none such.";
        OverCaptured "more than captured" "More paid back than was captured.";
        TooPrecise "an amount too precise" "An amount more precise than the currency.";
        TextAmount "an amount as text" "An amount as text.";
        UnknownState "an unknown state" "A state that nobody has heard of.";
        BadEventId "a strange event id" "The event id is missing, empty, very long or strange.";
        BadTime "a strange time" "The creation time is missing or unreadable, or of a rare form.";
        OtherMode "another environment" "Another environment.";
        Deep "very deep JSON" "Very deep nesting.";
        Large "a very large member" "A very large member.";
        Repeated "a repeated member" "A member is repeated.";
        OtherEncoding "another encoding" "A byte order mark, or another encoding than UTF-8.";
        FutureTime "signed for a time to come" "Correctly signed, with a time that has not come yet.";
        AgeLimit "as old as a signature may be" "Correctly signed, just as long ago as the provider's own libraries still take it.";
    }
    Unsigned {
        SignatureAbsent "no signature" "No signature.";
        SignatureWrong "wrong signature" "A signature of something else.";
        SignatureTruncated "truncated signature" "A signature that breaks off.";
        OtherSecret "another secret" "A signature with a secret that the target does not know.";
        OnlyOtherScheme "signed by another scheme only" "What would be the right signature stands under the name of another scheme, and nothing beside it.";
        TwoWrong "two signatures, neither right" "As while a secret is replaced, but neither of the two signatures is by the secret that the target knows.";
        OtherCase "letters in the other case" "The right signature with capitals for small letters and the other way round, where the case of letters counts.";
    }
    Tampered {
        BodyChanged "body changed after signing" "The body was changed after signing.";
        Reserialised "body written anew after signing" "The body was written anew after signing: the same JSON, other bytes.";
    }
    Stale {
        Stale "signed an hour ago" "Correctly signed, an hour ago.";
    }
    Rotation {
        RotatedSecret "secret being rotated" "The secret is being rotated: two signatures, one of them by the secret that the target knows.";
        OtherScheme "a signature of another scheme" "Beside the right signature stands one of another scheme, before or after it.";
    }
}

impl MutationKind {
    /// What shows whether the signature is checked over the raw bytes.
    pub const RAW_BODY: &[MutationKind] = {
        use MutationKind::*;
        &[BodyChanged, Reserialised, Whitespace, Escapes, AmountForm, Reorder]
    };

    /// The kinds of these groups.
    pub fn of(groups: &[Group]) -> Vec<MutationKind> {
        MutationKind::ALL.iter().copied().filter(|kind| groups.contains(&kind.group())).collect()
    }
}

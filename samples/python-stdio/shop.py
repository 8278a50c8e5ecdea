#!/usr/bin/env python3
"""A small shop that takes the refund and chargeback webhooks of Digital River, Stripe and Tazapay, and can be certified over stdio.

It reads the way a delivery travels: signature -> parse -> facts -> state -> store, then the stdio loop that the harness talks to.

What makes it survive duplicates, reordering and restarts: an event is never applied as a step ("add 21.60"). It is read as a
*fact* ("refund re_1 succeeded with 21.60, told at 15:08:42"), kept under the id of what it is about, and the state of an order is
computed from its facts alone: neither the sequence nor the number of deliveries can matter. Money is whole minor units (cents).

Standard library only, Python 3.9 or newer.
"""
from __future__ import annotations

import argparse
import base64
import hmac
import json
import re
import sqlite3
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Callable, NamedTuple


class Rejected(Exception):
    """This delivery gets a 4xx and leaves no trace, not even its event id: sent again, perhaps corrected, it still works."""

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status


# ---- signature: before anything in the body is believed -------------------------------------------------------------------------

TOLERANCE_SECONDS = 300  # the provider documents none; without one, a recorded delivery could be replayed for ever


def verify_digital_river(secret: str, headers: dict, body: bytes, now: float) -> None:
    """`{timestamp}, {signature}[, {signature}...]`: there are two while a rotated secret is still valid; one match is enough."""
    header = headers.get("digitalriver-signature", "").encode(errors="replace")
    timestamp, *signatures = [part.strip() for part in header.split(b",")]
    # The raw bytes are signed. Parsing and re-serialising the body first is the classic way to break this.
    if not any(has_signed(secret, timestamp + b"." + body, signature) for signature in signatures):
        raise Rejected(401, "no valid signature")
    if not re.fullmatch(b"[0-9]{1,12}", timestamp) or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Rejected(401, "timestamp outside the tolerance")


def verify_tazapay(secret: str, headers: dict, body: bytes, now: float) -> None:
    """Over the event's id, the raw body and the event's `created_at`, joined. No document names the header: your account shows it.

    The two have to be looked up in the body first, but nothing is done with them before the signature has proved them.
    """
    event = parse_event(body)
    signed = text(event, "id").encode() + body + text(event, "created_at").encode()
    if not has_signed(secret, signed, headers.get("x-tazapay-signature", "").strip().encode(errors="replace")):
        raise Rejected(401, "no valid signature")


def verify_stripe(secret: str, headers: dict, body: bytes, now: float) -> None:
    """`t=time,v1=signature[,v1=signature...]` in hexadecimal digits; schemes other than v1 are left alone."""
    parts = [part.partition("=") for part in headers.get("stripe-signature", "").split(",")]
    moment = next((value for name, _, value in parts if name == "t"), "")
    expected = hmac.digest(secret.encode(), moment.encode(errors="replace") + b"." + body, "sha256").hex().encode()
    signatures = [value.encode(errors="replace") for name, _, value in parts if name == "v1"]
    if not any(hmac.compare_digest(expected, signature) for signature in signatures):
        raise Rejected(401, "no valid signature")
    if not re.fullmatch("[0-9]{1,12}", moment, re.ASCII) or now - int(moment) > TOLERANCE_SECONDS:
        raise Rejected(401, "timestamp outside the tolerance")


def has_signed(secret: str, signed: bytes, signature: bytes) -> bool:
    expected = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256"))
    # compare_digest takes the same time wherever the first difference is: a signature cannot be guessed byte by byte.
    return hmac.compare_digest(expected, signature)


# ---- parse: from bytes to values that mean one thing only -----------------------------------------------------------------------


def refuse_constant(name: str):
    raise ValueError(f"{name} is not JSON")  # Python's parser would accept NaN, and a NaN amount poisons every sum


def object_without_repeats(pairs: list) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")  # which amount is meant? Two readers could book two different ones
    return members


# Numbers become Decimal straight from their text: 21.6 never exists as a binary fraction. Built once; that is not cheap.
DECODER = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, parse_constant=refuse_constant, object_pairs_hook=object_without_repeats
)


def parse_event(body: bytes) -> dict:
    try:
        event = DECODER.decode(body.decode("utf-8"))  # decoded here, as json.loads would take UTF-16 as well
    except (ValueError, InvalidOperation, RecursionError) as error:  # not UTF-8, not JSON, no such number, nested too deeply
        raise Rejected(400, f"not valid JSON: {error}") from None
    if not isinstance(event, dict):
        raise Rejected(400, "the event is not an object")
    return event


def text(owner: dict, name: str) -> str:
    value = owner.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise Rejected(400, f"{name} is missing or no text")
    return value


def objects(owner: dict, name: str) -> list:
    value = owner.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Rejected(400, f"{name} is not a list of objects")
    return value


TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z(?:\[UTC\])?|([+-])(\d\d):?(\d\d))", re.ASCII)


def instant(owner: dict, name: str) -> int:
    """Nanoseconds since 1970. As text, times do not sort by time: "42Z" comes after "42.478434Z", which is later."""
    match = TIME.fullmatch(text(owner, name))
    if not match:
        raise Rejected(400, f"{name} is not a time")
    *clock, fraction, sign, hours, minutes = match.groups()
    try:
        since = datetime(*map(int, clock)) - datetime(1970, 1, 1)
    except ValueError:
        raise Rejected(400, f"{name} is not a time") from None
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        since += offset if sign == "-" else -offset
    return (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "0")[:9].ljust(9, "0"))


MINOR_DIGITS = {  # of ISO 4217, where they are not two
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
STRIPE_DIGITS = {  # of Stripe, where they are not two
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
FLOAT_NOISE = Decimal("0.000001")  # of a minor unit: the provider's own pages show 53.769999999999996, and mean 53.77


def minor_units(amount: object, digits: int) -> int:
    """21.6, 21.60 and 2.16e1 are all 2160. `true`, "21.60" and null are no amounts."""
    if not isinstance(amount, Decimal) or amount < 0 or amount.adjusted() > 15:
        raise Rejected(400, "an amount is missing, negative, absurdly large or not a number")
    exact = amount.scaleb(digits)
    whole = exact.to_integral_value()
    if abs(exact - whole) > FLOAT_NOISE:
        raise Rejected(422, "an amount is more precise than its currency")
    return int(whole)


def money(minor: int, digits: int) -> str:
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}d}" if digits else str(minor)


# ---- facts: what an event tells, independent of all others ----------------------------------------------------------------------
#
# Two layers tell of the same money and are not one to one: refund objects (re_...), and the entries in a charge's refunds[].
# The provider may pay two refunds as one charge refund, or one refund through two charges. So neither is looked up in the other.
#
# A fact's first field is what it is about; the others stand in the order of their weight: of two facts about one thing, the
# greater tuple is believed. So even a tie ends the same way, whichever came first.


class RefundFact(NamedTuple):
    refund_id: str
    final: bool  # a final state beats every other one, however late an older event arrives,
    time: int  # and otherwise the latest told wins, by the time that the event was created;
    stage: int  # where times are whole seconds and tie, the one that has come further
    state: str
    requested: int
    paid: int


class ChargePicture(NamedTuple):
    """All of a charge's refunds[] at that time, summed by state: a running picture and no delta, so the latest one replaces."""

    charge_id: str
    time: int
    succeeded: int
    pending: int
    pending_information: int
    failed: int


class ChargebackFact(NamedTuple):
    about: str  # the order, or the dispute where disputes are objects
    time: int
    stage: int
    amount: int  # cumulative, too: what is charged back now


DIGITAL_RIVER_STATES = "pending", "pending_information", "succeeded", "failed"
TAZAPAY_STATES = "requested", "pending", "succeeded", "failed", "cancelled"
FINAL = "succeeded", "failed", "cancelled"
BEFORE_ALL_EVENTS = -(10**20)


def refund_state(owner: dict, name: str, known: tuple) -> str:
    state = owner.get(name)
    if not isinstance(state, str) or state not in known:
        raise Rejected(422, "an unknown refund state")
    return state


def refund_facts(refund: dict, told: int, order: Order) -> list:
    # The state is believed, not the event's name: refund.complete says "succeeded", and refund.updated says whatever it was.
    state = refund_state(refund, "state", DIGITAL_RIVER_STATES)
    if refund.get("amount") is not None:
        requested = minor_units(refund["amount"], order.digits)
    else:  # an item-level refund has no amount of its own
        requested = sum(minor_units(item.get("amount"), order.digits) for item in objects(refund, "items"))
        if not refund.get("items"):
            raise Rejected(400, "a refund has neither amount nor items")
    paid = refund.get("refundedAmount")  # this is what counts; it may be less than what was requested
    if paid is not None or state == "succeeded":
        paid = minor_units(paid, order.digits)
    return [RefundFact(text(refund, "id"), state in FINAL, told, 0, state, requested, paid if state == "succeeded" else 0)]


def charge_picture(charge: dict, told: int, order: Order) -> ChargePicture:
    # The charge's own "state" and "refunded" are left alone: it may still be processing, and "refunded" is true even when its
    # only refund has failed. The entries may have no id, so they are summed and never matched.
    sums = {"complete": 0, "pending": 0, "pending_information": 0, "failed": 0}
    for entry in objects(charge, "refunds"):
        amount, state = minor_units(entry.get("amount"), order.digits), entry.get("state")
        if not isinstance(state, str) or state not in sums:
            raise Rejected(422, "an unknown charge refund state")
        sums[state] += amount
    return ChargePicture(text(charge, "id"), told, *sums.values())


def pictures_in_order(obj: dict, told: int, order: Order) -> list:
    charges = objects(obj["payment"], "charges") if isinstance(obj.get("payment"), dict) else []
    return [charge_picture(charge, told, order) for charge in charges if charge.get("refunds")]


def is_order_shaped(obj: dict) -> bool:
    return obj.get("orderId") is None and isinstance(obj.get("payment"), dict)


def charge_facts(obj: dict, told: int, order: Order) -> list:
    if is_order_shaped(obj):  # the documented order.charge.refund.failed carries the whole order instead of the charge
        pictures = pictures_in_order(obj, told, order)
    else:
        pictures = [charge_picture(obj, told, order)] if obj.get("refunds") else []
    if not pictures:
        raise Rejected(400, "a charge refund event without any refund")
    return pictures


def chargeback_facts(obj: dict, told: int, order: Order) -> list:
    # The event does not say how much was charged back: it is what is missing from the amount still available.
    pictures = pictures_in_order(obj, told, order)
    refunded = sum(picture.succeeded for picture in pictures)
    if obj.get("refundedAmount") is not None:
        refunded = minor_units(obj["refundedAmount"], order.digits)
    pending = sum(picture.pending + picture.pending_information for picture in pictures)
    amount = order.captured - refunded - pending - minor_units(obj.get("availableToRefundAmount"), order.digits)
    if amount < 0:
        raise Rejected(422, "a chargeback that does not add up")
    return [ChargebackFact(order.order_id, told, 0, amount)]


# What this shop acts on. Disputes move no money, sales_transaction.created and order.refunded only repeat what these tell: they
# are acknowledged without effect, and so is every type that is not known yet (refused, it would come again for 72 hours).
READERS = {
    "refund.created": refund_facts,
    "refund.pending": refund_facts,
    "refund.pending_information": refund_facts,
    "refund.complete": refund_facts,
    "refund.succeeded": refund_facts,
    "refund.failed": refund_facts,
    "refund.updated": refund_facts,
    "order.charge.refund.pending": charge_facts,
    "order.charge.refund.pending_information": charge_facts,
    "order.charge.refund.complete": charge_facts,
    "order.charge.refund.failed": charge_facts,
    "order.chargeback": chargeback_facts,
}


def tazapay_refund_facts(refund: dict, told: int, order: Order) -> list:
    state = refund_state(refund, "status", TAZAPAY_STATES)
    # Whole hundredths in every currency: 100 JPY are sent as 10000. `customer_receives` is another currency, and never counts.
    hundredths = refund.get("amount")
    amount = minor_units(hundredths.scaleb(-2) if isinstance(hundredths, Decimal) else None, order.digits)
    return [RefundFact(text(refund, "id"), state in FINAL, told, 0, state, amount, amount if state == "succeeded" else 0)]


# Stripe's states in the order in which a refund passes through them. A success is not final: it may fail weeks later, and the bank
# may send the money back.
STRIPE_STATES = {
    "requires_action": "pending_information",
    "pending": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
}
STRIPE_ENDS = "failed", "canceled"
STRIPE_INQUIRY = "warning_needs_response", "warning_under_review", "warning_closed"  # no money moves
STRIPE_HELD = "needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review"
STRIPE_DISPUTE_STATES = *STRIPE_INQUIRY, *STRIPE_HELD, "won", "prevented"


def stripe_units(amount: object, order: Order) -> int:
    """Whole units, but Stripe's own: hundredths of ISK and UGX, which have none, and whole MGA, which has them."""
    if not isinstance(amount, Decimal) or amount != amount.to_integral_value():
        raise Rejected(400, "an amount is no whole number")
    return minor_units(amount.scaleb(-STRIPE_DIGITS.get(order.currency, 2)), order.digits)


def stripe_refund_facts(refund: dict, told: int, order: Order) -> list:
    status = refund_state(refund, "status", tuple(STRIPE_STATES))
    amount = stripe_units(refund.get("amount"), order)
    if amount > order.captured:
        raise Rejected(422, "more than was captured")
    paid = amount if status == "succeeded" else 0
    stage = list(STRIPE_STATES).index(status)
    return [RefundFact(text(refund, "id"), status in STRIPE_ENDS, told, stage, STRIPE_STATES[status], amount, paid)]


def stripe_dispute_facts(dispute: dict, told: int, order: Order) -> list:
    # What the bank has taken and not given back: the entries know best, and a won dispute still has its full amount.
    status = refund_state(dispute, "status", STRIPE_DISPUTE_STATES)
    amount, moved = stripe_units(dispute.get("amount"), order), objects(dispute, "balance_transactions")
    if not all(isinstance(entry.get("amount"), Decimal) for entry in moved):
        raise Rejected(400, "an entry of balance_transactions has no amount")
    if moved and all(entry.get("currency") in (None, dispute.get("currency")) for entry in moved):
        amount = stripe_units(max(-sum(entry["amount"] for entry in moved), Decimal(0)), order)
    elif moved:  # in the currency of the shop's account
        amount = amount if sum(entry["amount"] for entry in moved) < 0 else 0
    elif status not in STRIPE_HELD:
        amount = 0
    # The money may come back while the status stays as it is.
    stage = STRIPE_DISPUTE_STATES.index(status) * 10 + min(len(moved), 9)
    return [ChargebackFact(text(dispute, "id"), told, stage, 0 if status in STRIPE_INQUIRY else amount)]


# Refunds are read where they tell of themselves. charge.refunded only adds them up, and no later event takes that back when one
# of them fails: this shop is not subscribed to it.
STRIPE_READERS = {
    "refund.created": stripe_refund_facts,
    "refund.updated": stripe_refund_facts,
    "refund.failed": stripe_refund_facts,
    "charge.refund.updated": stripe_refund_facts,
    "charge.dispute.created": stripe_dispute_facts,
    "charge.dispute.updated": stripe_dispute_facts,
    "charge.dispute.funds_withdrawn": stripe_dispute_facts,
    "charge.dispute.funds_reinstated": stripe_dispute_facts,
    "charge.dispute.closed": stripe_dispute_facts,
}


# ---- providers: what is not the same for all ------------------------------------------------------------------------------------


class Event(NamedTuple):
    event_id: str
    about: list  # ids by which the order is found: its own, or those of its payment
    currency: object  # of its amounts, where it says one
    facts: Callable[[Order], list]  # how many digits an amount has depends on the order's currency


def read_digital_river(event: dict) -> Event | None:
    read_facts = READERS.get(text(event, "type"))
    if read_facts is None:
        return None
    obj = event["data"].get("object") if isinstance(event.get("data"), dict) else None
    if not isinstance(obj, dict):
        raise Rejected(400, "no data.object")
    told = instant(event, "createdTime")
    is_order = read_facts is chargeback_facts or (read_facts is charge_facts and is_order_shaped(obj))
    order_id = text(obj, "id" if is_order else "orderId")
    return Event(text(event, "id"), [order_id], obj.get("currency"), lambda order: read_facts(obj, told, order))


def read_tazapay(event: dict) -> Event | None:
    # No document names the event of a refund that was called off; refund.cancelled is how the others are named.
    if not re.fullmatch(r"refund\.(created|pending|succeeded|failed|cancelled)", text(event, "type")):
        return None
    refund = event.get("data")
    if not isinstance(refund, dict):
        raise Rejected(400, "no data")
    told = instant(event, "created_at")
    order_id = text(refund, "payin")
    return Event(text(event, "id"), [order_id], refund.get("currency"), lambda order: tazapay_refund_facts(refund, told, order))


def reference(owner: dict, name: str) -> str:
    """The id of another object, which Stripe writes as the id alone or as the object itself."""
    return text(owner[name], "id") if isinstance(owner[name], dict) else text(owner, name)


def read_stripe(event: dict) -> Event | None:
    read_facts = STRIPE_READERS.get(text(event, "type"))
    if read_facts is None:
        return None
    obj = event["data"].get("object") if isinstance(event.get("data"), dict) else None
    if not isinstance(obj, dict):
        raise Rejected(400, "no data.object")
    told, currency = event.get("created"), obj.get("currency")
    if not isinstance(told, Decimal) or not 0 <= told < 10**12:
        raise Rejected(400, "created is no time")
    about = [reference(obj, name) for name in ("charge", "payment_intent") if obj.get(name) is not None]
    currency = currency.upper() if isinstance(currency, str) else currency
    return Event(text(event, "id"), about, currency, lambda order: read_facts(obj, int(told), order))


class Provider(NamedTuple):
    verify: Callable[[str, dict, bytes, float], None]
    read: Callable[[dict], Event | None]  # None: acknowledged without effect
    revocable: bool = False  # whether a success may be taken back, so that its failure may still be under way
    subscribes: list | None = None  # event types, where not all


PROVIDERS = {
    "digital-river": Provider(verify_digital_river, read_digital_river),
    "stripe": Provider(verify_stripe, read_stripe, revocable=True, subscribes=list(STRIPE_READERS)),
    "tazapay": Provider(verify_tazapay, read_tazapay),
}


# ---- state: computed from the facts of one order --------------------------------------------------------------------------------


class Order:
    """What is known of an order. Never changed in place, so that a delivery refused half-way cannot leave a trace."""

    def __init__(self, order_id: str, currency: str, captured: int, facts: dict | None = None):
        self.order_id, self.currency, self.captured, self.facts = order_id, currency, captured, facts or {}
        self.digits = MINOR_DIGITS.get(currency, 2)

    def after(self, facts: list) -> Order:
        """The order once these facts are known too: the same, whatever sequence they come in, and how often."""
        known = dict(self.facts)
        for fact in facts:
            key = type(fact), fact[0]
            known[key] = max(fact, known.get(key, fact))
        return type(self)(self.order_id, self.currency, self.captured, known)

    def of(self, kind: type) -> list:
        return [fact for fact in self.facts.values() if type(fact) is kind]

    def paid_by_refunds(self) -> int:
        return sum(refund.paid for refund in self.of(RefundFact))

    def paid_by_charges(self) -> int:
        return sum(picture.succeeded for picture in self.of(ChargePicture))

    def paid_back(self) -> int:
        # Both layers tell the same money, and either may be ahead: the maximum is certain. Their sum would book it twice.
        # A refund whose failure is still under way may stand beside the one that took its place: that, too, is money paid once.
        return min(max(self.paid_by_refunds(), self.paid_by_charges()), self.captured)

    def unpaid(self) -> dict:
        """Open and failed amounts by state: of the refund objects; of the charges only while no refund object is known."""
        states = "pending_information", "pending", "failed"  # in their order of precedence for the status
        # The provider has not yet taken it up: for the order that is pending, too.
        told = [("pending" if refund.state == "requested" else refund.state, refund.requested) for refund in self.of(RefundFact)]
        if not told:
            told = [(state, getattr(picture, state)) for picture in self.of(ChargePicture) for state in states]
            told = [(state, amount) for state, amount in told if amount]
        return {state: sum(amount for of, amount in told if of == state) for state in states if state in dict(told)}

    def status(self) -> str:
        paid = self.paid_back()
        if any(chargeback.amount for chargeback in self.of(ChargebackFact)):
            return "charged_back"
        if paid:
            return "refunded" if paid >= self.captured else "partially_refunded"
        return next(iter(self.unpaid()), "not_refunded")

    def state(self) -> dict:
        unpaid = self.unpaid()
        waiting = unpaid.get("pending", 0) + unpaid.get("pending_information", 0)
        charged_back = sum(chargeback.amount for chargeback in self.of(ChargebackFact))
        # A charge may already say "complete" while its refund still says "pending": that is one amount, taken off once.
        refunds = self.of(RefundFact)
        taken = max(self.paid_by_refunds() + waiting, self.paid_by_charges() + (0 if refunds else waiting))
        return {
            "orderId": self.order_id,
            "status": self.status(),
            "refundedAmount": money(self.paid_back(), self.digits),
            "currency": self.currency,
            "availableToRefundAmount": money(max(0, self.captured - taken - charged_back), self.digits),
            "chargedBackAmount": money(charged_back, self.digits),
            "refunds": [
                {
                    "id": refund.refund_id,
                    "state": refund.state,
                    "amount": money(refund.requested, self.digits),
                    "refundedAmount": money(refund.paid, self.digits),
                }
                for refund in refunds
            ],
        }


# ---- store: orders, and the ids of the events that told of them -----------------------------------------------------------------


class MemoryStore:
    durable = False

    def __init__(self, order_class: type = Order):
        self.order_class = order_class
        self.names: dict = {}  # the order that an id stands for: its own, its charges', its payment's
        self.orders: dict = {}
        self.seen: dict = {}  # by order: event ids. A real shop may drop them when the provider's 72 h of redelivery are over.

    def begin(self, order_id: str, currency: str, captured: int, names: list) -> None:
        self.orders[order_id] = self.order_class(order_id, currency, captured)
        self.seen[order_id] = set()
        self.names.update(dict.fromkeys([order_id, *names], order_id))

    def order_of(self, name: str) -> str | None:
        return self.names.get(name)

    def get(self, order_id: str) -> Order | None:
        return self.orders.get(order_id)

    def save(self, order: Order, event_id: str, facts: list) -> None:
        """State and event id change together or not at all: an id remembered too early would waste the redelivery."""
        self.orders[order.order_id] = order
        self.seen[order.order_id].add(event_id)


class SqliteStore(MemoryStore):
    """The same, in a file before the answer goes out. Facts are stored; after a restart the state is computed from them again."""

    durable = True
    KINDS = {kind.__name__: kind for kind in (RefundFact, ChargePicture, ChargebackFact)}

    def __init__(self, path: str, order_class: type = Order):
        super().__init__(order_class)
        # isolation_level=None: every statement is its own transaction, committed before execute() returns.
        self.db = sqlite3.connect(path, isolation_level=None, timeout=10)
        # A write-ahead log, without an fsync for every event: what is committed is with the operating system, and survives a
        # killed process, which is all that the harness does. If power may fail: synchronous=FULL, and pay for the fsync.
        self.db.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, currency TEXT, captured INTEGER) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY, order_id TEXT) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS facts (
                order_id TEXT, event_id TEXT, facts TEXT, PRIMARY KEY (order_id, event_id)) WITHOUT ROWID;
        """)

    def begin(self, order_id: str, currency: str, captured: int, names: list) -> None:
        # The next run of the harness may use the same file and the same order ids, so an order starts afresh.
        self.db.execute("DELETE FROM facts WHERE order_id = ?", (order_id,))
        self.db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?)", (order_id, currency, captured))
        self.db.executemany("INSERT OR REPLACE INTO names VALUES (?, ?)", [(name, order_id) for name in [order_id, *names]])
        super().begin(order_id, currency, captured, names)

    def order_of(self, name: str) -> str | None:
        row = self.db.execute("SELECT order_id FROM names WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def get(self, order_id: str) -> Order | None:
        if order_id not in self.orders:
            row = self.db.execute("SELECT currency, captured FROM orders WHERE order_id = ?", (order_id,)).fetchone()
            if row is None:
                return None
            super().begin(order_id, *row, [])
            for event_id, stored in self.db.execute("SELECT event_id, facts FROM facts WHERE order_id = ?", (order_id,)):
                facts = [self.KINDS[kind](*fields) for kind, *fields in json.loads(stored)]
                super().save(self.orders[order_id].after(facts), event_id, facts)
        return self.orders[order_id]

    def save(self, order: Order, event_id: str, facts: list) -> None:
        # One row, so the facts and the id are written together. With several workers, the key also stops a duplicate.
        stored = json.dumps([[type(fact).__name__, *fact] for fact in facts])
        self.db.execute("INSERT INTO facts VALUES (?, ?, ?)", (order.order_id, event_id, stored))
        super().save(order, event_id, facts)


# ---- the shop -------------------------------------------------------------------------------------------------------------------


class Shop:
    def __init__(self, store: MemoryStore):
        self.store = store

    def capture(self, order_id: str, currency: str, captured: object, names: list) -> None:
        self.store.begin(order_id, currency, minor_units(Decimal(str(captured)), MINOR_DIGITS.get(currency, 2)), names)

    def initiate(self, order_id: str, refund: dict) -> None:
        """The shop made this refund itself. It is kept under the provider's id, so the webhooks for it book nothing twice."""
        order = self.store.get(order_id)
        if order is None or refund.get("currency", order.currency) != order.currency:
            raise Rejected(422, "unknown order, or not its currency")
        amounts = [refund] if refund.get("amount") is not None else refund["items"]
        requested = sum(minor_units(Decimal(str(entry["amount"])), order.digits) for entry in amounts)
        # Its webhook may have been faster than the answer to our own request: this is the oldest thing told, not the newest.
        fact = RefundFact(refund["id"], False, BEFORE_ALL_EVENTS, 0, "pending", requested, 0)
        if "initiated " + fact.refund_id not in self.store.seen[order_id]:
            self.store.save(order.after([fact]), "initiated " + fact.refund_id, [fact])

    def receive(self, provider: Provider, body: bytes) -> None:
        """One delivery with a good signature. Returns for a 2xx, raises Rejected for a 4xx."""
        event = provider.read(parse_event(body))
        if event is None:
            return
        # A web server with several workers holds the order's row locked from here to the end.
        found = {self.store.order_of(name) for name in event.about} - {None}
        if not found:
            raise Rejected(404, "unknown order")
        if len(found) > 1:
            raise Rejected(400, "a charge of one order, and the payment of another")
        order = self.store.get(found.pop())
        if event.currency not in (None, order.currency):
            raise Rejected(422, "not the order's currency")
        facts = event.facts(order)
        if event.event_id in self.store.seen[order.order_id]:
            return
        after = order.after(facts)
        if not provider.revocable and max(after.paid_by_refunds(), after.paid_by_charges()) > order.captured:
            raise Rejected(422, "more paid back than captured")
        self.store.save(after, event.event_id, facts)


# ---- stdio loop: the only part that is about certification ----------------------------------------------------------------------


class Adapter:
    def __init__(self, name: str, shop: Shop):
        self.name, self.shop, self.provider, self.secret = name, shop, None, None
        self.passed = 0  # so many seconds, the harness says, have passed beside those that really did

    def hello(self, request: dict) -> dict:
        self.provider = PROVIDERS.get(request.get("provider"))
        if request.get("protocol") != 1 or self.provider is None:
            raise ValueError(f"this shop speaks protocol 1 and knows {' and '.join(PROVIDERS)} only")
        self.passed = 0
        self.secret = request["secret"]  # no secret, no shop: one that then takes unsigned deliveries is open to everyone
        capabilities = {
            "observes": ["currency", "refunds", "availableToRefundAmount", "chargedBackAmount"],
            "verifiesSignatures": True,
            "initiatesRefunds": True,
            "clock": True,
            "durable": self.shop.store.durable,
        }
        if self.provider.subscribes is not None:
            capabilities["subscribes"] = self.provider.subscribes
        return {"name": self.name, "version": "1.0.0", "capabilities": capabilities}

    def begin(self, request: dict) -> dict:
        for order in request["orders"]:
            names = [charge["id"] for charge in order.get("charges", [])] + [order.get("paymentIntentId")]
            self.shop.capture(order["orderId"], order["currency"], order["capturedAmount"], [name for name in names if name])
        return {}

    def deliver(self, request: dict) -> dict:
        body = base64.b64decode(request["bodyBase64"]) if "bodyBase64" in request else request["body"].encode()
        try:
            self.provider.verify(self.secret, request["headers"], body, time.time() + self.passed)
            self.shop.receive(self.provider, body)
        except Rejected as rejected:
            return {"status": rejected.status}
        return {"status": 200}

    def initiate(self, request: dict) -> dict:
        self.shop.initiate(request["orderId"], request["refund"])
        return {}

    def advance(self, request: dict) -> dict:
        # Nothing here forgets with time: an event id stays known for as long as its order, however late the provider sends it again.
        self.passed += int(request["seconds"])
        return {}

    def observe(self, request: dict) -> dict:
        order = self.shop.store.get(request["orderId"])
        return {"state": order.state() if order else None}

    def end(self, request: dict) -> dict:
        return {}

    def serve(self, lines, out) -> None:
        known = self.hello, self.begin, self.deliver, self.initiate, self.advance, self.observe, self.end
        operations = {op.__name__: op for op in known}
        for line in lines:
            if not line.strip():
                continue
            request_id = None
            try:
                request = json.loads(line, parse_float=Decimal)
                request_id, operation = request["id"], request["op"]
                if operation == "bye":
                    return
                answer = {"id": request_id, "ok": True, **operations[operation](request)}
            except Exception as error:  # whatever it is, the harness is told, and the next line gets its chance
                answer = {"id": request_id, "ok": False, "error": f"{type(error).__name__}: {error}"}
            out.write(json.dumps(answer).encode() + b"\n")
            out.flush()


def main(name: str = "python-stdio-shop", order_class: type = Order) -> None:
    parser = argparse.ArgumentParser(description="a sample shop that refundproof certifies over stdio")
    parser.add_argument("--store", metavar="FILE", help="keep the state in this SQLite file, and claim to be durable")
    options = parser.parse_args()
    store = SqliteStore(options.store, order_class) if options.store else MemoryStore(order_class)
    Adapter(name, Shop(store)).serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()

// What an event of Stripe's tells about refunds and disputes.
//
// Each of them carries a snapshot of one object, and is read as a fact: "as of `toldAt`, this object looked like that". Times are whole
// seconds, so facts about one object may tie; then the greater `stage`, how far the object has come, is the newer one.

import { sum, units } from "./money.js";

/** This delivery gets a 4xx and leaves no trace: sent again, perhaps corrected, it still works. */
export class Refusal extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

/** The event's fact; null for a type that says nothing about refunds and disputes, today's or one that is yet to come. */
export function readEvent(event) {
  const type = text(event, "type");
  const read = READERS.get(type);
  if (!read) return null;
  const about = object(object(event, "data"), "object");
  return {
    eventId: text(event, "id"),
    toldAt: amount(event, "created"),
    objectId: text(about, "id"),
    currency: typeof about.currency === "string" ? about.currency.toUpperCase() : null,
    charge: reference(about.charge),
    paymentIntent: reference(about.payment_intent),
    ...read(about, event),
  };
}

// What this shop acts on. It needs no separate eye on charge.refund.updated, which says again what refund.updated says.
const READERS = new Map([
  ["refund.created", refund],
  ["refund.updated", refund],
  ["refund.failed", refund],
  ["charge.refund.updated", refund],
  ["charge.refunded", total],
  ["charge.dispute.created", dispute],
  ["charge.dispute.updated", dispute],
  ["charge.dispute.funds_withdrawn", dispute],
  ["charge.dispute.funds_reinstated", dispute],
  ["charge.dispute.closed", dispute],
]);

// How far a refund or a dispute with this status has come. A dispute may start as an inquiry, and may be won long after it was lost.
const REFUND_STAGES = ["requires_action", "pending", "succeeded", "failed", "canceled"];
const DISPUTE_STAGES = [
  "warning_needs_response",
  "warning_under_review",
  "warning_closed",
  "needs_response",
  "under_review",
  "lost",
  "appeal_needs_response",
  "appeal_under_review",
  "won",
  "prevented",
];
const MONEY_IS_GONE = ["needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review"];

function refund(refund, event) {
  const status = text(refund, "status");
  const previous = event.data.previous_attributes;
  return {
    kind: "refund",
    status,
    stage: stage(REFUND_STAGES, status),
    amount: amount(refund, "amount"),
    madeAt: refund.created == null ? amount(event, "created") : amount(refund, "created"),
    // Whether the status became what it is with this very event. Later updates only repeat it.
    isTurn: event.type === "refund.failed" || previous?.status !== undefined,
  };
}

/** The charge's running total of refunds, pending ones included. It is no difference to the total before. */
function total(charge) {
  const total = amount(charge, "amount_refunded");
  return { kind: "total", charge: charge.id, stage: total, amount: total };
}

function dispute(dispute) {
  const status = text(dispute, "status");
  const disputed = amount(dispute, "amount");
  const entries = list(dispute, "balance_transactions");
  // Money may come back (one more entry) while the status stays as it is.
  const progress = stage(DISPUTE_STAGES, status) * 10n + BigInt(Math.min(entries.length, 9));
  return { kind: "dispute", status, stage: progress, amount: chargedBack(dispute, status, disputed, entries) };
}

/** What the bank has taken and not given back. The entries know best: they say what was moved, a part of the amount perhaps. */
function chargedBack(dispute, status, disputed, entries) {
  if (status.startsWith("warning_")) return 0n; // only an inquiry
  if (!entries.length) return MONEY_IS_GONE.includes(status) ? disputed : 0n;
  const moved = sum(entries.map((entry) => units(entry.amount) ?? refuse("an entry of balance_transactions has no amount")));
  if (moved >= 0n) return 0n;
  // They are in the currency that the account is paid out in, which need not be the customer's.
  const isComparable = entries.every(({ currency }) => currency == null || currency === dispute.currency);
  return isComparable ? -moved : disputed;
}

// ---- members, with their types -----------------------------------------------------------------------------------------------------

function refuse(why) {
  throw new Refusal(400, why);
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(owner, name) {
  return isObject(owner?.[name]) ? owner[name] : refuse(`${name} is missing or no object`);
}

function text(owner, name) {
  const value = owner?.[name];
  return typeof value === "string" && value !== "" ? value : refuse(`${name} is missing or no text`);
}

/** A whole number that is not negative: an amount, or seconds since 1970. */
function amount(owner, name) {
  const value = units(owner[name]);
  return value !== undefined && value >= 0n ? value : refuse(`${name} is missing or no whole number`);
}

function list(owner, name) {
  const value = owner[name] ?? [];
  return Array.isArray(value) && value.every(isObject) ? value : refuse(`${name} is no list of objects`);
}

/** The id of another object, which Stripe writes as the id alone or as the object itself; null if there is none. */
function reference(value) {
  const id = isObject(value) ? value.id : value;
  return typeof id === "string" && id !== "" ? id : null;
}

/** An endpoint keeps its API version, so an unknown status means that this code is behind. Until it is not, Stripe sends it again. */
function stage(stages, status) {
  const stage = stages.indexOf(status);
  return stage >= 0 ? BigInt(stage) : refuse(`the status ${status} is unknown`);
}

// What a delivery tells: signature, then bytes, then an event, for either provider.
//
// An event is { id, number, currency, facts }: its id, the order's number, its currency where it says one, and a function that reads
// its facts with the order's own way of reading amounts, since how many digits they have depends on the order's currency.
//
// A fact is about one thing (`about`) and has a `rank`: of two facts about the same thing, the one of the greater rank is believed. So
// the same facts end in the same state, whatever sequence they come in and however often.

import { createHmac, timingSafeEqual } from "node:crypto";
import { Numeral, parseJson } from "./money.js";

/** This request gets a 4xx and leaves no trace, not even its event id: sent again, perhaps corrected, it still works. */
export class Refusal extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

// ---- signatures: before anything in the body is believed ---------------------------------------------------------------------------

const TOLERANCE_SECONDS = 300; // the provider documents none; without one, a recorded delivery could be replayed for ever

/** `{timestamp}, {signature}[, {signature}…]`: there are two while a rotated secret is still valid; one match is enough. */
function verifyDigitalRiver(secret, headers, body) {
  const [timestamp, ...signatures] = (headers["digitalriver-signature"] ?? "").split(",").map((part) => part.trim());
  // The raw bytes are signed. Parsing and writing the body again first is the classic way to break this.
  if (!signatures.some((signature) => hasSigned(secret, [timestamp, ".", body], signature))) {
    throw new Refusal(401, "no valid signature");
  }
  const isTime = /^\d{1,12}$/.test(timestamp);
  if (!isTime || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new Refusal(401, "the timestamp is outside the tolerance");
  }
}

/**
 * Over the event's id, the raw body and the event's `created_at`, joined. The two have to be looked up in the body first, but nothing is
 * done with them. The documents do not name the header: take the name that your account shows.
 */
function verifyTazapay(secret, headers, body) {
  const event = parseEvent(body);
  const parts = [text(event, "id"), body, text(event, "created_at")];
  if (!hasSigned(secret, parts, (headers["x-tazapay-signature"] ?? "").trim())) throw new Refusal(401, "no valid signature");
}

function hasSigned(secret, parts, signature) {
  const mac = createHmac("sha256", secret);
  for (const part of parts) mac.update(part);
  const [expected, given] = [Buffer.from(mac.digest("base64")), Buffer.from(signature)];
  // timingSafeEqual takes the same time wherever the first difference is: a signature cannot be guessed byte by byte.
  return expected.length === given.length && timingSafeEqual(expected, given);
}

// ---- from bytes to values that mean one thing only ---------------------------------------------------------------------------------

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function parseEvent(body) {
  let event;
  try {
    event = parseJson(UTF8.decode(body));
  } catch (error) {
    throw new Refusal(400, `not valid JSON: ${error.message}`); // not UTF-8, not JSON, or nested too deeply
  }
  return object(event, "the event");
}

function object(value, name) {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Numeral) {
    throw new Refusal(400, `${name} is missing or no object`);
  }
  return value;
}

function text(owner, name) {
  const value = owner[name];
  if (typeof value !== "string" || value === "") throw new Refusal(400, `${name} is missing or no text`);
  return value;
}

function list(owner, name) {
  const value = owner[name] ?? [];
  if (!Array.isArray(value)) throw new Refusal(400, `${name} is no list`);
  return value.map((entry) => object(entry, `an entry of ${name}`));
}

function word(owner, name, words) {
  const value = owner[name];
  if (typeof value !== "string" || !words.has(value)) throw new Refusal(422, `${name} is unknown`);
  return words.get(value);
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)(?:\[UTC\])?$/;

/** An instant in UTC with nine fraction digits: these sort as text. As written they do not: "42Z" comes after "42.478434Z". */
function instant(owner, name) {
  const [, clock, fraction = "", zone] = TIME.exec(text(owner, name)) ?? [];
  const time = Date.parse(`${clock}${zone?.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")}`);
  if (Number.isNaN(time)) throw new Refusal(400, `${name} is no time`);
  return `${new Date(time).toISOString().slice(0, 19)}.${fraction.padEnd(9, "0")}Z`;
}

// ---- Digital River -----------------------------------------------------------------------------------------------------------------
//
// Two layers tell of the same money and are not one to one: refund objects (re_…), and the entries in a charge's refunds[]. Two refunds
// may be one entry, and one refund may be entries of two charges. So neither is looked up in the other.

const REFUND_STATES = new Map([
  ["pending", "OPEN"],
  ["pending_information", "WAITING"],
  ["succeeded", "DONE"],
  ["failed", "FAILED"],
]);
const CHARGE_REFUND_STATES = new Map([...REFUND_STATES, ["complete", "DONE"]]);
CHARGE_REFUND_STATES.delete("succeeded");

/** A final state beats every other one, however late an older event arrives; otherwise what was told last wins. */
function refundFact(about, at, state, asked, paid) {
  const isFinal = ["DONE", "FAILED", "CANCELLED"].includes(state);
  return { kind: "refund", about, rank: `${isFinal ? 1 : 0} ${at}`, state, asked, paid };
}

function refund(event) {
  const refund = event.data.object;
  const [about, at] = [text(refund, "id"), instant(event, "createdTime")];
  // The state is believed, not the event's name: refund.complete says "succeeded", and refund.updated says whatever it was.
  const state = word(refund, "state", REFUND_STATES);
  const facts = (amount) => {
    const items = list(refund, "items"); // an item-level refund has no amount of its own
    const sum = () => items.map((item) => amount(item.amount)).reduce((sum, one) => sum + one);
    const asked = refund.amount == null && items.length ? sum() : amount(refund.amount);
    return [refundFact(about, at, state, asked, state === "DONE" ? amount(refund.refundedAmount) : 0n)];
  };
  return { number: text(refund, "orderId"), facts };
}

/**
 * A charge's refunds so far, summed up by state: a running picture and no difference to the one before. The charge's own `state` and
 * `refunded` are left alone: it may still be processing, and `refunded` is true even when its only refund has failed.
 */
function chargeFacts(charges, at, amount) {
  return charges.flatMap((charge) => {
    const refunds = list(charge, "refunds"); // they may have no id, so they are summed up and never matched
    if (!refunds.length) return [];
    const sums = { DONE: 0n, OPEN: 0n, WAITING: 0n, FAILED: 0n };
    for (const entry of refunds) sums[word(entry, "state", CHARGE_REFUND_STATES)] += amount(entry.amount);
    return [{ kind: "charge", about: text(charge, "id"), rank: at, ...sums }];
  });
}

function chargesOf(order) {
  return order.payment == null ? [] : list(object(order.payment, "payment"), "charges");
}

function charge(event) {
  const [about, at] = [event.data.object, instant(event, "createdTime")];
  // The documented order.charge.refund.failed carries the whole order instead of the charge.
  const isOrder = about.orderId == null && about.payment != null;
  const facts = (amount) => {
    const found = chargeFacts(isOrder ? chargesOf(about) : [about], at, amount);
    if (!found.length) throw new Refusal(400, "a charge refund event without any refund");
    return found;
  };
  return { number: text(about, isOrder ? "id" : "orderId"), facts };
}

function chargeback(event) {
  const [order, at] = [event.data.object, instant(event, "createdTime")];
  const number = text(order, "id");
  // The event does not say how much was charged back: it is what is missing from all that is accounted for.
  const facts = (amount) => {
    const charges = chargeFacts(chargesOf(order), at, amount);
    const sum = (...states) => charges.flatMap((charge) => states.map((state) => charge[state])).reduce((sum, one) => sum + one, 0n);
    const refunded = order.refundedAmount == null ? sum("DONE") : amount(order.refundedAmount);
    const accounted = refunded + sum("OPEN", "WAITING") + amount(order.availableToRefundAmount);
    return [{ kind: "chargeback", about: number, rank: at, accounted }];
  };
  return { number, facts };
}

// What this shop acts on. Disputes move no money, sales_transaction.created and order.refunded only repeat what these tell: they are
// acknowledged without effect, and so is every type that is not known yet (refused, it would come again for 72 hours).
const READERS = new Map([
  ["refund.created", refund],
  ["refund.pending", refund],
  ["refund.pending_information", refund],
  ["refund.complete", refund],
  ["refund.succeeded", refund],
  ["refund.failed", refund],
  ["refund.updated", refund],
  ["order.charge.refund.pending", charge],
  ["order.charge.refund.pending_information", charge],
  ["order.charge.refund.complete", charge],
  ["order.charge.refund.failed", charge],
  ["order.chargeback", chargeback],
]);

function readDigitalRiver(body) {
  const event = parseEvent(body);
  const read = READERS.get(text(event, "type"));
  if (!read) return null;
  const about = object(object(event.data, "data").object, "data.object");
  return { id: text(event, "id"), currency: about.currency, ...read(event) };
}

// ---- Tazapay -----------------------------------------------------------------------------------------------------------------------

const STATUSES = new Map([
  ["requested", "ASKED"],
  ["pending", "OPEN"],
  ["succeeded", "DONE"],
  ["failed", "FAILED"],
  ["cancelled", "CANCELLED"],
]);

function readTazapay(body) {
  const event = parseEvent(body);
  // No document names the event of a refund that was called off; this is how the others are named.
  if (!/^refund\.(created|pending|succeeded|failed|cancelled)$/.test(text(event, "type"))) return null;
  const refund = object(event.data, "data");
  const [about, at, state] = [text(refund, "id"), instant(event, "created_at"), word(refund, "status", STATUSES)];
  // `customer_receives` is what reaches the shopper, in another currency: it is never counted.
  const facts = (amount) => {
    const asked = amount(hundredths(refund.amount));
    return [refundFact(about, at, state, asked, state === "DONE" ? asked : 0n)];
  };
  return { id: text(event, "id"), number: text(refund, "payin"), currency: refund.currency, facts };
}

/** Amounts are whole hundredths of the major unit in every currency: 100 JPY are sent as 10000. */
function hundredths(numeral) {
  if (!(numeral instanceof Numeral)) return numeral;
  const [mantissa, exponent = "0"] = numeral.text.split(/e/i);
  return new Numeral(`${mantissa}e${Number(exponent) - 2}`);
}

/** By the last part of the webhook's path. */
export const PROVIDERS = {
  "digital-river": { secret: "DIGITAL_RIVER_SECRET", verify: verifyDigitalRiver, read: readDigitalRiver },
  tazapay: { secret: "TAZAPAY_SECRET", verify: verifyTazapay, read: readTazapay },
};

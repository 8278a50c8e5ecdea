// The orders: what was told of each, what that makes of its state, and the files that remember it.

import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROVIDERS, Refusal } from "./events.js";
import { Numeral, minorDigits, minorUnits } from "./money.js";

/**
 * An order and the facts that were told of it. An event is never applied as a step ("add 21.60"): its facts are kept, and the state is
 * computed from them. Never changed in place, so an event that is refused half-way leaves no trace.
 */
export class Order {
  constructor(number, currency, paid, facts = new Map(), events = new Set()) {
    Object.assign(this, { number, currency, paid, facts, events, digits: minorDigits(currency) });
  }

  /** The amount in minor units. `true`, "21.60" and null are no amounts. */
  amount(numeral) {
    const minor = numeral instanceof Numeral ? minorUnits(numeral.text, this.digits) : null;
    if (minor === null) throw new Refusal(400, "an amount is missing, negative, too large or not a number");
    if (minor === undefined) throw new Refusal(422, "an amount is more precise than its currency");
    return minor;
  }

  /** The order once this event is known, too; the order itself if it is known already. */
  after(event) {
    if (event.currency != null && event.currency !== this.currency) throw new Refusal(422, "not the order's currency");
    const facts = new Map(this.facts);
    for (const fact of event.facts((numeral) => this.amount(numeral))) {
      const key = `${fact.kind} ${fact.about}`;
      if (!(facts.get(key)?.rank >= fact.rank)) facts.set(key, fact);
    }
    const after = new Order(this.number, this.currency, this.paid, facts, new Set(this.events).add(event.id));
    if (after.refunded() > after.paid) throw new Refusal(422, "more paid back than captured");
    if (after.chargedBack() < 0n) throw new Refusal(422, "a chargeback that does not add up");
    return this.events.has(event.id) ? this : after;
  }

  of(kind) {
    return [...this.facts.values()].filter((fact) => fact.kind === kind);
  }

  /** Both layers tell of the same money, and either may be ahead: the greater is certain. Their sum would book it twice. */
  refunded() {
    return max(sum(this.of("refund"), "paid"), sum(this.of("charge"), "DONE"));
  }

  chargedBack() {
    return this.of("chargeback").map(({ accounted }) => this.paid - accounted)[0] ?? 0n;
  }

  /** Amounts in states that pay nothing: of the refund objects; of the charges only while no refund object is known. */
  unpaid() {
    const refunds = this.of("refund");
    const unpaid = new Map();
    const add = (state, amount) => unpaid.set(state, (unpaid.get(state) ?? 0n) + amount);
    for (const { state, asked } of refunds) add(state, asked);
    for (const charge of refunds.length ? [] : this.of("charge")) {
      for (const state of ["OPEN", "WAITING", "FAILED"]) if (charge[state]) add(state, charge[state]);
    }
    return unpaid;
  }

  state() {
    const unpaid = this.unpaid();
    if (this.of("chargeback").length) return "CHARGED_BACK";
    if (this.refunded() > 0n) return this.refunded() === this.paid ? "REFUNDED" : "PARTLY_REFUNDED";
    if (unpaid.has("WAITING")) return "REFUND_WAITS_FOR_CUSTOMER";
    if (unpaid.has("OPEN") || unpaid.has("ASKED")) return "REFUND_OPEN";
    return unpaid.has("FAILED") ? "REFUND_FAILED" : "PAID";
  }

  /** The order as the shop's own API shows it: its own words, and amounts in minor units. */
  show() {
    const [unpaid, refunds] = [this.unpaid(), this.of("refund")];
    const open = ["ASKED", "OPEN", "WAITING"].reduce((sum, state) => sum + (unpaid.get(state) ?? 0n), 0n);
    // A charge may already say "complete" while its refund still says "pending": that is one amount, taken off once.
    const byRefunds = sum(refunds, "paid") + open;
    const byCharges = sum(this.of("charge"), "DONE") + (refunds.length ? 0n : open);
    const refundable = this.paid - max(byRefunds, byCharges) - this.chargedBack();
    return {
      number: this.number,
      currency: this.currency,
      state: this.state(),
      totals: { paid: this.paid, refunded: this.refunded(), refundable: max(refundable, 0n), chargedBack: this.chargedBack() },
      refunds: refunds.map(({ about, state, asked, paid }) => ({ reference: about, state, asked, paid })),
    };
  }
}

function max(a, b) {
  return a > b ? a : b;
}

function sum(facts, member) {
  return facts.reduce((sum, fact) => sum + fact[member], 0n);
}

/**
 * One file for each order, to which every event is appended before it is answered. What came in is kept and not what was made of it:
 * with a mistake in the code above mended, a restart sets the orders right.
 *
 * Nothing here waits for anything between reading an order and writing it, and Node runs one piece of code at a time: that is all the
 * locking there is. It ends where a second process uses the same folder; then a database has to do it.
 */
export class Orders {
  #known = new Map();

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
  }

  /** The order, read from its file when it is first asked for; undefined if there is none. */
  get(number) {
    if (!this.#known.has(number) && isNumber(number)) {
      const order = this.#load(number);
      if (order) this.#known.set(number, order);
    }
    return this.#known.get(number);
  }

  #load(number) {
    let lines;
    try {
      lines = readFileSync(this.#file(number), "utf8").split("\n");
    } catch (error) {
      if (error.code === "ENOENT") return undefined;
      throw error;
    }
    const [{ currency, paid }, ...deliveries] = lines.flatMap(parsed);
    const order = new Order(number, currency, BigInt(paid));
    return deliveries.reduce((order, { provider, body }) => order.after(PROVIDERS[provider].read(Buffer.from(body))), order);
  }

  /** A new order, in the place of whatever was known under its number. */
  create(number, currency, paid) {
    if (!isNumber(number)) throw new Refusal(400, "an order's number has letters, digits, - and _ only");
    const order = new Order(number, currency, paid);
    // Written beside and renamed, so that there is never half an order.
    const beside = `${this.#file(number)}.new`;
    writeThrough(beside, "w", JSON.stringify({ currency, paid: String(paid) }));
    renameSync(beside, this.#file(number));
    this.#known.set(number, order);
    return order;
  }

  /** Takes in a delivery, once however often it comes: when this returns, it is on disk. Throws a Refusal, or what the disk says. */
  receive(provider, body) {
    const event = PROVIDERS[provider].read(body);
    if (!event) return;
    const order = this.get(event.number);
    if (!order) throw new Refusal(404, "unknown order");
    const after = order.after(event);
    if (after === order) return;
    // A killed process may leave half a line. Each line brings its own line break, so that the next one does not become a part of it.
    writeThrough(this.#file(order.number), "a", `\n${JSON.stringify({ provider, body: body.toString() })}`);
    this.#known.set(order.number, after);
  }

  #file(number) {
    return join(this.folder, `${number}.jsonl`);
  }
}

function isNumber(number) {
  return /^[\w-]{1,100}$/.test(number);
}

/** Half a line was never acknowledged: the provider has sent it again since. */
function parsed(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/** Writes and waits for the disk. It stops the whole server for that long; one that gets many events collects them first. */
function writeThrough(path, flags, text) {
  const file = openSync(path, flags);
  try {
    writeFileSync(file, text);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

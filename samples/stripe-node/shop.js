// The shop's books: its orders, what Stripe told of them, and what follows from that.
//
// An event is never applied as a step ("add 21.60"). Its fact is kept, and what an order shows is computed from all its facts. So it does
// not matter in what sequence events come, how often, and how many of them tell the same.

import Database from "better-sqlite3";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Refusal, readEvent } from "./events.js";
import { fromDecimal, max, sum, toDecimal } from "./money.js";

const TABLES = `
  CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    captured INTEGER NOT NULL,
    payment_intent TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS orders_by_payment_intent ON orders (payment_intent);

  CREATE TABLE IF NOT EXISTS charges (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id)
  ) STRICT;

  CREATE TABLE IF NOT EXISTS facts (
    event_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'total', 'dispute')),
    object_id TEXT NOT NULL,
    charge_id TEXT,
    told_at INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    status TEXT,
    amount INTEGER NOT NULL,
    made_at INTEGER,
    is_turn INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS facts_by_order ON facts (order_id);
`;

const PUT_ORDER = `
  INSERT INTO orders (id, currency, captured, payment_intent) VALUES (?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    currency = excluded.currency, captured = excluded.captured, payment_intent = excluded.payment_intent`;
const PUT_CHARGE = `
  INSERT INTO charges (id, order_id) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET order_id = excluded.order_id`;
const ORDER = "SELECT * FROM orders WHERE id = ?";
const ORDERS_ABOUT = `
  SELECT * FROM orders WHERE id IN (SELECT order_id FROM charges WHERE id = ?) OR payment_intent = ?`;

// The same event again is no news. Two events that tell the same need no care: it is the same told twice.
const PUT_FACT = `
  INSERT INTO facts (event_id, order_id, kind, object_id, charge_id, told_at, stage, status, amount, made_at, is_turn)
  VALUES (@eventId, @orderId, @kind, @objectId, @charge, @toldAt, @stage, @status, @amount, @madeAt, @isTurn)
  ON CONFLICT (event_id) DO NOTHING`;
// From oldest to newest, so that the last one about an object is what holds.
const FACTS = "SELECT * FROM facts WHERE order_id = ? ORDER BY told_at, stage";

const SHOWN_STATES = { requires_action: "pending_information", canceled: "cancelled" };

export class Shop {
  #database;
  #statements;

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#database = new Database(join(folder, "shop.db"));
    this.#database.pragma("journal_mode = WAL");
    this.#database.pragma("synchronous = FULL"); // what was answered is on disk
    this.#database.defaultSafeIntegers(); // integers come as BigInt
    this.#database.exec(TABLES);
    this.#statements = {
      putOrder: this.#database.prepare(PUT_ORDER),
      putCharge: this.#database.prepare(PUT_CHARGE),
      order: this.#database.prepare(ORDER),
      ordersAbout: this.#database.prepare(ORDERS_ABOUT),
      putFact: this.#database.prepare(PUT_FACT),
      facts: this.#database.prepare(FACTS),
    };
  }

  /** Makes orders known; one that is known already keeps what was told of it. */
  create(orders) {
    this.#atomically(() => {
      for (const { orderId, currency, capturedAmount, paymentIntentId = null, charges = [] } of orders) {
        const captured = fromDecimal(capturedAmount, currency);
        if (!orderId || !currency || captured === undefined) {
          throw new Refusal(400, "an order needs orderId, currency and capturedAmount");
        }
        this.#statements.putOrder.run(orderId, currency, captured, paymentIntentId);
        for (const { id } of charges) this.#statements.putCharge.run(id, orderId);
      }
    });
  }

  /** Takes in an event: when this returns, it is on disk. Throws a Refusal, or what the disk says. */
  receive(event) {
    const fact = readEvent(event);
    if (!fact) return;
    this.#atomically(() => {
      const order = this.#orderOf(fact);
      if (fact.currency && fact.currency !== order.currency) throw new Refusal(400, "not the order's currency");
      if (fact.kind !== "dispute" && fact.amount > order.captured) throw new Refusal(400, "more than was ever paid");
      const isTurn = fact.isTurn ? 1n : 0n; // SQLite has no booleans
      this.#statements.putFact.run({ status: null, madeAt: null, ...fact, isTurn, orderId: order.id });
    });
  }

  /** The payment intent of an order; undefined if there is none. */
  paymentOf(orderId) {
    return this.#statements.order.get(orderId)?.payment_intent ?? undefined;
  }

  /** By the charge or by the payment intent. Either may be null; an object that names neither belongs to nothing. */
  #orderOf({ charge, paymentIntent }) {
    if (!charge && !paymentIntent) throw new Refusal(400, "neither a charge nor a payment intent");
    const found = this.#statements.ordersAbout.all(charge, paymentIntent);
    if (!found.length) throw new Refusal(404, "unknown order");
    if (found.length > 1) throw new Refusal(400, "a charge of one order, and the payment intent of another");
    return found[0];
  }

  #atomically(work) {
    return this.#database.transaction(work).immediate();
  }

  /** The order with its refunds, as refundproof's contract has it; undefined if there is none. */
  show(orderId) {
    const order = this.#statements.order.get(orderId);
    if (!order) return undefined;
    const facts = this.#statements.facts.all(orderId);
    const refunds = byObject(facts, "refund").map(asRefund);
    const totals = byObject(facts, "total").map((facts) => this.total(facts));
    const disputes = byObject(facts, "dispute").map((facts) => facts.at(-1));

    const amountOf = (...statuses) => sum(refunds.filter(({ status }) => statuses.includes(status)).map(({ amount }) => amount));
    const paid = amountOf("succeeded") + sum(totals.map((total) => untold(total, refunds)));
    // A refund whose failure is still on its way may stand beside the one that replaced it.
    const refunded = paid < order.captured ? paid : order.captured;
    const open = amountOf("pending", "requires_action");
    const chargedBack = sum(disputes.map(({ amount }) => amount));

    const decimal = (amount) => toDecimal(amount, order.currency);
    return {
      orderId: order.id,
      status: statusOf({ captured: order.captured, refunded, chargedBack, refunds }),
      refundedAmount: decimal(refunded),
      currency: order.currency,
      availableToRefundAmount: decimal(max(order.captured - refunded - open - chargedBack, 0n)),
      chargedBackAmount: decimal(chargedBack),
      refunds: refunds.map(({ id, status, amount }) => ({
        id,
        state: SHOWN_STATES[status] ?? status,
        amount: decimal(amount),
        refundedAmount: decimal(status === "succeeded" ? amount : 0n),
      })),
    };
  }

  /** A charge's running total: the newest one says all. */
  total(facts) {
    return facts.at(-1);
  }
}

function byObject(facts, kind) {
  const lists = new Map();
  for (const fact of facts) {
    if (fact.kind !== kind) continue;
    if (!lists.has(fact.object_id)) lists.set(fact.object_id, []);
    lists.get(fact.object_id).push(fact);
  }
  return [...lists.values()];
}

/** A refund as it is now: a success counts until it is taken back, by the bank or by a failure. */
function asRefund(facts) {
  const { object_id: id, status, amount, made_at: madeAt } = facts.at(-1);
  const charge = facts.findLast((fact) => fact.charge_id)?.charge_id;
  const end = facts.findLast((fact) => fact.is_turn && hasEnded(fact.status));
  return { id, status, amount, madeAt, charge, endedAt: end?.told_at };
}

function hasEnded(status) {
  return status === "failed" || status === "canceled";
}

/**
 * How much of a charge's total no refund event has told yet: it counts as paid until one says otherwise.
 *
 * The total holds every refund that was made by then and had not failed by then, pending ones too. Those that are known are counted by
 * what their own events say. So a total from before a failure brings nothing back, and one from after it takes nothing away.
 */
function untold(total, refunds) {
  const holds = ({ charge, madeAt, endedAt }) =>
    (!charge || charge === total.charge_id) && madeAt <= total.told_at && !(endedAt < total.told_at);
  return max(total.amount - sum(refunds.filter(holds).map(({ amount }) => amount)), 0n);
}

function statusOf({ captured, refunded, chargedBack, refunds }) {
  const some = (...statuses) => refunds.some(({ status }) => statuses.includes(status));
  if (chargedBack > 0n) return "charged_back";
  if (refunded > 0n) return refunded === captured ? "refunded" : "partially_refunded";
  if (some("requires_action")) return "pending_information";
  if (some("pending")) return "pending";
  return some("failed", "canceled") ? "failed" : "not_refunded";
}

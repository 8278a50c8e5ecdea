// The shop as one that asks Stripe: an event only says what to look at, and what the API shows is what counts.
//
// That spares it the question which of two events is newer. It must not spare it two others: a call that fails must not be answered
// with 200, or the event is lost; and two handlers at once must not store an older answer over a newer one.

import Stripe from "stripe";
import { Refusal } from "./events.js";
import { fromDecimal } from "./money.js";
import { Shop } from "./shop.js";

/** What to fetch when an event of a type comes: its own object, or all refunds of the charge. */
const ABOUT = new Map([
  ["refund.created", "refund"],
  ["refund.updated", "refund"],
  ["refund.failed", "refund"],
  ["charge.refund.updated", "refund"],
  ["charge.refunded", "refunds"],
  ["charge.dispute.created", "dispute"],
  ["charge.dispute.updated", "dispute"],
  ["charge.dispute.funds_withdrawn", "dispute"],
  ["charge.dispute.funds_reinstated", "dispute"],
  ["charge.dispute.closed", "dispute"],
]);

export class FetchingShop extends Shop {
  #stripe = new Stripe(process.env.STRIPE_API_KEY ?? "sk_test_sample", {
    ...addressOf(process.env.STRIPE_API_BASE),
    maxNetworkRetries: 0, // Stripe delivers an event again that is answered 500, which is retry enough
  });
  #last = Promise.resolve();
  #now = 0;

  async receive(event) {
    if (typeof event?.type !== "string") throw new Refusal(400, "the body is no event");
    const about = ABOUT.get(event.type);
    if (!about) return;
    const id = event.data?.object?.id;
    if (typeof id !== "string" || id === "") throw new Refusal(400, "the event is about no object");
    await this.#alone(async () => {
      for (const object of await this.fetch(about, id)) this.#store(object);
    });
  }

  async fetch(about, id) {
    try {
      if (about === "refund") return [await this.#stripe.refunds.retrieve(id)];
      if (about === "dispute") return [await this.#stripe.disputes.retrieve(id)];
      return await this.#stripe.refunds.list({ charge: id, limit: 100 }).autoPagingToArray({ limit: 1000 });
    } catch (error) {
      if (error.code === "resource_missing") throw new Refusal(404, error.message);
      throw error; // 500: Stripe delivers the event again
    }
  }

  /** Refunds a part of an order. */
  async refund(orderId, amount, currency) {
    const payment = this.paymentOf(orderId);
    const units = fromDecimal(amount, currency);
    if (!payment || !units) throw new Refusal(400, "a refund needs an order that was paid, and an amount");
    // Nobody delivers this again. The library repeats it with the same idempotency key, which makes no second refund.
    const again = { maxNetworkRetries: 2 };
    const refund = await this.#stripe.refunds.create({ payment_intent: payment, amount: Number(units) }, again);
    // Its webhook may have been faster, and may have told more: so it is looked at once more, like everything else.
    await this.#alone(async () => this.#store(await this.#stripe.refunds.retrieve(refund.id)));
  }

  /** Keeps what is fetched as the newest fact about its object. */
  #store(object) {
    this.#now = Math.max(this.#now + 1, Date.now() * 1000);
    const type = object.object === "dispute" ? "charge.dispute.updated" : "refund.updated";
    super.receive({ id: `${object.id} at ${this.#now}`, type, created: this.#now, data: { object } });
  }

  /** One after the other: who asks first stores first. */
  #alone(work) {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

function addressOf(base) {
  if (!base) return {};
  const { protocol, hostname, port } = new URL(base);
  return { protocol: protocol.replace(":", ""), host: hostname, port: Number(port) };
}

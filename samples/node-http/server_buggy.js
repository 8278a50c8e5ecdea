// The shop with one real mistake: it checks for duplicates first, and remembers an event before it has taken it in.
//
// That check is often written once for all webhooks, in front of everything else. But an event that is then refused, or that fails
// because the database is away for a moment, is remembered, too. The provider delivers it again, as it should; the shop answers 200, and
// the refund is never booked. In every test that sends good events to a healthy shop this is right. The certification also sends an
// event that has to be refused, and then the corrected one: `rejection-leaves-no-trace` fails.

import { parseEvent } from "./events.js";
import { Orders } from "./orders.js";
import { start } from "./shop.js";

class OrdersBehindFilter extends Orders {
  #seen = new Set();

  receive(provider, body) {
    const { id } = parseEvent(body);
    if (this.#seen.has(id)) return;
    this.#seen.add(id); // wrong: nothing has been done yet, and whatever comes next may fail
    super.receive(provider, body);
  }
}

start(OrdersBehindFilter);

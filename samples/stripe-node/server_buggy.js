// The shop with one real mistake: it takes a charge's running total for the amount of the refund at hand, and adds it.
//
// `amount_refunded` of charge.refunded is all that was refunded of the charge so far. At the first refund that is the refund's own
// amount, so everything looks right until a charge is refunded a second time: after 5.00 and 3.00 the totals are 5.00 and 8.00, and
// this shop has booked 13.00. Two events are enough for the certification to show it: `charge.refunded`, and another one.

import { sum } from "./money.js";
import { Shop } from "./shop.js";
import { start } from "./web.js";

class AddingShop extends Shop {
  total(facts) {
    return { ...facts.at(-1), amount: sum(facts.map(({ amount }) => amount)) }; // wrong: each total holds the ones before it
  }
}

start(AddingShop);

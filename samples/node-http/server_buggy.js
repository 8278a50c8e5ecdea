// The shop with one real mistake: amounts are read as binary fractions.
//
// 1.1 times 100 is 110.00000000000001, and cutting that off hides the mistake. 4.35 times 100 is 434.99999999999994, and cutting that
// off loses a cent. Of all amounts only few are hit, so the tests that were written by hand all pass. The certification draws amounts
// that binary fractions miss: `exact-amounts` fails.

import { Order } from "./orders.js";
import { Refusal } from "./events.js";
import { Numeral } from "./money.js";
import { start } from "./shop.js";

class OrderInFractions extends Order {
  amount(numeral) {
    const amount = numeral instanceof Numeral ? Number(numeral.text) : NaN;
    if (!(amount >= 0 && amount < 1e15)) throw new Refusal(400, "an amount is missing, negative, too large or not a number");
    return BigInt(Math.trunc(amount * 10 ** this.digits)); // wrong: not every cent is a binary fraction
  }
}

start(OrderInFractions);

// The shop that asks Stripe, with one real mistake: when Stripe's API does not answer, it writes that to its log and acknowledges the
// event all the same. Nobody sends that event again, and the refund is missing until somebody compares the books.

import { Refusal } from "./events.js";
import { FetchingShop } from "./fetching.js";
import { start } from "./web.js";

class ForgettingShop extends FetchingShop {
  async fetch(about, id) {
    try {
      return await super.fetch(about, id);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      console.error(error.message); // wrong: the event is acknowledged with nothing stored
      return [];
    }
  }
}

start(ForgettingShop);

// The web server: the webhook for Stripe, and endpoints for tests.

import express from "express";
import Stripe from "stripe";
import { Refusal } from "./events.js";
import { Shop } from "./shop.js";

/** Starts the shop, as the environment says: PORT, DATA_DIR, STRIPE_WEBHOOK_SECRET, TEST_ENDPOINTS. */
export function start(ShopClass = Shop) {
  const { PORT = "4030", DATA_DIR = "data", STRIPE_WEBHOOK_SECRET, TEST_ENDPOINTS } = process.env;
  if (!STRIPE_WEBHOOK_SECRET) throw new Error("STRIPE_WEBHOOK_SECRET is not set");
  const shop = new ShopClass(DATA_DIR);
  const app = express();
  app.disable("x-powered-by");

  // The signature is over the raw bytes, so nothing may parse the body before: no express.json() for the whole app.
  app.post("/webhooks/stripe", express.raw({ type: "application/json", limit: "2mb" }), async (request, response) => {
    await shop.receive(verified(request));
    response.json({ received: true });
  });

  function verified(request) {
    try {
      return Stripe.webhooks.constructEvent(request.body, request.get("stripe-signature"), STRIPE_WEBHOOK_SECRET);
    } catch (error) {
      throw new Refusal(400, error.message); // a wrong signature, or rightly signed and no JSON
    }
  }

  // Whoever reaches these can make up orders, so they are there only when asked for.
  if (TEST_ENDPOINTS) {
    app.post("/test/orders", express.json(), (request, response) => {
      if (!Array.isArray(request.body?.orders)) throw new Refusal(400, "orders is missing");
      shop.create(request.body.orders);
      response.status(201).end();
    });

    // Only a shop that makes refunds through Stripe's API has them.
    if (shop.refund) {
      app.post("/test/refunds", express.json(), async (request, response) => {
        const { orderId, refund } = request.body ?? {};
        await shop.refund(orderId, refund?.amount, refund?.currency);
        response.status(201).end();
      });
    }

    app.get("/test/orders/:orderId", (request, response) => {
      const order = shop.show(request.params.orderId);
      if (!order) throw new Refusal(404, "unknown order");
      response.json(order);
    });
  }

  app.get("/healthz", (request, response) => response.status(204).end());

  // Express knows by the four parameters that this one handles errors.
  app.use((error, request, response, next) => {
    // Whatever is not the sender's fault is ours: 500, and Stripe delivers again.
    const isSenders = error.status >= 400 && error.status < 500;
    if (!isSenders) console.error(error);
    if (response.headersSent) return next(error);
    response.status(isSenders ? error.status : 500).json({ error: isSenders ? error.message : "internal error" });
  });

  const server = app.listen(Number(PORT), "127.0.0.1", (error) => {
    if (error) throw error; // the port is taken, for example
  });
  server.keepAliveTimeout = 65_000; // longer than clients keep a connection, so that none is closed just as it is used again
}

// The web server: webhooks for the providers, an API for the shop's own pages, and one for its administration.

import { createServer } from "node:http";
import { PROVIDERS, Refusal } from "./events.js";
import { Numeral, parseJson, writeJson } from "./money.js";
import { Orders } from "./orders.js";

const LARGEST_BODY = 2 * 1024 * 1024; // bytes

/** Starts the shop, as the environment says: PORT, DATA, DIGITAL_RIVER_SECRET, TAZAPAY_SECRET, ADMIN_TOKEN. */
export function start(OrdersClass = Orders) {
  const { PORT = "4020", DATA = "data", ADMIN_TOKEN } = process.env;
  const orders = new OrdersClass(DATA);

  async function webhook(request, provider) {
    const secret = process.env[PROVIDERS[provider]?.secret];
    if (!secret) throw new Refusal(404, "no such endpoint"); // without a secret it would be open to everyone
    const body = await readBody(request);
    PROVIDERS[provider].verify(secret, request.headers, body);
    orders.receive(provider, body);
    return [200];
  }

  function showOrder(_, number) {
    const order = orders.get(number);
    return order ? [200, order.show()] : [404, { error: "unknown order" }];
  }

  async function importOrder(request, number) {
    if (!ADMIN_TOKEN || request.headers.authorization !== `Bearer ${ADMIN_TOKEN}`) throw new Refusal(401, "not an administrator");
    const { currency, paid } = parseJson((await readBody(request)).toString());
    if (typeof currency !== "string" || !(paid instanceof Numeral)) throw new Refusal(400, "an order needs currency and paid");
    return [201, orders.create(number, currency, BigInt(paid.text)).show()];
  }

  const routes = [
    ["POST", /^\/webhooks\/([\w-]+)$/, webhook],
    ["GET", /^\/api\/orders\/([\w-]+)$/, showOrder],
    ["PUT", /^\/admin\/orders\/([\w-]+)$/, importOrder],
    ["GET", /^\/health$/, () => [204]],
  ];

  async function answer(request) {
    for (const [method, path, handle] of routes) {
      const match = method === request.method && path.exec(request.url);
      if (match) return handle(request, match[1]);
    }
    return [404, { error: "no such endpoint" }];
  }

  const server = createServer(async (request, response) => {
    let status, body;
    try {
      [status, body] = await answer(request);
    } catch (error) {
      // Whatever is not the sender's fault is ours: 500, and the provider delivers again.
      if (!(error instanceof Refusal) && !request.errored) console.error(error);
      [status, body] = [error.status ?? 500, { error: error instanceof Refusal ? error.message : "internal error" }];
    }
    response.writeHead(status, { "content-type": "application/json" }).end(body && writeJson(body));
  });
  server.keepAliveTimeout = 65_000; // longer than clients keep a connection, so that none is closed just as it is used again
  server.listen(Number(PORT), "127.0.0.1");
}

async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new Refusal(413, "the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

// Makes orders known to the shop through its administration API: `node import-orders.js SHOP_URL ADMIN_TOKEN < orders.json`.
//
// This is the set-up command of refundproof.toml. It gets {"case":…,"orders":[{"orderId":…,"currency":…,"capturedAmount":…,…}]} on
// its standard input and says it again in the shop's own words.

import { request } from "node:http"; // and not fetch: this runs once for each case, and is ready in half the time
import { text } from "node:stream/consumers";
import { minorDigits, minorUnits, writeJson } from "./money.js";

const [shop, token] = process.argv.slice(2);
const { orders } = JSON.parse(await text(process.stdin));
for (const { orderId, currency, capturedAmount } of orders) {
  const order = { currency, paid: minorUnits(capturedAmount, minorDigits(currency)) };
  const response = await put(`${shop}/admin/orders/${orderId}`, writeJson(order));
  if (response.statusCode !== 201) {
    console.error(`${shop} refused order ${orderId}: ${response.statusCode} ${await text(response)}`);
    process.exitCode = 1;
  }
  response.resume();
}

function put(url, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => request(url, { method: "PUT", headers }, resolve).on("error", reject).end(body));
}

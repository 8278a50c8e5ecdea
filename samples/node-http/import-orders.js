// Makes orders known to the shop through its administration API: `node import-orders.js SHOP_URL ADMIN_TOKEN < orders.json`.
//
// This is the set-up command of refundproof.toml. It gets {"case":…,"orders":[{"orderId":…,"currency":…,"capturedAmount":…,…}]} on
// its standard input and says it again in the shop's own words.

import { text } from "node:stream/consumers";
import { minorDigits, minorUnits, writeJson } from "./money.js";

const [shop, token] = process.argv.slice(2);
const { orders } = JSON.parse(await text(process.stdin));
for (const { orderId, currency, capturedAmount } of orders) {
  const response = await fetch(`${shop}/admin/orders/${orderId}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: writeJson({ currency, paid: minorUnits(capturedAmount, minorDigits(currency)) }),
  });
  if (!response.ok) {
    console.error(`${shop} refused order ${orderId}: ${response.status} ${await response.text()}`);
    process.exitCode = 1;
  }
}

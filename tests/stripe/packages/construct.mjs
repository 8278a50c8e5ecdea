// Puts deliveries to the library's own check, one JSON object a line: {header, bodyBase64, secret, receivedAt}. `header` is null where there
// is none; `receivedAt` is the time of arrival in seconds. Answers with a line for each: {accepted: {id, type}} or {refused: name of the error}.
import { createInterface } from "node:readline";
import Stripe from "stripe";

const { webhooks } = new Stripe("sk_test_proof");

function answer({ header, bodyBase64, secret, receivedAt }) {
  try {
    const body = Buffer.from(bodyBase64, "base64");
    const event = webhooks.constructEvent(body, header, secret, undefined, undefined, receivedAt * 1000);
    // Whatever JSON is signed is an event to the library, `null` too.
    return { accepted: { id: event?.id ?? null, type: event?.type ?? null } };
  } catch (error) {
    return { refused: error.constructor.name };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}

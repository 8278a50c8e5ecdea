"""Drives gringotts-api, a library that others wrote, as a target of refundproof over stdio.

The library sells credits: a purchase is booked in its ledger, and its Stripe webhook takes credits back when the purchase is refunded or
disputed. Everything that decides about money is the library's own. This file starts it, books the purchases that `begin` tells of through
the library's own functions, hands every delivery to the library's own webhook route as it came, and adds up what stands in its ledger.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

parser = argparse.ArgumentParser(description="gringotts-api as a target of refundproof")
parser.add_argument("--store", metavar="FILE", help="keep the database in this file, and claim to be durable")
options = parser.parse_args()
temporary = None if options.store else tempfile.TemporaryDirectory()

# The library reads these when it is imported. A key for Stripe's API would make it ask Stripe about objects that are incomplete.
os.environ["DATABASE_URL"] = "sqlite:///" + (options.store or os.path.join(temporary.name, "gringotts.db"))
os.environ.pop("STRIPE_SECRET_KEY", None)

import fastapi  # noqa: E402
import gringotts  # noqa: E402
from gringotts import auth, cli, crud  # noqa: E402

WORKERS = 4  # Each has an event loop and a session of its own, as several workers of a web server on one database would.

CLAIMS = {
    # These are the events that the library's own documentation says to register for refunds and disputes.
    "subscribes": ["refund.created", "refund.updated", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"],
    # The ledger has no row for a refund that is open or has failed, so neither refunds nor what is left to refund can be shown.
    "observes": ["currency", "chargedBackAmount"],
    "equivalentStatuses": [["not_refunded", "pending", "pending_information"], ["not_refunded", "failed"]],
    "verifiesSignatures": True,
    "durable": options.store is not None,
    "concurrency": WORKERS,
}

# Stripe sends whole numbers of the smallest unit, and the ledger keeps them as they are. Hundredths, but for these currencies.
ZERO_DECIMAL = set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMAL = set("BHD JOD KWD OMR TND".split())


def places(currency):
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


async def post(app, path, headers, body):
    """One request to an ASGI application, as a web server would make it. Returns the status."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
    status = None

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    try:
        await app(scope, receive, send)
    except Exception as error:
        # An error that nothing has caught is answered with 500 and then thrown again, for the server's log.
        if status is None:
            raise
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return status


class Adapter:
    def hello(self, request):
        self.app = fastapi.FastAPI()
        gringotts.init_app(self.app, gringotts.GringottsConfig(stripe_webhook_secret=request["secret"]))
        return {"name": "gringotts-api", "version": gringotts.__version__, "capabilities": CLAIMS}

    def begin(self, request):
        with gringotts.SessionLocal() as db:
            for order in request["orders"]:
                if crud.get_user_by_username(db, order["orderId"]):
                    continue
                # Each order has a buyer of its own, named like the order, who gets a credit for each smallest unit and spends none.
                paid = int(Decimal(str(order["capturedAmount"])).scaleb(places(order["currency"])))
                buyer, _ = auth.create_user_with_key(db, order["orderId"])
                gringotts.grant(
                    db,
                    buyer,
                    paid,
                    kind="purchase",
                    external_id="cs_" + order["orderId"],
                    amount_cents=paid,
                    payment_intent_id=order["paymentIntentId"],
                    currency=order["currency"],
                )
        return {}

    def deliver(self, request):
        body = base64.b64decode(request["bodyBase64"]) if "bodyBase64" in request else request["body"].encode()
        return {"status": asyncio.run(post(self.app, "/gringotts/webhook", request["headers"], body))}

    def observe(self, request):
        with gringotts.SessionLocal() as db:
            buyer = crud.get_user_by_username(db, request["orderId"])
            if buyer is None:
                return {"state": None}
            rows = crud.list_transactions(db, user_id=buyer.id, limit=10_000)
        # A refund and a dispute are both rows of this kind; what they are about stands in `endpoint`. A dispute that gives money back
        # has a row of another kind with a negative amount.
        paid = next(row for row in rows if row.kind == "purchase")
        refunded = sum(row.amount_cents for row in rows if row.kind == "clawback" and row.endpoint == "stripe:refund")
        disputed = sum(row.amount_cents for row in rows if row.endpoint == "stripe:dispute" or row.kind == "reinstate")
        if disputed > 0:
            status = "charged_back"
        elif refunded > 0:
            status = "refunded" if refunded >= paid.amount_cents else "partially_refunded"
        else:
            status = "not_refunded"
        currency = paid.currency.upper()

        def money(units):
            return str(Decimal(units).scaleb(-places(currency)))

        return {
            "state": {
                "orderId": request["orderId"],
                "status": status,
                "refundedAmount": money(refunded),
                "currency": currency,
                "chargedBackAmount": money(disputed),
            }
        }

    def end(self, request):
        return {}


def main():
    with contextlib.redirect_stdout(sys.stderr):  # Standard output belongs to the harness.
        cli.main(["init-db"])
    adapter, turn = Adapter(), threading.Lock()
    operations = {op.__name__: op for op in (adapter.hello, adapter.begin, adapter.deliver, adapter.observe, adapter.end)}

    def answer(request):
        try:
            said = {"id": request["id"], "ok": True, **operations[request["op"]](request)}
        except Exception as error:  # The harness is told what it was, and it is no verdict on the library.
            said = {"id": request["id"], "ok": False, "error": f"{type(error).__name__}: {error}"}
        with turn:
            sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
            sys.stdout.buffer.flush()

    with ThreadPoolExecutor(WORKERS) as workers:
        for line in sys.stdin.buffer:
            if not line.strip():
                continue
            request = json.loads(line)
            if request["op"] == "bye":
                break
            workers.submit(answer, request)


if __name__ == "__main__":
    main()

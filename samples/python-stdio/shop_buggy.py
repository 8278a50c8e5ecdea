#!/usr/bin/env python3
"""The sample shop with one real mistake: it books the same money once for every layer that tells of it.

`refund.complete` and `order.charge.refund.complete` are two views of one payment. Someone who subscribes to both, sees two events
with two different ids (`re_...` and the charge refund's own) and books "each refund once by its id" ends up with twice the money.
No test that sends only one of the two events can see it. The certification does: `refund-counted-once` fails.
"""
import sys

sys.dont_write_bytecode = True  # leaves no __pycache__ beside the samples

import shop  # noqa: E402


class OrderBookedTwice(shop.Order):
    def paid_back(self) -> int:
        return self.paid_by_refunds() + self.paid_by_charges()  # wrong: one amount, told twice


if __name__ == "__main__":
    shop.main("python-stdio-shop-buggy", OrderBookedTwice)

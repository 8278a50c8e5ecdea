"""Reads a JSON report of refundproof and writes what of it is compared: no times, no texts, no paths.

    python3 expected.py report.json > expected.json
"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)

kept = {
    "provider": report["provider"],
    "seed": report["seed"],
    "cases": report["options"]["cases"],
    "target": {"name": report["target"]["name"], "version": report["target"]["version"]},
    "verdict": report["verdict"],
    "items": {item["id"]: item["verdict"] for item in report["items"]},
    "requirements": {requirement["id"]: requirement["verdict"] for requirement in report["requirements"]},
    # What a finding is about is left out: the ids alone are promised to be the same.
    "findings": sorted(finding["id"] for finding in report["findings"]),
}
json.dump(kept, sys.stdout, indent=2)
print()

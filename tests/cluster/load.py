"""What `make cluster-test` runs in a pod while Deployments are rolled: every service is asked at the gateway.

Mounted beside journey.py, which signs in and makes somebody to ask about. Each second it prints how many requests there
were and which failed; it ends when its pod does. Standard library only.
"""

import json
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlencode

import journey

PAUSE_S = 0.05
SIGNED_IN_S = 240  # an access token lives ten minutes


def asked_for(facility, patient, since):
    """A request to each service, and a page, as method, path and body."""
    week = urlencode({"since": since.isoformat(), "until": (since + timedelta(days=7)).isoformat(), "limit": 10})
    days = urlencode(
        {"facility_id": facility, "first_day": since.date().isoformat(), "last_day": since.date().isoformat()}
    )
    return [
        ("GET", "/sign-in", None),
        ("GET", "/api/v1/.well-known/jwks.json", None),
        ("GET", "/api/v1/specializations", None),
        ("GET", f"/api/v1/patients/{patient}", None),
        ("GET", f"/api/v1/patients/{patient}/allergies", None),
        ("GET", f"/api/v1/facilities/{facility}/appointments?{week}", None),
        ("GET", "/api/v1/deliveries?limit=1", None),
        ("GET", f"/api/v1/reports/appointments?{days}", None),
        ("POST", "/api/v1/audit-entries/search", {"patient_id": patient}),
    ]


def ask(visitor, requests, counts):
    """One round; only an answer that the service meant to give counts as none that failed."""
    for method, path, body in requests:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        headers["Authorization"] = f"Bearer {visitor.token}"
        if method == "POST":
            headers["Idempotency-Key"] = token_hex(16)
        status, _ = visitor._once(method, path, None if body is None else json.dumps(body), headers)
        counts["asked"] += 1
        if not 200 <= status < 300:
            counts["failed"] += 1
            counts[f"{method} {path.partition('?')[0]}: {status or 'no answer'}"] += 1
        time.sleep(PAUSE_S)


def tell(counts):
    """Each second, for whoever reads the last line of the log."""
    while True:
        print(json.dumps(counts.copy()), flush=True)
        time.sleep(1)


def main(url, account):
    """Sign in, make somebody, ask until the pod is deleted."""
    visitor = journey.Visitor(url)
    journey.sign_in(visitor, account)
    facility, _, _, patient, since = journey.open_clinic(visitor, token_hex(4))
    requests, counts = asked_for(facility["id"], patient, since), Counter(asked=0, failed=0)
    for method, path, body in requests:
        visitor.ask(method, path, body)  # whose role was given a moment ago is known everywhere from here on
    threading.Thread(target=tell, args=(counts,), daemon=True).start()
    until = time.monotonic() + SIGNED_IN_S
    while True:
        ask(visitor, requests, counts)
        if time.monotonic() > until:
            journey.sign_in(visitor, account)
            until = time.monotonic() + SIGNED_IN_S


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except journey.Refused as refused:
        sys.exit(f"failed: {refused}")

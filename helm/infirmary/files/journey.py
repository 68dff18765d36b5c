"""What `helm test` does: one appointment through the house, at the gateway, as people would.

Sees the page that people sign in at, signs in, opens a facility for this test alone, hires a doctor, registers an
invented patient, books, cancels, waits until the trail has heard of both over the bus, has the trail checked, and
closes what it opened. Standard library only.
"""

import http.client
import json
import secrets
import ssl
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

PATIENCE_S = 30.0
PASSES = {0, 429, 502, 503, 504}


class Refused(Exception):
    """The house answered something else than it must; the text has the operation and the status, and no value."""

    def __init__(self, method, path, status):
        super().__init__(f"{method} {path.partition('?')[0]} answered {status or 'nothing'}")
        self.status = status


class Visitor:
    """One client with, once signed in, one session."""

    def __init__(self, url):
        self._url, self.token = urlsplit(url), ""

    def ask(self, method, path, body=None, version=None):
        """The answer, once there is one that stands; the same key each time, so that nothing is done twice."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Idempotency-Key": secrets.token_hex(16)} if method == "POST" and self.token else {}
        headers |= {"If-Match": f'"{version}"'} if version is not None else {}
        until = time.monotonic() + PATIENCE_S
        while True:
            status, said = self._once(method, path, None if body is None else json.dumps(body), headers)
            if 200 <= status < 300:
                return said
            # A role that was given a moment ago works everywhere within two seconds.
            if (status not in PASSES and status != 403) or time.monotonic() > until:
                raise Refused(method, path, status)
            time.sleep(0.5)

    def see(self, path):
        """Whether a browser is shown a page there."""
        status, said = self._once("GET", path, None, {"Accept": "text/html"})
        if status != 200 or not isinstance(said, str):
            raise Refused("GET", path, status)

    def _once(self, method, path, body, headers):
        # The certificate of a gateway is for its public name; this is another way to the same pod, inside the cluster.
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        more = {"context": ssl._create_unverified_context()} if self._url.scheme == "https" else {}  # noqa: S323, SLF001
        connection = kinds[self._url.scheme](self._url.hostname, self._url.port, timeout=15, **more)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
        if answer.headers.get_content_type() == "text/html":
            return answer.status, said.decode()
        return answer.status, json.loads(said) if said else None


def secret(account, name):
    """A part of the account, or nothing."""
    path = account / name
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def sign_in(visitor, account):
    """With the password, or, the first time in a demo, with the first one, which is changed for it."""
    username, password = secret(account, "username") or "admin", secret(account, "password")
    first = secret(account, "first-password")

    def enter(word):
        visitor.token = ""
        visitor.token = visitor.ask("POST", "/api/v1/sessions", {"username": username, "password": word})[
            "access_token"
        ]

    try:
        enter(password)
    except Refused as refused:
        if refused.status != 401 or not first:
            raise
        enter(first)
        visitor.ask("POST", "/api/v1/account/password", {"current_password": first, "new_password": password})
        enter(password)


def open_clinic(visitor, mark):
    """A facility with a doctor who works all day for the coming week, and a patient; the ids."""
    post = visitor.ask
    facility = post("POST", "/api/v1/facilities", {"name": f"Self-test {mark}", "zone": "UTC"})
    place = {"facility_id": facility["id"], "name": f"Self-test {mark}"}
    location = post("POST", "/api/v1/locations", place)
    special = post("POST", "/api/v1/specializations", {"name": f"Self-test {mark}"})
    kind = {"name": f"Self-test {mark}", "minutes": 15, "color": "#2f6fab", "audience": "everyone"}
    kind = post("POST", "/api/v1/appointment-types", kind)
    profile = {"family_name": "Selftest", "given_name": "Doctor", "specialization_ids": [special["id"]]}
    profile["licence"] = {"number": f"ST-{mark}", "authority": "Self-test", "expires_on": "2099-12-31"}
    doctor = post("POST", "/api/v1/doctors", profile)
    hours = {"starts": "08:00", "ends": "16:00", "slot_minutes": 15, "capacity": 1, "valid_from": "2020-01-01"}
    hours |= {"facility_id": facility["id"], "location_id": location["id"]}
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for day in (tomorrow, tomorrow + timedelta(days=1)):
        post("POST", f"/api/v1/doctors/{doctor['id']}/sessions", {**hours, "weekday": day.isoweekday()})
    person = {"family_name": "Selftest", "given_name": "Patient", "administrative_gender": "unknown"}
    person |= {"birth_date": "1980-01-01", "confirm_duplicate": True}
    patient = post("POST", "/api/v1/patients", person)
    return (
        facility,
        kind["id"],
        doctor["id"],
        patient["id"],
        tomorrow.replace(hour=0, minute=0, second=0, microsecond=0),
    )


def journey(visitor, account, say):
    """All of it; says each step."""
    visitor.see("/sign-in")
    say("seen the page to sign in at")
    sign_in(visitor, account)
    say("signed in")
    facility, kind, doctor, patient, since = open_clinic(visitor, secrets.token_hex(4))
    base = f"/api/v1/facilities/{facility['id']}"
    asked = {"doctor_id": doctor, "appointment_type_id": kind, "limit": 10}
    asked |= {"since": since.isoformat(), "until": (since + timedelta(days=2)).isoformat()}
    place = visitor.ask("GET", f"{base}/free-places?{urlencode(asked)}")["items"][0]
    body = {"patient_id": patient, "doctor_id": doctor, "appointment_type_id": kind, "starts_at": place["starts_at"]}
    booked = visitor.ask("POST", f"{base}/appointments", body)
    say("booked")
    path = f"{base}/appointments/{booked['id']}/cancel"
    visitor.ask("POST", path, {"reason_code": "patient_request"}, version=booked["version"])
    say("cancelled")
    require_trail(visitor, patient)
    say("the trail has heard of it over the bus, and is whole")
    visitor.ask("PATCH", base, {"active": False}, version=facility["version"])


def require_trail(visitor, patient):
    """Both acts are entries within half a minute, and the newest entries fit together."""
    until = time.monotonic() + PATIENCE_S
    while True:
        found = visitor.ask("POST", "/api/v1/audit-entries/search", {"patient_id": patient})["items"]
        if {"book_appointment", "cancel_appointment"} <= {each["operation"] for each in found}:
            break
        if time.monotonic() > until:
            raise SystemExit("failed: the trail has not heard of the appointment in half a minute")
        time.sleep(1)
    if not visitor.ask("POST", "/api/v1/audit-trail/verifications", {})["whole"]:
        raise SystemExit("failed: the trail is not whole")


if __name__ == "__main__":
    try:
        journey(Visitor(sys.argv[1]), Path(sys.argv[2]), lambda text: print(text, flush=True))
    except Refused as refused:
        sys.exit(f"failed: {refused}")

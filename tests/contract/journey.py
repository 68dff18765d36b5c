"""Performs any operation on the real services, making first whatever it acts on and whoever acts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyotp

from services.chassis.spec import Operation
from services.chassis.testing import Got
from tests import provider
from tests.contract.contracts import CONTRACTS
from tests.contract.requests import SERVICE_SECRET, SMS_REPLY_SECRET, first_body, query_of
from tests.mailbox import Links

# Things that addresses and bodies name: which operation makes one, and what its example needs for that.
MADE_BY: dict[str, tuple[str, dict[str, Any]]] = {
    "patient_id": ("register_patient", {"confirm_duplicate": True}),
    "allergy_id": ("add_allergy", {}),
    "problem_id": ("add_problem", {}),
    "user_id": ("create_user", {}),
    "facility_id": ("create_facility", {}),
    "location_id": ("create_location", {}),
    "department_id": ("create_department", {}),
    "service_account_id": ("create_service_account", {}),
    "key_id": ("add_service_key", {}),
    "link_id": ("add_own_link", {}),
    "specialization_id": ("create_specialization", {}),
    "type_id": ("create_appointment_type", {}),
    "appointment_type_id": ("create_appointment_type", {}),
    "resource_id": ("create_resource", {}),
    "doctor_id": ("create_doctor", {}),
    "doctor_session_id": ("add_doctor_session", {}),
    "leave_id": ("add_leave", {}),
    "closure_id": ("add_closure", {}),
    "appointment_id": ("book_appointment", {}),
    "hold_id": ("hold_place", {}),
    "delivery_id": ("send_test_message", {}),
    "message_id": ("send_test_message", {}),
}
# Operations on a thing that is made in another way than usual.
MADE_FOR: dict[str, dict[str, str]] = {
    "approve_appointment": {"appointment_id": "request_appointment"},
    "decline_appointment": {"appointment_id": "request_appointment"},
    "remove_own_push_subscription": {"subscription_id": "add_own_push_subscription"},
    "remove_patient_push_subscription": {"subscription_id": "add_patient_push_subscription"},
}
# What a query needs beside what the contract demands.
ASKED_FOR: dict[str, list[str]] = {"find_free_places": ["doctor_id"]}
# What has to happen to a thing before an operation on it makes sense.
BEFORE: dict[str, list[str]] = {
    "restore_patient": ["deactivate_patient"],
    "withdraw_no_known_allergies": ["declare_no_known_allergies"],
    "enable_user": ["disable_user"],
    "activate_doctor": ["deactivate_doctor"],
    "get_doctor_photo": ["set_doctor_photo"],
    "remove_doctor_photo": ["set_doctor_photo"],
    "remove_type_minutes": ["set_type_minutes"],
    "get_doctor_plan": ["add_doctor_session"],
    "list_doctor_plans": ["add_doctor_session"],
    "list_closures": ["add_closure"],
    "find_free_places": ["add_doctor_session"],
    "hold_place": ["add_doctor_session"],
    "book_appointment": ["add_doctor_session"],
    "find_first_free_place": ["add_doctor_session"],
    "request_appointment": ["add_doctor_session"],
    "set_patient_notification_preferences": ["get_patient_notification_preferences"],
    "set_own_notification_preferences": ["get_own_notification_preferences"],
    "set_notification_settings": ["get_notification_settings"],
    "set_notification_template": ["get_notification_template"],
    "reset_notification_template": ["set_notification_template"],
    "set_group_roles": ["get_group_roles"],
}
WORDS = {"event": "booked", "channel": "sms"}  # what an address names that is no id
KNOWN = -1  # instead of a version: the one that the journey knows
UNIQUE = {"username", "name", "number", "client_id"}  # members of which there is only one in the house
WITH_UNIQUE = {"identity", "doctors"}  # services in which that is so
OWNER = {operation: contract.service for contract in CONTRACTS.values() for operation in contract.operations}


class Journey:
    """One run through the house, with the things that it has made."""

    def __init__(
        self,
        houses: Mapping[str, Any],
        *,
        links: Links,
        service_secret: str = SERVICE_SECRET,
        reply_secret: str = SMS_REPLY_SECRET,
        push_service: str | None = None,
    ) -> None:
        """push_service: the one that this house may write to, where it is not one of the examples."""
        self._houses, self._service_secret, self._reply_secret = houses, service_secret, reply_secret
        self._push_service, self._links = push_service, links
        self.made: dict[str, str] = {}
        self.versions: dict[str | None, int] = {}
        self.sent: dict[str, Any] = {}
        self._account: dict[str, Any] = {}
        self._backup_codes: list[str] = []
        self._prepared: set[str] = set()
        # A template that nobody else writes: what changes nothing would be no new version.
        self.language = f"de-{secrets.token_hex(4)}"

    def perform(
        self,
        operation_id: str,
        *,
        body: Any = None,
        version: int | None = KNOWN,
        query: Mapping[str, str] | None = None,
    ) -> Got:
        """Call an operation with an example of its body; the answer as it came.

        version: sent in If-Match by an operation that takes one; None sends none. query: what is asked beside what the
        contract demands. What was sent is kept in `sent`.
        """
        house = self._houses[OWNER[operation_id]]
        operation = house.contract.operations[operation_id]
        names = [each["name"] for each in operation.parameters if each["in"] == "path"]
        self.prepare(operation_id)
        path = {name: self.need(name) for name in names}
        given = self._filled(operation, first_body(operation) if body is None else body)
        thing = next(reversed(path.values()), None)
        if version == KNOWN:
            version = self.versions[thing] if operation.takes_version else None
        self.sent = {
            "body": given,
            "query": self._query(operation) | (query or {}),
            "version": version,
            "key": secrets.token_hex(8),
            **self.actor(operation),
            **self.proof(operation, given),
            **path,
        }
        got = house.call(operation_id, **self.sent)
        if isinstance(got.body, dict) and isinstance(got.body.get("version"), int):
            self.versions[got.body.get("id") or thing] = got.body["version"]
        return got

    def prepare(self, operation_id: str) -> None:
        """Let happen what an operation presupposes, once for each journey."""
        if operation_id == "rotate_signing_key":
            self._withdraw_waiting_key()
        for name, maker in MADE_FOR.get(operation_id, {}).items():
            if name not in self.made:
                self.made[name] = str(self.perform(maker).body["id"])
        for earlier in BEFORE.get(operation_id, []):
            if earlier not in self._prepared:
                self._prepared.add(earlier)
                got = self.perform(earlier)
                assert got.status < 300, (earlier, got.body)

    def _query(self, operation: Operation) -> dict[str, str]:
        more = {name: self.need(name) for name in ASKED_FOR.get(operation.operation_id, [])}
        return more | {name: self.need(name) if name in MADE_BY else v for name, v in query_of(operation).items()}

    def need(self, name: str) -> str:  # noqa: PLR0911 - one for each way of making
        """The id of a thing, made when there is none."""
        if name == "plan_id":
            name = "doctor_id"
        if name == "session_id":
            return self.account["session_id"]
        words = {**WORDS, "language": self.language}
        if name in words:
            return words[name]
        if name == "role_name":
            return self._role()
        if name == "counter_id":
            return self._counter()
        if name == "kid":
            return self._waiting_key()
        if name == "change_id":
            return self.perform("add_doctor_session").body["change"]["change_id"]
        if name not in self.made:
            maker, changes = MADE_BY[name]
            operation = self._houses[OWNER[maker]].contract.operations[maker]
            got = self.perform(maker, body={**first_body(operation), **changes})
            assert got.status == 201, (maker, got.body)
            self.made[name] = got.body["id"]
        return self.made[name]

    def _role(self) -> str:
        """A role of the house's own, made for this journey."""
        if "role_name" not in self.made:
            made = self.perform("create_role").body
            self.made["role_name"], self.versions[made["name"]] = made["name"], made["version"]
        return self.made["role_name"]

    def _counter(self) -> str:
        """A counter that counts something: of somebody who gave a wrong password just now."""
        house, user = self._houses["identity"], self.perform("create_user").body
        house.call("sign_in", body={"username": user["username"], "password": "not the right one"})
        actor = self.actor(house.contract.operations["list_sign_in_counters"])
        found = house.call("list_sign_in_counters", query={"user_id": user["id"]}, **actor)
        return str(found.body["items"][0]["id"])

    def _waiting_key(self) -> str:
        """A signing key that waits and was made just now: to withdraw one that signs would end the others' tokens."""
        if "kid" not in self.made:
            self.made["kid"] = str(self.perform("rotate_signing_key").body["id"])
        return self.made["kid"]

    def _withdraw_waiting_key(self) -> None:
        """There is one rotation at a time, and another journey may have begun one."""
        house = self._houses["identity"]
        actor = self.actor(house.contract.operations["withdraw_signing_key"])
        for each in self.perform("list_signing_keys").body["items"]:
            if each["stage"] == "waiting":
                house.call("withdraw_signing_key", kid=each["id"], **actor)

    @property
    def enrolled(self) -> dict[str, Any]:
        """The person with the account, who has a second factor and ten backup codes."""
        if not self._backup_codes:
            self._backup_codes = list(self.perform("confirm_second_factor").body["backup_codes"])
        return self.account

    def _code_of_device(self) -> str:
        return pyotp.TOTP(self.perform("start_second_factor").body["secret"]).now()

    def _challenge(self) -> str:
        who = {"username": self.enrolled["username"], "password": self.account["password"]}
        return str(self._houses["identity"].call("sign_in", body=who).body["facts"]["challenge_id"])

    def _code_of_desk(self, relation: str) -> str:
        """An activation code for a record that nobody has a code for yet."""
        self.made.pop("patient_id", None)
        body = {"patient_id": self.need("patient_id"), "relation": relation}
        return str(self.perform("create_activation_code", body=body).body["code"])

    def _token_by_mail(self) -> str:
        """What the link holds that somebody with a mail address has asked for."""
        user = self._with_mail()
        self._houses["identity"].call("request_password_reset", body={"username": user["username"]})
        return self._links(user["email"])

    def _with_mail(self) -> dict[str, Any]:
        """Somebody with a mail address of his own."""
        body = {"username": "reset", "display_name": "Ada", "roles": ["nurse"]}
        return dict(self.perform("create_user", body={**body, "email": f"{secrets.token_hex(6)}@example.org"}).body)

    def _brought_back(self, body: Any) -> Any:
        """What a person brings back from the provider, whose group gives a role; where there is a provider."""
        self.perform("set_group_roles")
        begun = self.perform("start_external_sign_in")
        if begun.status == 409:
            return body
        return {**provider.visit(begun.body["authorization_url"]), "binding": begun.body["binding"]}

    @property
    def account(self) -> dict[str, Any]:
        """A person with a new account who is signed in: the tokens, the id, the name and the password."""
        if not self._account:
            made = self.perform("create_user").body
            known = {"id": made["id"], "username": made["username"], "password": made["one_time_password"]}
            self._account = known
            self._account = known | self.perform("sign_in").body
        return self._account

    def actor(self, operation: Operation) -> dict[str, str]:
        """Who acts: the person with the account where it is about the own one, else somebody with every right."""
        if not (operation.permission or "").startswith("account."):
            return {}
        claims = self.account["access_token"].split(".")[1]
        session = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sid"]
        return {"subject": f"{self.account['id']}/{session}"}

    def proof(self, operation: Operation, body: Any) -> dict[str, Any]:
        """What stands for a token where another house signs what it sends, byte by byte."""
        if operation.operation_id != "receive_sms_reply":
            return {}
        raw = orjson.dumps(body)
        return {"raw": raw, "headers": {"x-signature": signature(raw, secret=self._reply_secret)}}

    def _filled(self, operation: Operation, body: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line for each
        """A body whose ids name things that exist, whose names are new, and whose secrets are right."""
        match operation.operation_id:
            case "sign_in":
                return {**body, "username": self.account["username"], "password": self.account["password"]}
            case "refresh_session":
                return {**body, "refresh_token": self.account["refresh_token"]}
            case "change_own_password" | "start_second_factor":
                return {**body, "current_password": self.account["password"]}
            case "confirm_second_factor":
                return {"code": self._code_of_device()}
            case "finish_sign_in":
                return {"challenge_id": self._challenge(), "code": self._backup_codes.pop()}
            case "show_second_factor":
                return {"code": self.enrolled and self._backup_codes.pop()}
            case "renew_backup_codes":
                return {"current_password": self.enrolled["password"]}
            case "remove_second_factor":
                return {"current_password": self.enrolled["password"], "code": self._backup_codes.pop()}
            case "activate_account":
                return {**body, "code": self._code_of_desk("self"), "username": f"ada.{secrets.token_hex(6)}"}
            case "add_own_link":
                return {**body, "code": self._code_of_desk("guardian")}
            case "request_password_reset":
                return {"username": self._with_mail()["username"]}
            case "complete_password_reset":
                return {**body, "token": self._token_by_mail()}
            case "set_group_roles":
                return {"entries": [*body["entries"], {"group": secrets.token_hex(4), "roles": ["nurse"]}]}
            case "create_role":
                return {**body, "name": f"ward_clerk_{secrets.token_hex(4)}"}
            case "complete_external_sign_in":
                return self._brought_back(body)
            case "issue_service_token":
                return {**body, "client_id": "history", "client_secret": self._service_secret}
        return self._filled_elsewhere(operation, body)

    def _filled_elsewhere(self, operation: Operation, body: Any) -> Any:
        """The same for what is no matter of accounts."""
        match operation.operation_id:
            case "add_doctor_session":
                body = {**body, "valid_from": "2020-01-01"}
            case "send_test_message" if body["channel"] == "in_app":
                body = {**body, "to": self.account["id"]}
            case "add_own_push_subscription" | "add_patient_push_subscription" if self._push_service:
                body = {**body, "endpoint": f"{self._push_service}/{secrets.token_hex(8)}"}
            case "add_closure" if "scope_id" in body:
                return {**body, "scope_id": self.need(f"{body['scope']}_id")}
        if operation.service == "appointments" and isinstance(body, Mapping) and "starts_at" in body:
            body = {**body, "starts_at": _near(body["starts_at"], weeks=-1 if "retro_reason" in body else 1)}
        return self._with_ids(body, fresh=operation.service in WITH_UNIQUE)

    def _with_ids(self, body: Any, *, fresh: bool) -> Any:
        if isinstance(body, list):
            return [self._with_ids(each, fresh=fresh) for each in body]
        if not isinstance(body, Mapping):
            return body
        filled = {name: self._with_id(name, value, fresh=fresh) for name, value in body.items()}
        if fresh:
            filled |= {name: f"{filled[name]}-{secrets.token_hex(4)}" for name in UNIQUE & filled.keys()}
        return filled

    def _with_id(self, name: str, value: Any, *, fresh: bool) -> Any:
        """A member: the id of a thing, a list of one, or whatever it is."""
        if value and name in MADE_BY:
            return self.need(name)
        if value and name == "facilities":
            return [self.need("facility_id")]
        if value and name.endswith("_ids") and name[:-1] in MADE_BY:
            return [self.need(name[:-1])]
        return self._with_ids(value, fresh=fresh)


def signature(raw: bytes, *, secret: str) -> str:
    """How the SMS gateway signs a body."""
    seconds = int(time.time())
    return f"t={seconds},v1={hmac.new(secret.encode(), f'{seconds}.'.encode() + raw, hashlib.sha256).hexdigest()}"


def _near(start: str, *, weeks: int) -> str:
    """The time of an example on a Monday ahead, because nothing is booked in the past; or on one that is over."""
    zone = ZoneInfo("Europe/Berlin")
    today = datetime.now(zone).date()
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
    return datetime.combine(monday, datetime.fromisoformat(start).time(), zone).isoformat()

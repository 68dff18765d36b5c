"""What `identity` says of places, and what `appointments` says of plans."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.chassis import logs
from services.chassis.call import Call
from services.chassis.client import Client, Reply
from services.chassis.service_token import ServiceToken
from services.doctors.model import fence, places
from services.doctors.model.fence import Sending, Verdict
from services.doctors.model.places import Place
from services.kernel.errors import Forbidden, NotSignedIn, Unavailable

_MOST_CLASHES = 200


class IdentityService:
    """What `identity` says of a place, asked with the caller's own token; None where there is no such place."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def facility(self, facility_id: UUID, *, call: Call) -> Place | None:
        """A facility.

        Raises:  Forbidden, NotSignedIn: as `identity` says. Unavailable: it says nothing.
        """
        return _place(self._ask("get_facility", call, facility_id=facility_id), facility_id)

    def location(self, location_id: UUID, *, call: Call) -> Place | None:
        """A location.

        Raises:  Forbidden, NotSignedIn: as `identity` says. Unavailable: it says nothing.
        """
        return _place(self._ask("get_location", call, location_id=location_id), location_id)

    def facility_of(self, department_id: UUID, *, call: Call) -> UUID | None:
        """The facility of a department, or nothing where there is none that is open.

        Raises:  Forbidden, NotSignedIn: as `identity` says. Unavailable: it says nothing.
        """
        said = self._ask("get_department", call, department_id=department_id)
        return UUID(said["facility_id"]) if said is not None and said["active"] else None

    def _ask(self, operation: str, call: Call, **path: UUID) -> dict[str, Any] | None:
        reply = self._client.call(operation, path=path, token=call.token, request_id=call.request_id)
        if reply.is_success:
            return dict(reply.body)
        if reply.status == 404:
            return None
        refusals = {401: NotSignedIn, 403: Forbidden}
        if reply.status in refusals:
            raise refusals[reply.status]
        raise Unavailable("identity")


class AppointmentsService:
    """What `appointments` says of a plan, asked with the token of this service."""

    def __init__(self, client: Client, *, token: ServiceToken) -> None:
        self._client, self._token = client, token

    def apply(self, sending: Sending, *, request_id: str) -> fence.Reply:
        """Offer a plan; the same sending gets the same answer."""
        body = {
            "version": sending.version,
            "change_id": str(sending.change_id),
            "clashes": sending.clashes,
            **_numbered(sending),
        }
        path = {"facility_id": sending.facility_id, "plan_id": sending.plan_id}
        try:
            reply = self._client.call("apply_plan", path=path, body=body, token=self._token(), request_id=request_id)
        except Unavailable:
            return fence.Reply(verdict=Verdict.AWAY)
        return self._meaning(reply)

    def _meaning(self, reply: Reply) -> fence.Reply:
        if reply.is_success:
            return _with_clashes(Verdict.APPLIED, reply.body)
        said = reply.body if isinstance(reply.body, dict) else {}
        facts = said.get("facts", {})
        if reply.status == 409 and said.get("code") == "plan_clashes":
            return _with_clashes(Verdict.REFUSED, facts)
        if reply.status == 409 and said.get("code") == "plan_superseded":
            return fence.Reply(verdict=Verdict.SUPERSEDED, version=int(facts.get("version", 0)))
        if reply.status == 401:
            self._token.forget()
        # It was neither taken nor refused for its appointments: the change waits, and somebody has to look.
        logs.logger().error("plan.not_taken", status=reply.status, code=said.get("code"))
        return fence.Reply(verdict=Verdict.AWAY)


def _place(said: dict[str, Any] | None, place_id: UUID) -> Place | None:
    return None if said is None else places.place(said, id=place_id, version=said["version"])


def _numbered(sending: Sending) -> dict[str, Any]:
    """The content, with the version that it is to have where it says one itself."""
    content = dict(sending.content)
    if "doctor" in content:
        content["doctor"] = {**content["doctor"], "version": sending.version}
    return content


def _with_clashes(verdict: Verdict, said: dict[str, Any]) -> fence.Reply:
    names = ("appointment_id", "doctor_id", "starts_at", "ends_at")
    found = tuple({name: each[name] for name in names} for each in said.get("clashing", ()))
    more = bool(said.get("more")) or len(found) > _MOST_CLASHES
    return fence.Reply(verdict=verdict, clashing=found[:_MOST_CLASHES], more=more)

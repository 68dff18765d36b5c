"""The only place where a request meets a controller: a call in, an answer out, audit and retries around it."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from services.chassis import failpoints, metrics
from services.chassis.admission import Admitted
from services.chassis.call import Answer, Call, IdempotencyKey
from services.chassis.gate import SignedIn
from services.chassis.spec import Operation
from services.chassis.stores import Replayed, StoreBusy
from services.kernel.errors import (
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    Missing,
    NotFound,
    NotSignedIn,
    TooMany,
    Unavailable,
)

_TRIES = 3
_ETAG = re.compile(r'"([1-9][0-9]{0,17})"\Z')
_IN_PATH = re.compile(r"\{(\w+_id)\}")
# What a rule said no to: by class of the error, else `failed`. Behind the others nothing was opened.
_REFUSALS = {Forbidden: "denied", NotFound: "not_found"}
_NOTHING_OPENED = (Malformed, Missing, NotSignedIn, TooMany, Unavailable)


class Unaudited(Exception):
    """An operation on a record has answered without a committed audit entry: a fault of ours, so no answer goes out."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An admitted request, with what the chassis reads from around it."""

    admitted: Admitted
    signed_in: SignedIn
    path: str
    headers: Mapping[str, str]
    request_id: str
    source: str

    @property
    def raw_body(self) -> bytes:
        """The body as it came."""
        return self.admitted.raw_body


class Adapter:
    """Calls the methods of one controller as their operations say.

    audit: commits the entry of a call alone; for what was refused or replayed, where no unit of work commits one.
    """

    def __init__(
        self, *, audit: Callable[[Call], None], clock: Callable[[], datetime], new_id: Callable[[], UUID]
    ) -> None:
        self._audit, self._clock, self._new_id = audit, clock, new_id

    def adapt(self, operation: Operation, method: Callable[..., Any]) -> Callable[[Incoming], Answer]:
        """The method of an operation as a function of a request.

        Raises (the function):  DomainError, StoreError, KeyReused, KeyRunning, Unaudited.
        """
        wanted = set(inspect.signature(method).parameters)

        def run(incoming: Incoming) -> Answer:
            call = self.call(operation, incoming)
            arguments: dict[str, Any] = {k: v for k, v in incoming.admitted.arguments.items() if k in wanted}
            if "body" in wanted:
                arguments["body"] = incoming.admitted.body
            if "raw" in wanted:
                arguments["raw"] = incoming.raw_body
            if "call" in wanted:
                arguments["call"] = call
            answer = self._run(operation, method, call, arguments)
            return _with_headers(operation, incoming, answer)

        return run

    def call(self, operation: Operation, incoming: Incoming) -> Call:
        """The call that a request makes.

        Raises:  Missing: a key or a version is wanted and not given. Invalid: it is none.
        """
        call = self.bare_call(operation, incoming)
        if operation.takes_version:
            call.expected_version = _version(incoming.headers)
        if operation.takes_key:
            call.key = _key(operation, incoming, call.actor.subject)
        return call

    def bare_call(self, operation: Operation, incoming: Incoming) -> Call:
        """The call of a request, without its key and version: enough for the trace of a refusal."""
        return Call(
            id=self._new_id(),
            operation=operation.operation_id,
            action=operation.audit,
            permission=operation.permission,
            actor=incoming.signed_in.actor,
            at=self._clock(),
            request_id=incoming.request_id,
            token=incoming.signed_in.token,
            source=incoming.source,
        )

    def deny(self, operation: Operation, call: Call, error: Exception, *, path: Mapping[str, Any]) -> None:
        """Leave a trace of what was refused; `path`: what its address names, and its body.

        A method that has committed an entry of its own before it refused has left that trace already.
        """
        if operation.audit == "none" or call.audited or isinstance(error, _NOTHING_OPENED):
            return
        outcome = next((word for kind, word in _REFUSALS.items() if isinstance(error, kind)), "failed")
        said = call.entry  # whose record it was about, where the method has said so before it was refused
        call.begin_again()
        if said is None:
            patient = _patient(path) or _patient(path.get("body"))
            call.audit(patient=patient, record=_record(operation, path), found=_named(error), outcome=outcome)
        else:
            is_unmade = outcome == "failed" and operation.audit == "create"
            record = None if is_unmade else said.record_id
            call.audit(patient=said.patient_id, record=record, found=_named(error), outcome=outcome)
        self._audit(call)

    def _run(self, operation: Operation, method: Callable[..., Any], call: Call, arguments: dict[str, Any]) -> Answer:
        for left in reversed(range(_TRIES)):
            try:
                result = method(**arguments)
            except StoreBusy:
                if not left:
                    raise
                call.begin_again()
            except Replayed as replayed:
                return self._again(operation, call, replayed, path=arguments)
            except DomainError as error:
                self.deny(operation, call, error, path=arguments)
                raise
            else:
                break
        failpoints.reach("answer.before")
        if operation.audit != "none" and not call.audited:
            metrics.UNAUDITED.labels(operation.operation_id).inc()
            raise Unaudited(operation.operation_id)
        return result if isinstance(result, Answer) else Answer(result, operation.success[0])

    def _again(self, operation: Operation, call: Call, replayed: Replayed, *, path: Mapping[str, Any]) -> Answer:
        """A stored answer, once more: it shows what it showed, so it is an entry of its own, of reading."""
        answer = replayed.answer
        if operation.audit != "none":
            call.begin_again()
            call.action = "read"
            call.audit(patient=replayed.about or _patient(path) or _patient(answer.body), record=replayed.record)
            self._audit(call)
        return Answer(answer.body, answer.status, {**answer.headers, "Idempotency-Replayed": "true"})


def dumps(body: object) -> bytes:
    """A body of the contract as JSON; decimals are texts, so that no digit is lost."""
    return orjson.dumps(body, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def _with_headers(operation: Operation, incoming: Incoming, answer: Answer) -> Answer:
    headers = dict(answer.headers)
    if isinstance(answer.body, Mapping):
        if "version" in answer.body and operation.answers_with_header("ETag"):
            headers.setdefault("ETag", f'"{answer.body["version"]}"')
        if answer.status == 201 and "id" in answer.body and operation.answers_with_header("Location"):
            headers.setdefault("Location", f"{incoming.path.rstrip('/')}/{answer.body['id']}")
    return Answer(answer.body, answer.status, headers)


def _patient(named: object) -> UUID | None:
    """Whose record an address or an answer names, where it names one: a refusal is part of that record's trail too."""
    try:
        return UUID(str(named["patient_id"])) if isinstance(named, Mapping) else None
    except (KeyError, ValueError):
        return None


def _record(operation: Operation, path: Mapping[str, Any]) -> object | None:
    """Which thing an address names: the last one in it, other than whose it is; of what is to be made there is none."""
    if operation.audit in {"create", "search"}:
        return None
    ids = [name for name in _IN_PATH.findall(operation.path) if name != "patient_id"]
    return path.get(ids[-1]) if ids else None


def _named(error: Exception) -> list[object]:
    """Whose record a refusal names: somebody has been shown that it is there."""
    named = error.facts.get("patient_id") if isinstance(error, DomainError) else None
    return [] if named is None else [named]


def _version(headers: Mapping[str, str]) -> int:
    given = headers.get("if-match")
    if given is None:
        raise Missing(errors=[FieldError("required", parameter="If-Match")])
    match = _ETAG.match(given)
    if match is None:
        raise Invalid(errors=[FieldError("etag", parameter="If-Match")])
    return int(match[1])


def _key(operation: Operation, incoming: Incoming, principal: str) -> IdempotencyKey:
    given = incoming.headers.get("idempotency-key")
    if given is None:
        raise Missing(errors=[FieldError("required", parameter="Idempotency-Key")])
    asked = (operation.operation_id, incoming.path, incoming.headers.get("if-match", ""))
    body = orjson.dumps(incoming.admitted.body, option=orjson.OPT_SORT_KEYS)
    fingerprint = hashlib.sha256("\0".join(asked).encode() + b"\0" + body).digest()
    return IdempotencyKey(principal=principal, key=given, fingerprint=fingerprint)

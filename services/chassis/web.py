"""The web process of a service: its contract and its controller put together through connexion.

Of connexion's middlewares only routing and security are kept, and its request validation is replaced by `admission`
through the same extension point (`middlewares=`): checked once, by compiled schemas.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import flask

from services.chassis import admission, logs, metrics, problems, spec
from services.chassis.adapter import Adapter, Incoming, Unaudited, dumps
from services.chassis.bridge import (
    BODY,
    CODE,
    IN_PARTS,
    REQUEST,
    Bridge,
    Resolver,
    RoutedAPI,
    RoutedMiddleware,
    RoutingMiddleware,
    SecurityMiddleware,
    assemble,
    flask_app,
)
from services.chassis.call import Answer
from services.chassis.downloads import Download
from services.chassis.entrance import REQUEST_ID, ContractFace, Entrance
from services.chassis.gate import SIGNED_IN, Gate, LivePolicy, SignedIn, Tokens
from services.chassis.readiness import missing
from services.chassis.service import Service, new_id, now, require_match
from services.chassis.stores import KeyReused, KeyRunning, StoreError
from services.kernel.errors import DomainError, Forbidden

View = Callable[[Incoming], Answer]


class _AdmissionApi(RoutedAPI[Any]):  # type: ignore[misc]  # connexion has no types
    """The plan of each operation of one API."""

    def __init__(self, specification: Any, *args: Any, checks: Mapping[str, admission.Plan], **kwargs: Any) -> None:
        self._checks = checks
        super().__init__(specification, *args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: Any) -> Any:
        """The check of one operation, then the next middleware."""
        plan, following = self._checks[operation.operation_id], self.next_app

        async def admit(scope: dict[str, Any], receive: Any, send: Any) -> None:
            scope["extensions"][REQUEST] = _incoming(plan, scope)
            await following(scope, receive, send)

        return admit


class AdmissionMiddleware(RoutedMiddleware[_AdmissionApi]):  # type: ignore[misc]  # connexion has no types
    """Parses and checks every request before its operation."""

    api_cls = _AdmissionApi


class Web:
    """The application of one service; `app` is ASGI.

    readiness: what the process cannot work without beside what the service cannot; each raises when it is away.
    """

    def __init__(
        self,
        service: Service,
        *,
        tokens: Tokens,
        policy: LivePolicy,
        readiness: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self._service = service
        self._readiness = {**service.readiness, **(readiness or {})}
        contract = spec.load(service.settings.openapi_dir, service.name)
        require_match(contract, service.controller)
        self._adapter = Adapter(audit=service.audit, clock=now, new_id=new_id)
        self._contract = contract
        for operation in contract.operations.values():
            if operation.audit != "none":  # an alert must see the first one grow from zero
                metrics.UNAUDITED.labels(operation.operation_id)
        gate = Gate(operations=contract.operations, tokens=tokens, policy=policy)
        app, self._bridge = flask_app(
            threads=service.settings.threads,
            middlewares=[
                RoutingMiddleware,
                partial(DenialMiddleware, denied=self._denied),
                SecurityMiddleware,
                AdmissionMiddleware,
            ],
            security_map={"oauth2": gate.handler()},
            resolver=Resolver(self._view),
        )
        app.add_api(
            spec.runtime_view(contract),
            base_path="",
            checks=admission.plans(contract),
        )
        assemble(app)
        self.app = Entrance(app, face=ContractFace(contract), ready=self.not_ready)

    @property
    def bridge(self) -> Bridge:
        """The pool of threads that requests run in."""
        return self._bridge

    def not_ready(self) -> dict[str, str]:
        """What the service cannot work without and is away now: name to kind of failure."""
        return missing(self._readiness)

    def _denied(self, scope: dict[str, Any], error: Forbidden) -> None:
        """Commit the trace of a request that its permission refused."""
        operation = self._contract.operations[scope["extensions"]["connexion_routing"]["operation_id"]]
        incoming = _around(scope, admission.Admitted({}, None, b""))
        path = scope.get("path_params") or {}
        self._adapter.deny(operation, self._adapter.bare_call(operation, incoming), error, path=path)

    def _view(self, operation_id: str) -> Callable[..., flask.Response]:
        operation = self._contract.operations[operation_id]
        run: View = self._adapter.adapt(operation, getattr(self._service.controller, operation_id))

        def view(**_: Any) -> flask.Response:
            incoming: Incoming = flask.request.environ[REQUEST]
            try:
                answer = run(incoming)
            except (DomainError, StoreError, KeyReused, KeyRunning) as error:
                return _refused(error, incoming)
            except Unaudited as error:
                logs.logger().error("request.unaudited", operation=operation_id)
                return _refused(error, incoming)
            if isinstance(answer.body, Download):
                return _sent(answer.body, answer)
            body = b"" if answer.body is None else dumps(answer.body)
            return flask.Response(body, status=answer.status, headers=dict(answer.headers), mimetype="application/json")

        return view


class DenialMiddleware:
    """Around security: what it refuses leaves its trace before the refusal goes out, off the event loop."""

    def __init__(self, app: Any, *, denied: Callable[[dict[str, Any], Forbidden], None]) -> None:
        self._app, self._denied = app, denied

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request."""
        try:
            await self._app(scope, receive, send)
        except Forbidden as error:
            await asyncio.to_thread(self._denied, scope, error)
            raise


def _incoming(plan: admission.Plan, scope: dict[str, Any]) -> Incoming:
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in scope["headers"]:
        known = name.decode("latin-1")
        if known in headers:
            repeated.add(known)
        headers[known] = value.decode("latin-1")
    admitted = plan.admit(
        path=scope.get("path_params") or {},
        query=scope["query_string"],
        headers=headers,
        repeated=frozenset(repeated),
        raw=scope["extensions"][BODY],
    )
    return _around(scope, admitted, headers)


def _around(scope: dict[str, Any], admitted: admission.Admitted, headers: Mapping[str, str] | None = None) -> Incoming:
    headers = headers or {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return Incoming(
        admitted=admitted,
        signed_in=scope["extensions"].get(SIGNED_IN, SignedIn()),
        path=scope["path"],
        headers=headers,
        request_id=scope["extensions"][REQUEST_ID],
        source=forwarded or (scope.get("client") or ("",))[0],
    )


def _sent(file: Download, answer: Answer) -> flask.Response:
    """A file, sent in parts and closed at the end."""
    flask.request.environ[IN_PARTS] = True
    headers = {
        **answer.headers,
        "Content-Length": str(file.size),
        "Content-Disposition": f'attachment; filename="{file.name}"',
    }
    return flask.Response(file, status=answer.status, headers=headers, mimetype=file.media_type)


def _refused(error: Exception, incoming: Incoming) -> flask.Response:
    problem = problems.of(error)
    flask.request.environ[CODE](problem.code)
    if problem.status >= 500:
        logs.logger().error("request.failed", code=problem.code, exc_info=error)
    body = problem.body(incoming.request_id)
    return flask.Response(body, status=problem.status, headers=dict(problem.headers), mimetype=problems.MEDIA_TYPE)

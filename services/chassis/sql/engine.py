"""Connections to PostgreSQL whose every wait has an end, and that refuse a server which may lose what it confirmed."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import Gauge
from psycopg import errors as pg
from psycopg.types.json import set_json_loads
from sqlalchemy import event
from sqlalchemy.pool import NullPool, QueuePool

from services.chassis import metrics, tracing
from services.chassis.sql.errors import NoAnswer, translated
from services.chassis.stores import NotDurable

CONNECT_S = 0.25
STATEMENT_S = 1.0
LOCK_S = 0.5
IDLE_IN_TRANSACTION_S = 5.0
ANSWER_MARGIN_S = 0.5
RECYCLE_S = 1800
_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})

CONNECTIONS = Gauge(
    "infirmary_store_connections",
    "Connections of a pool: in use, and how many it may have.",
    ["store", "name", "state"],
)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer only so long.

    The server's own statement_timeout does not help when the server is stopped, swapped out or behind a dead network
    path: the kernel goes on acknowledging, and a client without a limit of its own waits for ever.
    """

    answer_within_s: float | None = STATEMENT_S + ANSWER_MARGIN_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: D102 - as inherited
        try:
            return super().wait(gen, interval, timeout=self.answer_within_s if timeout is None else timeout)
        except pg._WaitTimeout as error:  # noqa: SLF001 - raised by the public wait; a test fails when it is renamed
            self.pgconn.finish()
            raise NoAnswer("no answer in time") from error


def engine(
    url: str,
    *,
    name: str,
    pool: int = 16,
    pool_wait_s: float = 0.25,
    statement_s: float = STATEMENT_S,
    lock_s: float = LOCK_S,
    idle_in_transaction_s: float = IDLE_IN_TRANSACTION_S,
    tracer: trace.Tracer | None = None,
) -> sa.Engine:
    """The connections of one process to one database; none is opened before it is needed.

    `name` shows in the server's list of sessions. `pool` is the number of threads that work at once; 0 keeps no
    connection. Errors never show the values of a statement.
    """
    address = _address(url)
    settings = {
        "statement_timeout": int(statement_s * 1000),
        "lock_timeout": int(lock_s * 1000),
        "idle_in_transaction_session_timeout": int(idle_in_transaction_s * 1000),
        "synchronous_commit": "on",
        "TimeZone": "UTC",
    }
    answer_within_s = statement_s + ANSWER_MARGIN_S if statement_s else None
    options = " ".join(f"-c {key}={value}" for key, value in settings.items())
    sizes: dict[str, Any] = {"poolclass": NullPool}
    if pool:
        sizes = {"pool_size": pool, "max_overflow": 0, "pool_timeout": pool_wait_s, "pool_recycle": RECYCLE_S}
    made = sa.create_engine(
        address,
        hide_parameters=True,
        creator=_connector(address, name=name, options=options, answer_within_s=answer_within_s),
        **sizes,
    )
    event.listen(made, "checkout", _refuse_dead)
    if isinstance(made.pool, QueuePool):
        CONNECTIONS.labels("postgresql", name, "in_use").set_function(made.pool.checkedout)
        CONNECTIONS.labels("postgresql", name, "limit").set(pool)
    _time(made)
    _trace(made, tracer or tracing.tracer())
    return made


def require_durable(db: sa.Engine) -> None:
    """Refuse a server on which a confirmed commit can be lost with the power.

    Raises:  NotDurable: names the settings. StoreAway: the server cannot be asked.
    """
    names = ("fsync", "full_page_writes", "synchronous_commit")
    with translated(), db.connect() as connection:
        found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}
    bad = [f"{name}={value}" for name, value in found.items() if value == "off"]
    if bad:
        raise NotDurable("postgresql", settings=bad)


def _address(url: str) -> sa.URL:
    return sa.make_url(url).set(drivername="postgresql+psycopg")


def _connector(address: sa.URL, *, name: str, options: str, answer_within_s: float | None) -> Callable[[], Any]:
    conninfo = address.set(drivername="postgresql").render_as_string(hide_password=False)

    def connect() -> BoundedConnection:
        _look(address)
        connection = BoundedConnection.connect(
            conninfo,
            connect_timeout=2,
            application_name=f"infirmary-{name}",
            options=options,
            tcp_user_timeout=2000,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
        set_json_loads(orjson.loads, connection)
        connection.answer_within_s = answer_within_s
        return connection

    return connect


def _look(address: sa.URL) -> None:
    """Find within 250 ms whether anything listens at the address.

    connect_timeout has whole seconds, and both libpq and psycopg raise 1 to 2. So a plain socket asks first; the two
    seconds remain for a server that takes the connection and then says nothing.
    """
    host = address.host or address.query.get("host", "")
    if not isinstance(host, str) or not host or host.startswith("/") or "," in host:
        return  # a socket file, or several hosts of which libpq takes the first that answers
    try:
        socket.create_connection((host, address.port or 5432), timeout=CONNECT_S).close()
    except OSError as error:
        raise psycopg.OperationalError("nothing listens there") from error


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Throw a pooled connection away whose server has gone, without asking the server anything.

    An idle connection has nothing to read; if there is something, it is the end of the connection or the server's last
    words. This look at the socket costs microseconds, where pool_pre_ping costs a round trip.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        raise sa.exc.InvalidatePoolError("the server closed this connection")


def _time(db: sa.Engine) -> None:
    """Measure every statement, by its verb; one that failed too."""

    def before(_c: Any, _cursor: Any, _statement: str, _params: Any, context: Any, _many: bool) -> None:  # noqa: FBT001
        context.infirmary_began = time.perf_counter()

    def after(_c: Any, _cursor: Any, statement: str, _params: Any, context: Any, _many: bool) -> None:  # noqa: FBT001
        _observe(statement, context)

    def failed(failure: Any) -> None:
        if failure.statement is not None:
            _observe(failure.statement, failure.execution_context)

    event.listen(db, "before_cursor_execute", before)
    event.listen(db, "after_cursor_execute", after)
    event.listen(db, "handle_error", failed)


def _observe(statement: str, context: Any) -> None:
    began = getattr(context, "infirmary_began", None)
    if began is not None:
        verb = statement.split(None, 1)[0].upper() if statement.strip() else ""
        known = verb if verb in _VERBS else "OTHER"
        metrics.STORE_SECONDS.labels("postgresql", known).observe(time.perf_counter() - began)


def _trace(db: sa.Engine, tracer: trace.Tracer) -> None:
    """One span for each statement, under a span that is being recorded; nothing at all otherwise."""

    def before(_c: Any, _cursor: Any, statement: str, _params: Any, context: Any, _many: bool) -> None:  # noqa: FBT001
        if trace.get_current_span().is_recording():
            words = statement.split(None, 1)
            verb = words[0].upper() if words else "SQL"
            # Core renders every value as a parameter, so the text holds none.
            attributes = {"db.system.name": "postgresql", "db.operation.name": verb, "db.query.text": statement[:1000]}
            context.infirmary_span = tracer.start_span(
                f"{verb} {db.url.database}", kind=SpanKind.CLIENT, attributes=attributes
            )

    def after(_c: Any, _cursor: Any, _statement: str, _params: Any, context: Any, _many: bool) -> None:  # noqa: FBT001
        span = getattr(context, "infirmary_span", None)
        if span is not None:
            span.end()

    def failed(failure: Any) -> None:
        span = getattr(failure.execution_context, "infirmary_span", None)
        if span is not None:
            state = getattr(failure.original_exception, "sqlstate", None)
            span.set_attribute("error.type", state or type(failure.original_exception).__name__)
            span.set_status(StatusCode.ERROR)
            span.end()

    event.listen(db, "before_cursor_execute", before)
    event.listen(db, "after_cursor_execute", after)
    event.listen(db, "handle_error", failed)

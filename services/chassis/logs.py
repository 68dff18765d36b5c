"""JSON log lines on standard output: a short event name, ids that are nobody's, and never a value of a record.

Texts of exceptions and of libraries' log calls can hold what was sent or stored. So an exception is written as its type
and where it was raised, without its text, and a library's line as its template, without its arguments.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import orjson
import structlog
from opentelemetry import trace

_QUIET = ("connexion", "httpx", "urllib3", "uvicorn.access", "werkzeug", "pymongo", "alembic", "opentelemetry")
_FRAMES = 12


def set_up(service: str, *, level: str = "info") -> None:
    """Make structlog and the standard library write JSON lines for one service."""
    number = logging.getLevelName(level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _named(service),
            _traced,
            _without_texts,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number if isinstance(number, int) else logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(_StandardOutput()),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Templates()]
    root.setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def logger() -> Any:
    """The logger of the process: `logger().info("patients.registered", count=1)`."""
    return structlog.get_logger()


@contextmanager
def bound(**ids: str) -> Iterator[None]:
    """Every line inside carries these ids. What structlog has for it looks through all that a request carries."""
    tokens = structlog.contextvars.bind_contextvars(**ids)
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**tokens)


def where(error: BaseException) -> list[str]:
    """The last frames of an exception as `file:line function`; no text and no variable of it."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in frames]


def _named(service: str) -> Any:
    def add(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["service"] = service
        return line

    return add


def _traced(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"], line["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return line


def _without_texts(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["exception"], line["where"] = f"{type(error).__module__}.{type(error).__qualname__}", where(error)
        cause = error.__cause__ or error.__context__
        if cause is not None:
            line["cause"] = f"{type(cause).__module__}.{type(cause).__qualname__}"
    return line


def _dumps(line: Mapping[str, Any], **_: Any) -> bytes:
    return orjson.dumps(line, default=str)


class _StandardOutput:
    """Standard output as it is at the moment of each line."""

    def write(self, line: bytes) -> int:
        return sys.stdout.buffer.write(line)

    def flush(self) -> None:
        sys.stdout.buffer.flush()


class _Templates(logging.Handler):
    """Libraries' lines: the template of the message without its arguments, cut to a length."""

    def emit(self, record: logging.LogRecord) -> None:
        error: tuple[type[BaseException], BaseException, TracebackType | None] | Any = record.exc_info
        structlog.get_logger().log(
            record.levelno, "library.logged", logger=record.name, template=str(record.msg)[:120], exc_info=error or None
        )

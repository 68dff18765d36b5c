"""Log lines: JSON with ids of the request, and no text of an exception or of a library's arguments."""

from __future__ import annotations

import logging

import orjson
import pytest

from services.chassis import logs


def lines(written: bytes) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in written.splitlines()]


def test_a_line_has_time_level_service_and_the_bound_ids(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs.set_up("things")
    with logs.bound(request_id="r-1"):
        logs.logger().info("things.made", count=2)
    logs.logger().debug("things.hidden")
    [line] = lines(capfdbinary.readouterr().out)
    assert line["event"] == "things.made"
    assert (line["service"], line["level"], line["request_id"], line["count"]) == ("things", "info", "r-1", 2)
    assert str(line["time"]).endswith("Z")


def test_an_exception_is_its_type_and_place_without_its_text(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs.set_up("things")
    try:
        try:
            int("Canary")
        except ValueError as error:
            raise RuntimeError("Canary Smith") from error
    except RuntimeError as error:
        logs.logger().error("things.failed", exc_info=error)
    written = capfdbinary.readouterr().out
    [line] = lines(written)
    assert (line["exception"], line["cause"]) == ("builtins.RuntimeError", "builtins.ValueError")
    assert "test_logs.py" in str(line["where"])
    assert b"Canary" not in written


def test_a_library_is_heard_by_its_template_only(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs.set_up("things")
    logging.getLogger("somebody").warning("could not read %s", "Canary")
    logging.getLogger("connexion.validators").error("Canary is not valid")
    written = capfdbinary.readouterr().out
    [line] = lines(written)
    assert (line["logger"], line["template"]) == ("somebody", "could not read %s")
    assert b"Canary" not in written

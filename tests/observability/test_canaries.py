"""Nothing of a person is told: sixty words go through every flow, and are looked for wherever anything ends."""

from __future__ import annotations

import json

import pytest

from tests.observability.canaries import fly
from tests.observability.conftest import Watched
from tests.observability.scraping import Prometheus
from tests.system.house import new_key
from tests.system.sinks import told
from tests.waiting import wait_for


@pytest.mark.target("C-16")
def test_sixty_canaries_are_found_in_no_sink(watched: Watched):
    """Logs of all processes, spans, metrics with exemplars, series, streams, dead letters, keys, outboxes, errors."""
    birds = fly(watched.load)
    assert len(set(birds.words.values())) >= 60
    last = watched.load.desk.send("GET", "/api/v1/facilities", headers={"x-request-id": new_key()}).request_id
    log = watched.house.home / "logs" / "gateway.log"
    wait_for(lambda: last in log.read_text(encoding="utf-8"), what="the last line of the gateway")
    sinks = dict(told(watched.house, watched.spans))
    sinks["errors"] = "\n".join(each.said for each in birds.replies)
    sinks["headers of errors"] = "\n".join(str(each.headers) for each in birds.replies)
    own = Prometheus(f"http://127.0.0.1:{watched.house.port('prometheus')}")
    for name, prometheus in (("series", watched.prometheus), ("series of the house", own)):
        sinks[name] = json.dumps(prometheus.ask("series", **{"match[]": '{__name__=~".+"}'}))
    kinds = {place.split()[0] for place in sinks}
    assert kinds == {"log", "bus", "outboxes", "span", "metrics", "errors", "headers", "series"}
    folded = {place: text.casefold() for place, text in sinks.items()}
    hits = [
        (place, name) for name, bird in birds.words.items() for place, text in folded.items() if bird.casefold() in text
    ]
    assert hits == []
    assert [path.name for path in watched.house.home.rglob("core*") if path.is_file()] == []

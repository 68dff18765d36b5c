"""What tests of the channels need."""

from __future__ import annotations

import pytest

from standalone.servers import ports
from tests.inbox import Inbox


@pytest.fixture(scope="module")
def running_inbox(tmp_path_factory):
    """An inbox for all tests of a module."""
    running = Inbox(tmp_path_factory.mktemp("inbox"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def inbox(running_inbox):
    """The same, empty and without faults."""
    running_inbox.ask("DELETE", "/api/messages")
    running_inbox.faults()
    return running_inbox


@pytest.fixture
def unused_port():
    """A port at which nobody listens."""
    return ports.free()

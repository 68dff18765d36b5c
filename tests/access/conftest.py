"""Every service as its real application, as the contract tests have them."""

from __future__ import annotations

from tests.contract.conftest import houses, links, mailbox, own_redis, performed, told

__all__ = ["houses", "links", "mailbox", "own_redis", "performed", "told"]

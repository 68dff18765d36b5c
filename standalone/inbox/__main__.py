"""`python -m standalone.inbox FOLDER PORT SMTP_PORT`: run the inbox until SIGTERM.

Who may send text messages stands in files: `--sms-token`, `--sms-account` and `--sms-secret` name them.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from aiosmtpd.controller import Controller

from standalone.inbox import web
from standalone.inbox.faults import Faults
from standalone.inbox.mail import MailSink
from standalone.inbox.push import PushService
from standalone.inbox.store import Store
from standalone.inbox.text_messages import Credentials, TextMessages
from standalone.servers.ports import HOST


def main(arguments: Sequence[str]) -> int:
    """Run until SIGTERM."""
    given = _parser().parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    store, faults = Store(given.folder / "messages.sqlite"), Faults()
    credentials = Credentials(
        token=_secret(given.sms_token), account=_secret(given.sms_account), secret=_secret(given.sms_secret)
    )
    push = PushService(store, origin=f"http://{HOST}:{given.port}")
    page = web.server(given.port, web.Parts(store, faults, TextMessages(store, credentials), push))
    mail = Controller(
        MailSink(store, faults),
        hostname=HOST,
        port=given.smtp_port,
        data_size_limit=web.MOST_BYTES,
        enable_SMTPUTF8=True,
        ident="inbox",
    )
    mail.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=page.serve_forever, name="page", daemon=True).start()
    stop.wait()
    mail.stop()
    page.shutdown()
    store.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m standalone.inbox")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("smtp_port", type=int)
    for name in ("token", "account", "secret"):
        parser.add_argument(f"--sms-{name}", type=Path)
    return parser


def _secret(file: Path | None) -> str:
    return "" if file is None else file.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Mails with links, by SMTP: what they hold is for their reader alone, so no other service sends them."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from services.chassis import logs
from services.chassis.config import SettingsError
from services.identity.app.vault import Vault
from services.identity.model.resets import LIFE, Reset
from services.kernel.errors import Unavailable

WITHIN_S: Final = 5.0
_TEXT: Final = """\
Somebody asked for a new password for your account at {house}.

If it was you, choose one here within {minutes} minutes:

{link}

If it was not you, do nothing: your password stays as it is.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The mail server, who writes, and where links lead."""

    host: str
    port: int
    is_tls: bool
    user: str
    password: str
    sender: str
    public_url: str


class Mailer:
    """Sends one mail at a time. A mail may come twice when its server broke off; its Message-ID is the same then."""

    def __init__(self, post: Post, *, vault: Vault) -> None:
        self._post, self._vault = post, vault

    def seal(self, token: str, *, digest: bytes) -> bytes:
        """The token, unreadable in the store."""
        return self._vault.seal(token.encode(), of=f"reset {digest.hex()}")

    def send(self, reset: Reset, *, to: str) -> None:
        """Send the link.

        Raises:  Unavailable: the mail server does not take it; try again.
        """
        token = self._vault.open(reset.sealed or b"", of=f"reset {reset.digest.hex()}").decode()
        try:
            with self._connected() as server:
                server.send_message(self._mail(token, reset, to))
        except (smtplib.SMTPException, OSError) as error:
            logs.logger().warning("mail.not_sent", reason=type(error).__name__)
            raise Unavailable("mail") from None

    def _connected(self) -> smtplib.SMTP:
        post = self._post
        if post.is_tls:
            secure = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(post.host, post.port, timeout=WITHIN_S, context=secure)
        else:
            server = smtplib.SMTP(post.host, post.port, timeout=WITHIN_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
        if post.user:
            server.login(post.user, post.password)
        return server

    def _mail(self, token: str, reset: Reset, to: str) -> EmailMessage:
        post = self._post
        link = f"{post.public_url.rstrip('/')}/password-reset#token={token}"  # a fragment goes to no server and no log
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = post.sender, to, "Your new password"
        mail["Message-ID"] = f"<{reset.digest.hex()[:32]}@{post.sender.partition('@')[2] or 'infirmary'}>"
        minutes = int(LIFE.total_seconds() // 60)
        mail.set_content(_TEXT.format(house=post.public_url, minutes=minutes, link=link))
        return mail


def post(*, smtp_url: str, sender: str | None, public_url: str | None) -> Post:
    """The mail server from its settings.

    Raises:  SettingsError: one is missing or wrong; the address is never part of the message.
    """
    missing = [name for name, value in {"MAIL_FROM": sender, "PUBLIC_URL": public_url}.items() if not value]
    if missing:
        raise SettingsError("; ".join(f"{name} is missing (SMTP_URL is set)" for name in missing))
    parts = urlsplit(smtp_url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingsError("SMTP_URL is not valid (smtp://host:port or smtps://user:password@host)")
    is_tls = parts.scheme == "smtps"
    return Post(
        host=parts.hostname,
        port=parts.port or (465 if is_tls else 25),
        is_tls=is_tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=sender or "",
        public_url=public_url or "",
    )

"""The ways out of the house: e-mail, text messages and push messages, each built when its settings name it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr

from services.chassis.config import SettingsError
from services.chassis.service import now
from services.notifications.model.channels import Channel, Refused
from services.notifications.repository.channels.email import EmailChannel, Relay
from services.notifications.repository.channels.mail import mailbox
from services.notifications.repository.channels.push import PushChannel, PushHosts
from services.notifications.repository.channels.settings import ChannelSettings
from services.notifications.repository.channels.sms import TWILIO_URL, JsonGateway, Provider, SmsChannel, Twilio
from services.notifications.repository.channels.webpush import BadKey, Signer

__all__ = ["ChannelSettings", "EmailChannel", "PushChannel", "PushHosts", "SmsChannel", "channels"]


def channels(settings: ChannelSettings, *, clock: Callable[[], datetime] = now) -> list[Channel]:
    """The channels that the settings name; no connection is opened yet.

    Raises:  SettingsError: a channel is named and lacks something, or something of it is wrong.
    """
    found: list[Channel] = []
    if settings.smtp_host:
        found.append(_email(settings, clock=clock))
    if settings.sms_provider is not None:
        found.append(SmsChannel(_provider(settings)))
    if settings.vapid_private_key is not None:
        found.append(_push(settings, clock=clock))
    return found


def _email(settings: ChannelSettings, *, clock: Callable[[], datetime]) -> EmailChannel:
    _want(settings, "smtp_from", *(["smtp_password"] if settings.smtp_user else []))
    password = _shown(settings.smtp_password)
    if settings.smtp_user and settings.smtp_tls == "none":
        raise SettingsError("SMTP_TLS is none, and a password is never sent in the clear")
    if not (settings.smtp_user.isascii() and password.isascii()):
        raise SettingsError("SMTP_USER and SMTP_PASSWORD are not valid (letters outside ASCII)")
    try:
        is_plain = not mailbox(settings.smtp_from).needs_utf8
    except Refused:
        is_plain = False
    if not is_plain:
        raise SettingsError("SMTP_FROM is not valid (no e-mail address)")
    relay = Relay(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=password,
        ca_file=settings.smtp_ca_file,
    )
    try:
        return EmailChannel(relay, sender=settings.smtp_from, clock=clock)
    except OSError:
        raise SettingsError("SMTP_CA_FILE is in a file that cannot be read, or holds no certificate") from None


def _provider(settings: ChannelSettings) -> Provider:
    if settings.sms_provider == "twilio":
        _want(settings, "sms_account", "sms_secret", "sms_from")
        return Twilio(
            account=settings.sms_account,
            secret=_shown(settings.sms_secret),
            sender=settings.sms_from,
            url=_address(settings) if settings.sms_url else TWILIO_URL,
        )
    _want(settings, "sms_url", "sms_token")
    return JsonGateway(_address(settings), token=_shown(settings.sms_token), sender=settings.sms_from)


def _push(settings: ChannelSettings, *, clock: Callable[[], datetime]) -> PushChannel:
    _want(settings, "vapid_subject", "push_hosts")
    if not settings.vapid_subject.startswith(("mailto:", "https://")):
        raise SettingsError("VAPID_SUBJECT is not valid (wanted: mailto:… or https://…)")
    try:
        signer = Signer(_shown(settings.vapid_private_key), subject=settings.vapid_subject, clock=clock)
    except BadKey:
        raise SettingsError("VAPID_PRIVATE_KEY is not valid (wanted: 32 bytes in base64url)") from None
    try:
        hosts = PushHosts(settings.push_hosts)
    except ValueError:
        raise SettingsError("PUSH_HOSTS is not valid (wanted: full names, *. and one, or origins)") from None
    return PushChannel(signer, hosts=hosts)


def _address(settings: ChannelSettings) -> str:
    if not settings.sms_url.startswith(("http://", "https://")):
        raise SettingsError("SMS_URL is not valid (wanted: http://… or https://…)")
    return settings.sms_url


def _want(settings: ChannelSettings, *names: str) -> None:
    missing = sorted(name.upper() for name in names if not getattr(settings, name))
    if missing:
        raise SettingsError("; ".join(f"{name} is missing" for name in missing))


def _shown(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()

"""What the channels need to know; a service takes these settings up by inheriting them."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from services.chassis.config import ServiceSettings
from services.notifications.repository.channels.email import Tls
from services.notifications.repository.channels.sms import ProviderName

# The push services of Chrome and what is made from it, Firefox, Edge, and Safari.
PUSH_HOSTS = "fcm.googleapis.com, *.push.services.mozilla.com, *.notify.windows.com, *.push.apple.com"


class ChannelSettings(ServiceSettings):
    """How messages leave the house. Where the first name of a group is not given, there is no such channel.

    smtp_…: the relay for e-mail. sms_…: the provider of text messages. vapid_…: the key for push messages, and where
    its operators reach us. push_hosts: the push services that may be spoken to.
    """

    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: Tls = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_from: str = ""
    smtp_ca_file: Path | None = None
    sms_provider: ProviderName | None = None
    sms_url: str = ""
    sms_token: SecretStr | None = None
    sms_account: str = ""
    sms_secret: SecretStr | None = None
    sms_from: str = ""
    vapid_private_key: SecretStr | None = None
    vapid_subject: str = ""
    push_hosts: str = PUSH_HOSTS

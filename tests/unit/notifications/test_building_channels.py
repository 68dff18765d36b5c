"""Which channels there are is said by the settings; what is missing is told at the start, by its name."""

from __future__ import annotations

import pytest

from services.chassis import config
from services.notifications.repository.channels import ChannelSettings, channels

EVERY = {"BUS_URL": "redis://x", "IDENTITY_URL": "http://x", "SERVICE_SECRET": "s"}
MAIL = {"SMTP_HOST": "mail.example", "SMTP_FROM": "house@clinic.example"}
GATEWAY = {"SMS_PROVIDER": "gateway", "SMS_URL": "https://sms.example/messages", "SMS_TOKEN": "t"}
TWILIO = {"SMS_PROVIDER": "twilio", "SMS_ACCOUNT": "AC1", "SMS_SECRET": "s", "SMS_FROM": "+12025550199"}
PUSH = {
    "VAPID_PRIVATE_KEY": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "VAPID_SUBJECT": "mailto:ops@clinic.example",
}


def built(*given, **more):
    environ = {**EVERY, **more}
    for each in given:
        environ.update(each)
    return channels(config.load(ChannelSettings, environ))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([], []),
        ([MAIL], ["email"]),
        ([GATEWAY], ["sms"]),
        ([TWILIO], ["sms"]),
        ([PUSH], ["push"]),
        ([MAIL, TWILIO, PUSH], ["email", "sms", "push"]),
    ],
)
def test_there_are_the_channels_that_the_settings_name(given, names):
    found = built(*given)
    assert [each.name for each in found] == names
    for each in found:
        each.close()


def test_a_channel_that_was_never_used_has_nothing_to_close():
    for each in built(MAIL, GATEWAY, PUSH):
        each.close()
        each.close()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SMTP_HOST": "mail.example"}, "SMTP_FROM is missing"),
        ({**MAIL, "SMTP_FROM": "nobody"}, "SMTP_FROM is not valid"),
        ({**MAIL, "SMTP_FROM": "zoë@clinic.example"}, "SMTP_FROM is not valid"),
        ({**MAIL, "SMTP_USER": "u"}, "SMTP_PASSWORD is missing"),
        ({**MAIL, "SMTP_USER": "u", "SMTP_PASSWORD": "s3cret", "SMTP_TLS": "none"}, "in the clear"),
        ({**MAIL, "SMTP_USER": "u", "SMTP_PASSWORD": "süß-s3cret"}, "SMTP_USER and SMTP_PASSWORD"),
        ({**MAIL, "SMTP_CA_FILE": "/nowhere/ca.pem"}, "SMTP_CA_FILE"),
        ({"SMS_PROVIDER": "gateway"}, "SMS_TOKEN is missing; SMS_URL is missing"),
        ({**GATEWAY, "SMS_URL": "sms.example"}, "SMS_URL is no address"),
        ({"SMS_PROVIDER": "twilio"}, "SMS_ACCOUNT is missing; SMS_FROM is missing; SMS_SECRET is missing"),
        ({**PUSH, "VAPID_SUBJECT": ""}, "VAPID_SUBJECT is missing"),
        ({**PUSH, "VAPID_SUBJECT": "ops"}, "VAPID_SUBJECT is not valid"),
        ({**PUSH, "VAPID_PRIVATE_KEY": "s3cret"}, "VAPID_PRIVATE_KEY is not valid"),
        ({**PUSH, "PUSH_HOSTS": "*"}, "PUSH_HOSTS is not valid"),
        ({"SMS_PROVIDER": "pigeons"}, "SMS_PROVIDER is not valid"),
        ({**MAIL, "SMTP_TLS": "maybe"}, "SMTP_TLS is not valid"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_never_shown(given, named):
    with pytest.raises(config.SettingsError, match=named) as told:
        built(given)
    assert "s3cret" not in str(told.value)

"""Settings are read from texts, and refused where they cannot be run."""

from __future__ import annotations

import pytest

from gateway.settings import Settings, SettingsError, checked, read


def test_what_is_not_named_keeps_its_default():
    assert read([]) == Settings()


def test_values_get_the_kind_of_their_setting():
    chosen = read(["port=9000", "route_timeout_s=2.5", "trusts_traces=true", "otlp_endpoint=http://c:4318", "host=::"])
    assert (chosen.port, chosen.route_timeout_s, chosen.trusts_traces) == (9000, 2.5, True)
    assert (chosen.otlp_endpoint, chosen.host) == ("http://c:4318", "::")


def test_an_empty_value_switches_an_optional_setting_off():
    assert read(["otlp_endpoint="]).otlp_endpoint is None


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        (["prot=1"], "prot"),
        (["port=many"], "port"),
        (["port="], "port"),
        (["user_burst=0"], "user_burst"),
        (["user_per_s=-1"], "user_per_s"),
        (["trusts_traces=yes"], "trusts_traces"),
        (["tls_key=/k"], "tls_key"),
        (["trusted_hops=-1"], "trusted_hops"),
        (["ejection_percent=101"], "percentage"),
    ],
)
def test_a_setting_that_cannot_be_run_is_named(pairs, named):
    with pytest.raises(SettingsError, match=named):
        read(pairs)


def test_the_text_of_an_error_does_not_repeat_the_value():
    with pytest.raises(SettingsError) as caught:
        read(["port=s3cret"])
    assert "s3cret" not in str(caught.value)


def test_the_defaults_can_be_run():
    assert checked(Settings()) == Settings()

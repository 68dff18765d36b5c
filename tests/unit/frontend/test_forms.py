from __future__ import annotations

from frontend.api import Refused
from frontend.forms import said
from frontend.words import Words


def test_a_limit_is_called_by_its_name() -> None:
    words = Words("en")

    assert "on this day" in said(Refused(409, "limit_reached", facts={"limit": "patient_day"}), words)
    assert "call us" in said(Refused(409, "limit_reached", facts={"limit": "open_by_self_service"}), words)
    assert said(Refused(409, "limit_reached"), words)

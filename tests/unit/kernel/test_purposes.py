"""What a record is opened for: the usual purpose, unless it is one's own or that of somebody one acts for."""

from __future__ import annotations

import pytest

from services.kernel.access import NOBODY, Actor, Scope
from services.kernel.purposes import CODES, Purpose, purpose_of

ADA = Actor(subject="ada", scope=Scope(own="r-1", linked=frozenset({"r-2"})))


@pytest.mark.parametrize(
    ("actor", "about", "purpose"),
    [
        (ADA, "r-1", Purpose.OWN_REQUEST),
        (ADA, "r-2", Purpose.FAMILY_REQUEST),
        (ADA, "r-3", Purpose.TREATMENT),
        (ADA, None, Purpose.TREATMENT),
        (NOBODY, None, Purpose.TREATMENT),
        (NOBODY, "r-1", Purpose.TREATMENT),
    ],
)
def test_a_record_is_opened_for_the_usual_purpose_unless_ones_link_leads_to_it(
    actor: Actor, about: str | None, purpose: Purpose
) -> None:
    assert purpose_of(actor, about=about, usual=Purpose.TREATMENT) is purpose


def test_every_purpose_has_a_code_of_its_own() -> None:
    assert CODES.keys() == set(Purpose)
    assert len(set(CODES.values())) == len(Purpose)

"""Which addresses are of this house."""

from __future__ import annotations

import pytest

from frontend.shield import is_ours


@pytest.mark.parametrize("back", ["/", "/mine", "/patients?x=//evil.example"])
def test_a_path_of_the_house_is_gone_back_to(back: str) -> None:
    assert is_ours(back)


@pytest.mark.parametrize(
    "back", ["", "mine", "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:x"]
)
def test_nothing_else_is(back: str) -> None:
    assert not is_ours(back)

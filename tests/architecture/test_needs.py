"""A program that is missing is never passed over in silence."""

from __future__ import annotations

import pytest

from tests import needs


def test_under_ci_a_missing_program_fails_the_test():
    with pytest.raises(pytest.fail.Exception, match="needs chromium"):
        needs.find("chromium", environ={"CI": "true", "PATH": ""})


@pytest.mark.parametrize("name", needs.NOT_HAD_EVERYWHERE)
def test_what_ci_may_lack_has_a_reason_and_is_skipped_by_name(name):
    with pytest.raises(pytest.skip.Exception, match=f"needs {name}"):
        needs.find(name, environ={"CI": "true", "PATH": ""})
    assert needs.NOT_HAD_EVERYWHERE[name]


def test_elsewhere_the_test_is_skipped_by_name():
    with pytest.raises(pytest.skip.Exception, match="needs chromium"):
        needs.find("chromium", environ={"PATH": ""})


def test_a_program_on_the_path_is_found(tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    assert needs.find("chromium", environ={"CI": "true", "PATH": str(tmp_path)}) == str(program)


def test_the_environment_may_name_another_program(tmp_path):
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    assert needs.find("chromium", environ={"INFIRMARY_CHROMIUM": str(program), "PATH": ""}) == str(program)

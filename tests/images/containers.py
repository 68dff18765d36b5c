"""Images and containers by buildah and podman, on a machine that may reach no registry and may not raise limits."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
# Containers on a machine without CAP_SYS_RESOURCE may not raise their limits, and are run by runc.
_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
_CERTIFICATES = Path("/etc/ssl/certs")


def base() -> str:
    """The base image that the Dockerfile names, or the one that the environment does."""
    (name,) = re.findall(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    return os.environ.get("INFIRMARY_BASE_IMAGE") or name


class Machine:
    """Builds and runs with the programs of this machine."""

    def __init__(self, buildah: str, podman: str) -> None:
        self._buildah, self._podman = buildah, podman

    def has(self, image: str) -> bool:
        """Whether an image is here already."""
        said = self._run([self._buildah, "images", "--quiet", image], timeout_s=60, check=False)
        return said.returncode == 0 and bool(said.stdout.strip())

    def pull(self, image: str) -> bool:
        """Whether a registry gave it."""
        return self._run([self._podman, "pull", "--quiet", image], timeout_s=120, check=False).returncode == 0

    def build(self, service: str) -> str:
        """The image of a service, as the Dockerfile makes it."""
        name = f"localhost/infirmary/{service}:test"
        command = [self._buildah, "--isolation", "chroot", "bud", "--layers", "--build-arg", f"SERVICE={service}"]
        command += ["--build-arg", f"BASE={base()}", "--build-arg", "VERSION=7.7.7", "--tag", name]
        if _CERTIFICATES.exists():  # whom this machine trusts: a package index may be behind a proxy
            command += ["--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"]
        self._run([*command, str(ROOT)], timeout_s=900)
        return name

    def size_mib(self, image: str) -> float:
        """How large it is with its base."""
        return float(self.about(image)["Size"]) / 2**20

    def about(self, image: str) -> dict:
        """What podman knows of an image."""
        (found,) = json.loads(self._run([self._podman, "image", "inspect", image], timeout_s=60).stdout)
        return dict(found)

    def command(self, image: str, *words: str, name: str = "", entrypoint: str = "", **environ: str) -> list[str]:
        """The command line that runs a container as the chart does: no rights, nothing to write to but /tmp."""
        found = [self._podman, "--runtime", "runc", "run", "--rm", "--network", "host", *_LIMITS]
        found += ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:size=32m", "--cap-drop", "all"]
        found += ["--security-opt", "no-new-privileges"]
        found += ["--name", name] if name else []
        found += ["--entrypoint", entrypoint] if entrypoint else []
        return [*found, *(word for pair in environ.items() for word in ("--env", "=".join(pair))), image, *words]

    def run(self, image: str, *words: str, entrypoint: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """A container that ends by itself."""
        return self._run(self.command(image, *words, entrypoint=entrypoint, **environ), timeout_s=120, check=False)

    @contextmanager
    def running(self, image: str, *words: str, log: Path, environ: Mapping[str, str]) -> Iterator[Container]:
        """A container that goes on; it is gone at the end."""
        name = f"infirmary-test-{uuid4().hex[:12]}"
        with log.open("wb") as out:
            process = subprocess.Popen(self.command(image, *words, name=name, **environ), stdout=out, stderr=out)
            try:
                yield Container(self._podman, name, process)
            finally:
                self._run([self._podman, "rm", "--force", "--time", "0", name], timeout_s=60, check=False)
                process.wait(30)

    def _run(self, command: Sequence[str], *, timeout_s: float, check: bool = True) -> subprocess.CompletedProcess[str]:
        said = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        assert not check or said.returncode == 0, f"{' '.join(command[:3])}: {said.stderr[-2000:]}"
        return said


class Container:
    """A container that runs."""

    def __init__(self, podman: str, name: str, process: subprocess.Popen[bytes]) -> None:
        self._podman, self.name, self._process = podman, name, process

    def answers(self, url: str, *, within_s: float = 60.0) -> None:
        """Wait until an address answers 200."""
        wait_for(lambda: status(url) == 200, within_s=within_s, what=f"{self.name} answers at {url}")

    def stop(self, *, within_s: float = 30.0) -> int:
        """Send SIGTERM, as Kubernetes does; the exit code."""
        subprocess.run(
            [self._podman, "kill", "--signal", "TERM", self.name], check=True, capture_output=True, timeout=60
        )
        return self._process.wait(within_s)

    def ends(self, *, within_s: float = 60.0) -> int:
        """Wait until it ends by itself; the exit code."""
        return self._process.wait(within_s)

    def inside(self, *words: str) -> str:
        """What a program inside of it says."""
        command = [self._podman, "--runtime", "runc", "exec", self.name, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def status(url: str) -> int:
    """The status of an answer; 0 when there is none."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return 0

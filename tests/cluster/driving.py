"""`make cluster-test`: the chart on a real cluster, whichever the current context of kubectl names.

Installs the profile `demo` into a namespace of its own, waits, runs `helm test`, rolls every Deployment under load and
counts failed requests, uninstalls, and removes the namespace. Wants kubectl on PATH and images that the cluster can
pull or has:

    make cluster-test IMAGES=registry.example/infirmary TAG=1.2.3
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import helm_python

from standalone.servers.ports import free
from tests.cluster.rendering import CHART, merged, values_of

READY_S = 600
RELEASE = "house"
ROLLED_S = 300


class Failed(Exception):
    """The cluster did not do what it must; the text says what."""


def main() -> int:
    """Drive the cluster; 0 when all was right, 1 when not, 2 when there is none."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        sys.stderr.write("cluster-test wants kubectl on PATH, with a context for the cluster\n")
        return 2
    context = subprocess.run([kubectl, "config", "current-context"], capture_output=True, text=True, check=False)
    if context.returncode != 0:
        sys.stderr.write("cluster-test wants a current context: kubectl config use-context NAME\n")
        return 2
    drive = Drive(kubectl, f"infirmary-test-{uuid4().hex[:6]}")
    print(f"cluster: {context.stdout.strip()}, namespace {drive.namespace}", flush=True)
    try:
        drive.all()
    except Failed as error:
        print(f"failed: {error}")
        return 1
    finally:
        drive.clean()
    return 0


class Drive:
    """One namespace of one cluster."""

    def __init__(self, kubectl: str, namespace: str) -> None:
        self._kubectl, self.namespace = kubectl, namespace
        self._config = helm_python.Config(namespace=namespace)

    def all(self) -> None:
        """Every step; each says its time."""
        for title, step in (
            ("installed and ready", self.install),
            ("helm test", self.journey),
            ("every Deployment rolled under load, no request failed", self.roll),
        ):
            began = time.monotonic()
            step()
            print(f"{title}: {time.monotonic() - began:.0f} s", flush=True)

    def install(self) -> None:
        """The demo, ready within ten minutes, in a namespace that enforces the restricted standard."""
        self.kubectl("create", "namespace", self.namespace)
        self.kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")
        named = {"repository": os.environ.get("IMAGES"), "tag": os.environ.get("TAG")}
        image = {name: value for name, value in named.items() if value}
        values = merged(values_of("demo"), {"image": image})
        self._config.install(CHART, RELEASE, values, namespace=self.namespace)
        self.kubectl("wait", "--for=condition=complete", "job", "--all", f"--timeout={READY_S}s")
        self.kubectl("wait", "--for=condition=available", "deployment", "--all", f"--timeout={READY_S}s")

    def journey(self) -> None:
        """Book and cancel at the gateway, as `helm test` does it."""
        try:
            self._config.test(RELEASE, timeout=180)
        except helm_python.HelmError as error:
            raise Failed(f"helm test: {error}") from error

    def roll(self) -> None:
        """Each Deployment anew, one after the other, while the gateway is asked all the time."""
        names = self.kubectl("get", "deployment", "--output", "name").split()
        with self.forwarded() as url, load(url) as counts:
            for name in names:
                if name.endswith("-gateway"):
                    continue  # the forwarding ends with its pod; that of the gateway is seen from inside only
                self.kubectl("rollout", "restart", name)
                self.kubectl("rollout", "status", name, f"--timeout={ROLLED_S}s")
        print(f"  {counts['asked']} requests, {counts['failed']} failed")
        if counts["failed"] or not counts["asked"]:
            raise Failed(f"{counts['failed']} of {counts['asked']} requests failed while Deployments were rolled")

    @contextmanager
    def forwarded(self) -> Iterator[str]:
        """The address of the gateway on this machine."""
        port = free()
        command = [self._kubectl, "--namespace", self.namespace, "port-forward"]
        command += [f"service/{RELEASE}-infirmary-gateway", f"{port}:80"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(3)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)

    def clean(self) -> None:
        """Nothing stays: the release, what it kept, and the namespace."""
        try:
            self._config.uninstall(RELEASE, ignore_not_found=True)
        except helm_python.HelmError as error:
            print(f"  uninstall: {type(error).__name__}")
        self._run(
            [self._kubectl, "delete", "namespace", self.namespace, "--ignore-not-found"], timeout_s=600, check=False
        )

    def kubectl(self, *words: str) -> str:
        """What kubectl says in this namespace.

        Raises:  Failed.
        """
        return self._run([self._kubectl, "--namespace", self.namespace, *words], timeout_s=READY_S + 60)

    def _run(self, command: list[str], *, timeout_s: float, check: bool = True) -> str:
        said = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        if check and said.returncode != 0:
            raise Failed(f"{' '.join(command[:6])}: {said.stderr.strip()[-500:]}")
        return said.stdout


@contextmanager
def load(url: str) -> Iterator[dict[str, int]]:
    """Ask a service behind the gateway ten times a second; anything but an answer of ours counts as failed."""
    counts, stop = {"asked": 0, "failed": 0}, threading.Event()

    def ask() -> None:
        while not stop.wait(0.1):
            counts["asked"] += 1
            try:
                urllib.request.urlopen(f"{url}/api/v1/.well-known/jwks.json", timeout=10).close()
            except (urllib.error.URLError, OSError):
                counts["failed"] += 1

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join(15)


if __name__ == "__main__":
    sys.exit(main())

"""`make cluster-test`: the chart on a real cluster, whichever the current context of kubectl names.

Installs the profile `demo` into a namespace of its own, waits, runs `helm test`, rolls every Deployment, the gateway
too, while a pod asks every service through it, counts failed requests, uninstalls, and removes the namespace. Wants
kubectl on PATH and images that the cluster can pull or has:

    make cluster-test IMAGES=registry.example/infirmary TAG=1.2.3
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import helm_python

from tests.cluster.rendering import CHART, Document, documents, merged, pods, values_of

READY_S = 600
RELEASE = "house"
ROLLED_S = 300
LOAD, PROGRAM = "load", Path(__file__).parent / "load.py"
LAST_S = 60  # within which the load must have spoken


class Failed(Exception):
    """The cluster did not do what it must; the text says what."""


def main(*, storage: str | None = None) -> int:
    """Drive the cluster; 0 when all was right, 1 when not, 2 when there is none.

    storage: where Helm keeps the release; in the cluster, unless a test that has none says otherwise.
    """
    kubectl = shutil.which("kubectl")
    if not kubectl:
        sys.stderr.write("cluster-test wants kubectl on PATH, with a context for the cluster\n")
        return 2
    view = [kubectl, "config", "view", "--minify", "--flatten", "--raw", "--output", "json"]
    context = subprocess.run(view, capture_output=True, text=True, check=False)
    if context.returncode != 0:
        sys.stderr.write("cluster-test wants a current context: kubectl config use-context NAME\n")
        return 2
    drive = Drive(kubectl, f"infirmary-test-{uuid4().hex[:6]}", kubeconfig=context.stdout, storage=storage)
    name = json.loads(context.stdout)["current-context"]
    print(f"cluster: {name}, namespace {drive.namespace}", flush=True)
    try:
        drive.all()
    except Failed as error:
        print(f"failed: {error}")
        return 1
    finally:
        drive.clean()
    return 0


class Drive:
    """One namespace of one cluster; kubectl and Helm are led to it by the same words."""

    def __init__(self, kubectl: str, namespace: str, *, kubeconfig: str, storage: str | None) -> None:
        self._kubectl, self.namespace = kubectl, namespace
        self._config = helm_python.Config(namespace=namespace, kubeconfig_content=kubeconfig, storage_driver=storage)
        self._values = values_of("demo")

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
        about = {"name": self.namespace, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        named = {"repository": os.environ.get("IMAGES"), "tag": os.environ.get("TAG")}
        image = {name: value for name, value in named.items() if value}
        self._values = merged(values_of("demo"), {"image": image})
        try:
            self._config.install(CHART, RELEASE, self._values, namespace=self.namespace)
        except helm_python.HelmError as error:
            raise Failed(f"helm install: {error}") from error
        self.kubectl("wait", "--for=condition=complete", "job", "--all", f"--timeout={READY_S}s")
        for name in self.names("statefulset"):
            self.kubectl("rollout", "status", name, f"--timeout={READY_S}s")
        self.kubectl("wait", "--for=condition=available", "deployment", "--all", f"--timeout={READY_S}s")

    def journey(self) -> None:
        """Book and cancel at the gateway, as `helm test` does it."""
        try:
            self._config.test(RELEASE, timeout=180)
        except helm_python.HelmError as error:
            raise Failed(f"helm test: {error}") from error

    def roll(self) -> None:
        """Each Deployment anew, one after the other, while every service is asked through the gateway."""
        self.create(*load(self.namespace, self._values))
        before = self.counted(lambda counts: counts["asked"] > 0)
        for name in self.names("deployment"):
            self.kubectl("rollout", "restart", name)
            self.kubectl("rollout", "status", name, f"--timeout={ROLLED_S}s")
        counts = self.counted(lambda counts: counts["asked"] > before["asked"])
        print(f"  {counts['asked']} requests, {counts['failed']} failed")
        if counts["failed"]:
            raise Failed(f"requests failed while Deployments were rolled: {json.dumps(counts)}")

    def counted(self, is_enough: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """What the load has counted, once it is enough.

        Raises:  Failed: it has not spoken for a minute; what it said last is told.
        """
        until, said = time.monotonic() + LAST_S, ""
        while time.monotonic() < until:
            said = self.kubectl("logs", f"pod/{LOAD}", "--tail=1", check=False).strip()
            if said.startswith("{"):
                counts: dict[str, int] = json.loads(said)
                if is_enough(counts):
                    return counts
            time.sleep(1)
        raise Failed(f"the load does not go on: {said or 'it says nothing'}")

    def names(self, kind: str) -> list[str]:
        """All of a kind, as kubectl calls them."""
        return self.kubectl("get", kind, "--output", "name").split()

    def create(self, *manifests: Document) -> None:
        """Make these; the suite has looked at their fields."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.kubectl("create", "--validate=ignore", "--filename", "-", given=text)

    def clean(self) -> None:
        """Nothing stays: the release, what it kept, and the namespace."""
        try:
            self._config.uninstall(RELEASE, ignore_not_found=True)
        except helm_python.HelmError as error:
            print(f"  uninstall: {type(error).__name__}")
        self._run(
            [self._kubectl, "delete", "namespace", self.namespace, "--ignore-not-found"], timeout_s=600, check=False
        )

    def kubectl(self, *words: str, given: str = "", check: bool = True) -> str:
        """What kubectl says in this namespace.

        Raises:  Failed.
        """
        command = [self._kubectl, "--namespace", self.namespace, *words]
        return self._run(command, timeout_s=READY_S + 60, given=given, check=check)

    def _run(self, command: list[str], *, timeout_s: float, given: str = "", check: bool = True) -> str:
        said = subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout_s, check=False)
        if check and said.returncode != 0:
            raise Failed(f"{' '.join(command[:6])}: {said.stderr.strip()[-500:]}")
        return said.stdout


def load(namespace: str, values: dict[str, Any]) -> list[Document]:
    """A pod that asks every service, made of the one that `helm test` starts: its rights, its image, its account."""
    found = documents(values, name=RELEASE, namespace=namespace)
    (test,) = [each.owner for each in pods(found) if each.component == "tests"]
    held = {path.name: path.read_text(encoding="utf-8") for path in (CHART / "files" / "journey.py", PROGRAM)}
    about = {"name": LOAD, "namespace": namespace}
    spec = {**test["spec"], "activeDeadlineSeconds": 3600}
    (container,) = spec["containers"]
    spec["containers"] = [{**container, "command": ["python", f"/run/journey/{PROGRAM.name}"]}]
    spec["serviceAccountName"] = f"{RELEASE}-infirmary-gateway"  # that of the test goes with it
    spec["volumes"] = [
        {**each, "configMap": {"name": LOAD}} if each["name"] == "journey" else each for each in spec["volumes"]
    ]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": held},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**about, "labels": test["metadata"]["labels"]},
            "spec": spec,
        },
    ]


if __name__ == "__main__":
    sys.exit(main())

"""How the gateway goes: the command line and the hook of the chart, with a real Envoy."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path

import pytest

from standalone.servers import finding
from standalone.servers.ports import free
from tests.architecture import tree
from tests.cluster.rendering import deployments, rendered
from tests.images.containers import status
from tests.waiting import wait_for


@pytest.mark.target("D-05")
def test_everybody_is_told_that_the_connection_closes_before_the_gateway_goes(tmp_path: Path):
    """With nobody behind it every answer is 503, and all the same it says that the connection ends."""
    (pod,) = [each for each in deployments(rendered("demo")) if each.component == "gateway"]
    (container,) = pod.spec["containers"]
    public, inner, admin = free(), free(), free()
    write_configuration(tmp_path, public=public, inner=inner, admin=admin)
    arguments = [word.replace("/etc/envoy", str(tmp_path)) for word in container["args"]]
    hook = [
        word.replace("9901", str(admin)).replace("sleep 15", "true")
        for word in container["lifecycle"]["preStop"]["exec"]["command"]
    ]
    with (tmp_path / "log").open("wb") as log:
        envoy = subprocess.Popen([finding.envoy().path, *arguments], stdout=log, stderr=log)
    try:
        wait_for(lambda: status(f"http://127.0.0.1:{inner}/readyz") == 200, within_s=60, what="Envoy is ready")
        assert not closes(public)
        assert subprocess.run(hook, timeout=30).returncode == 0
        assert envoy.poll() is None, "it goes on answering"
        wait_for(lambda: closes(public), what="answers say that the connection closes")
    finally:
        envoy.terminate()
        envoy.wait(30)


def closes(port: int) -> bool:
    """Whether the answer says that no other will come on this connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/docs")
        answer = connection.getresponse()
        answer.read()
        return answer.headers.get("connection") == "close"
    finally:
        connection.close()


def write_configuration(folder: Path, *, public: int, inner: int, admin: int) -> None:
    """As the init container makes it, for free ports of this machine."""
    from gateway.__main__ import main

    words = ["--out", str(folder)]
    for name in tree.services():
        words += ["--endpoint", f"{name}=127.0.0.1:{free()}"]
    for name, value in {"port": public, "metrics_port": inner, "admin": f"127.0.0.1:{admin}"}.items():
        words += ["--set", f"{name}={value}"]
    assert main(words) == 0

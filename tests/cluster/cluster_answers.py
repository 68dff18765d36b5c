"""A cluster that answers just enough for Helm's `lookup`: it has some Secrets and an account, or nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_API = {"kind": "APIVersions", "versions": ["v1"]}
_KINDS = {"Secret": "secrets", "ServiceAccount": "serviceaccounts"}
_CORE = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
        for kind, name in _KINDS.items()
    ],
}
# Every namespace has it: a cluster that has it can be asked.
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "care"}}


@contextmanager
def answering(*objects: Mapping[str, Any]) -> Iterator[str]:
    """The kubeconfig of such a cluster."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(objects))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kubeconfig(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(objects: Sequence[Mapping[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            known: dict[str, Any] = {
                "/api": _API,
                "/apis": {"kind": "APIGroupList", "groups": []},
                "/api/v1": _CORE,
                "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
            }
            for each in objects:
                known[f"/api/v1/namespaces/care/{_KINDS[each['kind']]}/{each['metadata']['name']}"] = each
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            body = json.dumps(known.get(path, status)).encode()
            self.send_response(200 if path in known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is not a log."""

    return Answer


def kubeconfig(server: str) -> str:
    """How a cluster at this address is reached."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": server}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "care"}}],
            "current-context": "here",
            "users": [{"name": "me", "user": {"token": "none"}}],
        }
    )

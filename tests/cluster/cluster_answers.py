"""A cluster that answers just enough for Helm's `lookup`: it has one Secret, or none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_API = {"kind": "APIVersions", "versions": ["v1"]}
_SECRETS = {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get", "list"]}
_CORE = {"kind": "APIResourceList", "groupVersion": "v1", "resources": [_SECRETS]}


@contextmanager
def answering(secret: Mapping[str, Any] | None) -> Iterator[str]:
    """The kubeconfig of such a cluster."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(secret))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _kubeconfig(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(secret: Mapping[str, Any] | None) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            known: dict[str, Any] = {
                "/api": _API,
                "/apis": {"kind": "APIGroupList", "groups": []},
                "/api/v1": _CORE,
                "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
            }
            if secret is not None:
                known[f"/api/v1/namespaces/care/secrets/{secret['metadata']['name']}"] = secret
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


def _kubeconfig(server: str) -> str:
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

"""An API server in memory, for what kubectl and Helm ask of one: it keeps objects, and all of them do well at once."""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Object = dict[str, Any]
# Plural names by group and version; what is not here is not known.
KINDS: Mapping[str, Mapping[str, str]] = {
    "v1": {
        "configmaps": "ConfigMap",
        "namespaces": "Namespace",
        "persistentvolumeclaims": "PersistentVolumeClaim",
        "pods": "Pod",
        "secrets": "Secret",
        "serviceaccounts": "ServiceAccount",
        "services": "Service",
    },
    "apps/v1": {"deployments": "Deployment", "replicasets": "ReplicaSet", "statefulsets": "StatefulSet"},
    "autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "batch/v1": {"jobs": "Job"},
    "networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
_PATH = re.compile(
    r"/(?:api|apis)/(?P<api>v1|[^/]+/v\d+)(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]))?/(?P<plural>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<part>log|status))?\Z"
)


@dataclass
class Cluster:
    """What it holds, by API, plural name, namespace and name; what it was asked; what the load in it says."""

    objects: dict[tuple[str, str, str, str], Object] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    log: str = ""
    version: int = 1

    def keep(self, key: tuple[str, str, str, str], given: Object) -> Object:
        """Keep an object as it is now wanted, with the best of states."""
        self.version += 1
        before = self.objects.get(key, {})
        about = given.setdefault("metadata", {})
        about.update(name=key[3], uid=f"uid-{'-'.join(key[1:])}", resourceVersion=str(self.version))
        about["generation"] = before.get("metadata", {}).get("generation", 0) + 1
        about.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        if key[2]:
            about["namespace"] = key[2]
        if key[1] == "statefulsets":
            given["spec"].setdefault("updateStrategy", {"type": "RollingUpdate"})
        given |= {"apiVersion": key[0], "kind": KINDS[key[0]][key[1]], "status": status(key[1], given)}
        self.objects[key] = given
        return given

    def remove(self, key: tuple[str, str, str, str]) -> Object | None:
        """Take an object away; a namespace takes all that is in it."""
        if key[1] == "namespaces":
            for each in [each for each in self.objects if each[2] == key[3]]:
                del self.objects[each]
        return self.objects.pop(key, None)

    def of(self, api: str, plural: str, namespace: str) -> list[Object]:
        """All of a kind in a namespace."""
        keys = sorted(key for key in self.objects if key[:2] == (api, plural) and namespace in ("", key[2]))
        return [self.objects[key] for key in keys]


def status(plural: str, given: Object) -> Object:
    """How it looks when all is well."""
    generation = given["metadata"]["generation"]
    wanted = given.get("spec", {}).get("replicas", 1)
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), wanted)
    condition = {"status": "True", "reason": "Well", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    if plural in {"deployments", "statefulsets"}:
        more = {"currentRevision": "one", "updateRevision": "one", "currentReplicas": wanted}
        available = [{"type": "Available", **condition}]
        return {"observedGeneration": generation, **counts, **more, "conditions": available}
    if plural == "jobs":
        return {"succeeded": 1, "conditions": [{"type": "Complete", **condition}]}
    if plural == "pods":
        return {"phase": "Running" if given["metadata"]["name"] == "load" else "Succeeded"}
    return {"phase": "Active"} if plural == "namespaces" else {}


class _Server(ThreadingHTTPServer):
    """Takes as many connections at once as Helm opens."""

    daemon_threads = True
    request_queue_size = 256


@contextmanager
def serving(cluster: Cluster) -> Iterator[str]:
    """The address of such a server."""
    server = _Server(("127.0.0.1", 0), _handler(cluster, threading.RLock()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def discovery(path: str) -> Object | None:
    """What there is, as it is asked for before anything else."""
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [each.partition("/") for each in KINDS if "/" in each]
        named = [(name, {"groupVersion": f"{name}/{number}", "version": number}) for name, _, number in groups]
        listed = [{"name": name, "versions": [version], "preferredVersion": version} for name, version in named]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    version = path.removeprefix("/apis/").removeprefix("/api/")
    if version not in KINDS:
        return None
    resources = [
        {"name": plural, "singularName": kind.lower(), "namespaced": plural != "namespaces", "kind": kind}
        for plural, kind in KINDS[version].items()
    ]
    listed = [{**each, "verbs": VERBS} for each in resources]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}


def patched(before: Object, change: Object) -> Object:
    """Maps are merged, what is null goes; enough for what is patched here."""
    found = copy.deepcopy(before)
    for name, value in change.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] = patched(found[name], value)
        else:
            found[name] = value
    return found


def _handler(cluster: Cluster, lock: threading.RLock) -> type[BaseHTTPRequestHandler]:
    class Answer(_Speaking):
        def answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            given = yaml.load(self.rfile.read(size), Loader=yaml.CSafeLoader) if size else {}
            split = urlsplit(self.path)
            asks = parse_qs(split.query)
            if "watch" in asks and "sendInitialEvents" not in asks:
                self.stay()
                return
            with lock:
                cluster.asked.append((self.command, split.path))
                code, body = answered(cluster, self.command, split.path, asks, given)
            text = body if isinstance(body, str) else json.dumps(body)
            self.say(code, text.encode(), "text/plain" if isinstance(body, str) else "application/json")

    return Answer


class _Speaking(BaseHTTPRequestHandler):
    """How an answer goes out."""

    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # one way of answering for every verb
            return self.answer
        raise AttributeError(name)

    def say(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stay(self) -> None:
        """A watch in which nothing happens; whoever watches goes when it has seen enough."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        self.connection.settimeout(60)
        with suppress(OSError):
            self.connection.recv(1)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not a log."""


def answered(
    cluster: Cluster, verb: str, path: str, asks: Mapping[str, Sequence[str]], given: Object
) -> tuple[int, Object | str]:
    """What the server says to one request."""
    place = _PATH.match(path)
    if "sendInitialEvents" in asks:
        return refused(422, "Invalid", "a list comes before a watch here")
    if path == "/openapi/v2":
        return 200, ""  # a document without schemas: nothing is looked at before it is sent
    if place and place["plural"] in KINDS.get(place["api"], {}):
        key = (place["api"], place["plural"], place["namespace"] or "", place["name"] or "")
        if place["part"] == "log":
            return 200, cluster.log
        is_one = key[3] or verb == "POST"
        return held(cluster, verb, key, given) if is_one else (200, listed(cluster, key, asks))
    found = discovery(path)
    return (200, found) if found is not None else missing(path)


def listed(cluster: Cluster, key: tuple[str, str, str, str], asks: Mapping[str, Sequence[str]]) -> Object:
    """All of a kind, or the one that is named."""
    wanted = {term.partition("=")[2] for term in asks.get("fieldSelector", []) if term.startswith("metadata.name")}
    items = [each for each in cluster.of(*key[:3]) if not wanted or each["metadata"]["name"] in wanted]
    about = {"resourceVersion": str(cluster.version)}
    return {"kind": f"{KINDS[key[0]][key[1]]}List", "apiVersion": key[0], "metadata": about, "items": items}


def held(cluster: Cluster, verb: str, key: tuple[str, str, str, str], given: Object) -> tuple[int, Object]:
    """One object is read, made, changed or taken away; to change what is not there makes it, as Helm wants it."""
    if verb == "POST":
        return 201, cluster.keep((*key[:3], given["metadata"]["name"]), given)
    before = cluster.objects.get(key)
    if verb in {"PATCH", "PUT"}:
        return (200, cluster.keep(key, patched(before, given))) if before else (201, cluster.keep(key, given))
    if before is None:
        return missing("/".join(key))
    if verb == "DELETE":
        cluster.remove(key)
    return 200, before


def missing(path: str) -> tuple[int, Object]:
    """There is no such thing."""
    return refused(404, "NotFound", f"{path} not found")


def refused(code: int, reason: str, message: str) -> tuple[int, Object]:
    """What is not done, and why."""
    about = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, {**about, "reason": reason, "message": message, "code": code}

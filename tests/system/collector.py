"""A real OTLP/HTTP collector, as far as taking spans goes."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver(BaseHTTPRequestHandler):
    """Takes spans, as the exporters of the services and of Envoy send them."""

    protocol_version = "HTTP/1.1"
    spans: list[Span]

    def do_POST(self) -> None:
        body = self._chunks() if self.headers.get("transfer-encoding") else self._whole()
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = [each for each in resource.resource.attributes if each.key == "service.name"]
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                span.attributes.append(service)
                self.spans.append(span)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def _whole(self) -> bytes:
        return self.rfile.read(int(self.headers["content-length"]))

    def _chunks(self) -> bytes:
        """As Envoy sends it."""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    """Every process of a house connects at once, and one that is not let in for two seconds gives its spans up."""

    daemon_threads = True
    request_queue_size = 128


@contextmanager
def collecting() -> Iterator[tuple[str, list[Span]]]:
    """The endpoint of a collector, and the spans that it has been given so far; each span knows its service by name."""
    spans: list[Span] = []
    receiver = type("OurReceiver", (Receiver,), {"spans": spans})
    server = _Server(("127.0.0.1", 0), receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def service_of(span: Span) -> str:
    """Which service made a span."""
    return next(each.value.string_value for each in reversed(span.attributes) if each.key == "service.name")

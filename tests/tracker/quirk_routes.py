"""How the provider of `quirks` answers over HTTP: routes, storms, cuts, pages."""

from __future__ import annotations

import json
import re
import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from quirks import QuirkServer


class QuirkRoutes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    quirky: QuirkServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        server = self.quirky
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        path = re.sub(r"^/(v1|openai/v1|openai)", "", parts.path)
        request = f"{method} {path}"
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        with server.lock:
            server.requests.append(request)
            if server.dead or _take(server.quirks.cut_before, request):
                return self._cut()
            storm = next((s for s in server.quirks.storms if re.search(s[0], request)), None)
            if storm:
                server.quirks.storms.remove(storm)
                return self._error(storm[1], "storm: 'some quoted private text here'", storm[2])
            if any(re.search(pattern, request) for pattern in server.quirks.missing):
                return self._error(404, "no such route")
            answer = self._answer(method, path, query, body)
            if _take(server.quirks.cut_after, request):
                return self._cut()
            if _take(server.quirks.fail_after, request):
                return self._error(500, "oops")
        if answer is None:
            return self._error(404, "not found")
        if isinstance(answer, bytes):
            return self._send(200, answer, "application/octet-stream")
        return self._send(200, json.dumps(answer).encode())

    def _answer(self, method: str, path: str, query: dict, body: bytes) -> object:
        server = self.quirky
        parts = path.strip("/").split("/")
        if parts[0] == "files":
            return self._files(method, parts, query, body)
        if parts[:2] != ["fine_tuning", "jobs"]:
            return None
        if len(parts) == 2 and method == "POST":
            return self._create(json.loads(body))
        if len(parts) == 2:
            jobs = sorted(
                server.jobs.values(), key=lambda s: (-s.job["created_at"], -int(s.job["id"].split("-")[1]))
            )
            wanted = {k[9:-1]: v for k, v in query.items() if k.startswith("metadata[")}
            if wanted and server.quirks.filters_metadata:
                jobs = [s for s in jobs if wanted.items() <= (s.job.get("metadata") or {}).items()]
            return server.page([server.view(s) for s in jobs], query)
        served = server.jobs.get(parts[2])
        if served is None:
            return None
        if len(parts) == 3:
            return server.view(served)
        if parts[3] == "events":
            return server.page(server.events(served), query)
        if parts[3] == "checkpoints":
            server.view(served)
            return server.page(served.checkpoints, query)
        if parts[3] == "cancel":
            served.job["cancelled"] = True
            return server.view(served)
        return None

    def _create(self, asked: dict) -> dict:
        server = self.quirky
        server.requests.append("POST /fine_tuning/jobs carried out")
        fields = {
            k: asked.get(k)
            for k in ("model", "training_file", "validation_file", "seed", "metadata", "method")
        }
        if not server.quirks.keeps_metadata:
            fields["metadata"] = None
        job_id = server.add_job(**fields)
        server.jobs[job_id].job["asked"] = asked
        return server.view(server.jobs[job_id])

    def _files(self, method: str, parts: list[str], query: dict, body: bytes) -> object:
        server = self.quirky
        if method == "POST":
            boundary = self.headers["content-type"].split("boundary=")[1].encode()
            part = next(p for p in body.split(b"--" + boundary) if b'name="file"' in p)
            filename = re.search(rb'filename="([^"]*)"', part).group(1).decode()
            file_id = server.add_file(part.split(b"\r\n\r\n", 1)[1][:-2], filename)
            return server.files[file_id][0]
        if len(parts) == 1:
            return server.page([f for f, _ in reversed(server.files.values())], query)
        if parts[1] not in server.files:
            return None
        return server.files[parts[1]][1] if parts[2:] == ["content"] else server.files[parts[1]][0]

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _error(self, status: int, message: str, retry_after: float | None = None) -> None:
        body = json.dumps({"error": {"message": message, "type": "t", "code": None, "param": None}}).encode()
        self._send(status, body, extra={"Retry-After": str(retry_after)} if retry_after is not None else {})

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", extra: dict | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _take(patterns: list[str], request: str) -> bool:
    """Whether a pattern names the request; each serves once."""
    found = next((p for p in patterns if re.search(p, request)), None)
    if found:
        patterns.remove(found)
    return found is not None

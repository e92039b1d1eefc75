"""A server with the two completion routes, over real HTTP: the tuned model echoes the question, the base says no."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TUNED = "ft:base-1:org::abc"


class ChatServer:
    """Keeps every request in `asked`.

    Parameters
    ----------
    refuse_store
        Answers 400 to requests that hold `store`, as servers do that check their fields.
    failures
        Statuses to answer first, one each.
    unknown
        A model's name that is answered for by no route.
    """

    def __init__(self, refuse_store=False, failures=(), unknown=None):
        self.unknown = unknown
        self.asked, self.refuse_store, self.failures = [], refuse_store, list(failures)
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.asked.append((self.path, body))
                status, answer = server.answer(self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, path, body):
        if body["model"] == self.unknown:
            return 404, {"error": {"message": "The model does not exist", "code": "model_not_found"}}
        if self.failures:
            return self.failures.pop(0), {"error": {"message": "busy"}}
        if self.refuse_store and "store" in body:
            return 400, {"error": {"message": "Unrecognized request argument supplied: store"}}
        if path.endswith("/chat/completions"):
            if body["model"] == "plain-base":
                return 404, {"error": {"message": "This is not a chat model; use v1/completions"}}
            said = body["messages"][-1]["content"]
            text = said if body["model"] == TUNED else "no"
            return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}
        return 200, {"choices": [{"text": " continued"}]}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._http.shutdown()
        self._http.server_close()

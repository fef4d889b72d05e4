"""A real HTTP server that takes notices, refuses them, or does not answer."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASSWORD = "PLANTEDpassword0123456789"
TOKEN = "PLANTEDtoken0123456789"


class Receiver:
    """Takes notices at ``json://``; ``status`` is what it answers, ``hanging`` that it does not."""

    def __init__(self) -> None:
        self.got: list[dict] = []
        self.status = 200
        self.hanging = threading.Event()
        """Set: who asks waits until the end."""
        self.over = threading.Event()
        self.asked = threading.Event()
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    @property
    def address(self) -> str:
        """Its address, with secrets in it."""
        return f"json://somebody:{PASSWORD}@127.0.0.1:{self.port}/{TOKEN}"

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.got]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.receiver.asked.set()
        if self.receiver.hanging.is_set():
            self.receiver.over.wait(60)
            return
        if self.receiver.status == 200:
            self.receiver.got.append(json.loads(body))
        said = f"no, not with {TOKEN}".encode()
        self.send_response(self.receiver.status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_) -> None:
        pass

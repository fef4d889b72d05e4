"""A stand-in for Skymmich behind a proxy: its two buttons, its WebSocket, and a page of another site."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "skymmich.example.org"


class Skymmich:
    """Stands in for Skymmich: answers everything with 200, speaks first at ``/ws``, notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        handler = type("Handler", (_Handler,), {"asked": self.asked})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, bytes]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = {self.headers.get(name, "").lower() for name in ("connection", "upgrade")}
        if self.path == "/ws" and asked == {"upgrade", "websocket"}:
            self._speak()
            return
        self.asked.append((self.command, self.path, body))
        pages = {"/page": BUTTONS, "/evil": EVIL}
        said = pages.get(self.path, f"Skymmich at {self.path}").encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = answer  # noqa: N815 - the library's names

    def _speak(self) -> None:
        """Take a WebSocket's handshake (RFC 6455), and send one text frame."""
        key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.protocol_version = "HTTP/1.1"
        self.send_response(101)
        self.send_header("upgrade", self.headers["upgrade"])
        self.send_header("connection", "Upgrade")
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
        self.send_header("sec-websocket-accept", accept.decode())
        self.end_headers()
        text = json.dumps({"event": "immich-sync-complete", "data": {"success": True}}).encode()
        self.wfile.write(bytes([0x81, len(text)]) + text)

    def log_message(self, *_) -> None:
        pass


BUTTONS = """<!doctype html><title>Skymmich</title>
<button id="b1">Sync to Immich</button><p id="one"></p>
<button id="b2">Sync All Metadata to Immich</button><p id="all"></p>
<script>
const show = (id, text) => document.getElementById(id).textContent = text;
// As in Skymmich 0.9.2: components/image-overlay.tsx with lib/queryClient.ts, and admin/immich-section.tsx.
b1.onclick = async () => {
  try {
    const res = await fetch('/api/immich/sync-metadata/3', {method: 'POST', headers: {}, credentials: 'include'});
    if (!res.ok) throw new Error(`${res.status}: ${await res.text() || res.statusText}`);
    const data = await res.json();
    show('one', data.success ? 'Metadata synced to Immich' : data.message || 'Sync failed');
  } catch (error) {
    let text = 'Failed to sync metadata';
    try { text = JSON.parse(error.message?.replace(/^\\d+:\\s*/, '')).message || text; } catch {}
    show('one', text);
  }
};
b2.onclick = async () => {
  try {
    const response = await fetch('/api/immich/sync-metadata-all', {method: 'POST'});
    const data = await response.json();
    show('all', `${response.ok ? 'Sync Complete' : 'Sync Failed'}: ${data.message}`);
  } catch { show('all', 'Error: Failed to sync metadata'); }
};
</script>"""
EVIL = f"""<!doctype html><title>Win</title>
<form method="post" action="http://{NAME}/api/immich/sync-metadata-all"><button>Win</button></form>"""

"""What may stand between this program and Immich, as real sockets: a proxy, a login, a certificate of one's own."""

from __future__ import annotations

import base64
import http.client
import select
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

CLOUDFLARE = "https://team.cloudflareaccess.com/cdn-cgi/access/login/immich.example.org?kid=1"
ID, SECRET = "CF-Access-Client-Id", "CF-Access-Client-Secret"
TOKEN = {ID.lower(): "cf-id-0a1b2c.access", SECRET.lower(): "cf-secret-3d4e5f60718293"}


@dataclass
class Answer:
    """What a gate says instead of letting through."""

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""


class Gate(ThreadingHTTPServer):
    """Listens, asks ``check`` about each request, and passes on what it does not answer itself."""

    daemon_threads = True

    def __init__(self, upstream, check, tls):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.check, self.seen = upstream, check, []
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_):
        """Say nothing of a client that hangs up."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def _asked(self):
        gate = self.server
        headers = {name.lower(): value for name, value in self.headers.items()}
        gate.seen.append((self.command, self.path, headers))
        answer = gate.check(headers)
        if answer is None:
            return True
        self._say(answer.status, answer.headers, answer.body)
        return False

    def _say(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self._asked():
            return
        address = urlsplit(self.path)
        host, port = (address.hostname, address.port) if address.hostname else self.server.upstream
        path = address._replace(scheme="", netloc="").geturl()
        there = http.client.HTTPConnection(host, port, timeout=20)
        headers = {
            name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")
        }
        try:
            there.request(self.command, path, body, headers)
            answer = there.getresponse()
            told = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}
            }
            self._say(answer.status, told, answer.read())
        finally:
            there.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    def do_CONNECT(self):
        if not self._asked():
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as there:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: there, there: self.connection}
            while True:
                for one in select.select(list(ends), [], [], 20)[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    ends[one].sendall(data)


@contextmanager
def gate(url, check=lambda _: None, *, tls=None):
    """Stand before ``url``, or on the way to anywhere, and give the gate."""
    address = urlsplit(url)
    with Gate((address.hostname, address.port), check, tls) as standing:
        thread = threading.Thread(target=standing.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield standing
        finally:
            standing.shutdown()
            thread.join(10)


def cloudflare(headers):
    """Ask for a login as Cloudflare Access does."""
    if all(headers.get(name) == value for name, value in TOKEN.items()):
        return None
    return Answer(302, {"Location": CLOUDFLARE, "Server": "cloudflare"})


def for_users(user, password):
    """Ask who uses the proxy."""
    right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def check(headers):
        if headers.get("proxy-authorization") == right:
            return None
        return Answer(407, {"Proxy-Authenticate": 'Basic realm="proxy"'})

    return check


def own_authority(folder):
    """Make an authority, and a certificate of it for 127.0.0.1; give its file and the server's context."""
    ca, key, certificate = folder / "ca.pem", folder / "key.pem", folder / "certificate.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    _openssl(
        "req", "-x509", *curve, "-subj", "/CN=Own authority", "-keyout", folder / "ca.key", "-out", ca,
        "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    _openssl(
        "req", "-x509", *curve, "-subj", "/CN=immich", "-keyout", key, "-out", certificate,
        "-CA", ca, "-CAkey", folder / "ca.key", "-addext", "subjectAltName=IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return ca, context


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

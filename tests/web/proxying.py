"""Reverse proxies with the project's own examples, and a daemon behind them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import textwrap
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from browsing import ROOT, Place, eventually
from standing_in import NAME

from tests.free_port import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from standing_in import Skymmich

FOLDER = ROOT / "systemd" / "examples"
EXAMPLES = ("nginx-skymmich.conf", "nginx-page.conf", "Caddyfile-skymmich", "Caddyfile-page")
PAGE_NAME = "reconciler.example.org"
TOKEN = "a-token-of-the-tests"
PASSWORD = "clear skies"
HASHED = "$2a$04$abcdefghijklmnopqrstuuBgJoNjIh.6G71/1GYHU/IvpdzziD.ny"


def fenced(page: str) -> list[str]:
    """Give what a page of the documentation fences, without the fences' own indentation."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for block in blocks]


def program(name: str) -> str:
    """Find a program. Skip without it; in CI, which must have all but Caddy, fail."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found:
        return found
    reason = f"no {name} on this machine (Debian: apt install {name})"
    if name != "caddy" and os.environ.get("CI") == "true":
        pytest.fail(f"CI has to be able to run this: {reason}", pytrace=False)
    pytest.skip(reason)


class Guarded(Place):
    """A daemon with what the documentation says in ``[status]``, and with a token if there is one."""

    def __init__(self, folder: Path, catalogue: Path, simulator, token: str) -> None:
        super().__init__(folder, catalogue, simulator)
        self.token = token
        page = "proxy.md" if token else "skymmich-buttons.md"
        (said,) = [text for text in fenced(page) if text.startswith("[status]\n")]
        if token:
            secret = folder / "token"
            secret.write_text(f"{token}\n")
            secret.chmod(0o600)
            said += f'token_file = "{secret}"\n'
        self.config.write_text(self.config.read_text().replace("[status]\n", said))

    def get(self, path: str) -> bytes:
        return self._ask("GET", path)

    def post(self, path: str) -> bytes:
        return self._ask("POST", path)

    def runs(self) -> list[str]:
        """Every run there was, by its id."""
        return [run["run_id"] for run in json.loads(self.get("/api/v1/runs?limit=100"))["items"]]

    def _ask(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {"Origin": self.url}
        request = urllib.request.Request(self.url + path, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a proxy listens."""

    program: str
    buttons: int
    """For Skymmich, with its buttons."""
    page: int
    """For the daemon's page."""
    certificate: str = ""
    """For the page, if it is served over TLS."""


@contextmanager
def nginx(folder: Path, place: Place, skymmich: Skymmich, *, shows_token: bool = True):
    """Run nginx with both examples."""
    ports = Ports("nginx", free_port(), free_port(), str(folder / "fullchain.pem"))
    show = bool(place.token) and shows_token
    configured = _nginx(folder, ports, place.port, skymmich.port, show=show)
    command = [program("nginx"), "-p", str(folder), "-e", "error.log", "-c", str(configured)]
    with _running(folder, [*command, "-g", "daemon off;"], ports):
        yield ports


@contextmanager
def caddy(folder: Path, place: Place, skymmich: Skymmich, *, shows_token: bool = True):
    """Run Caddy with both examples."""
    ports = Ports("caddy", free_port(), free_port())
    show = bool(place.token) and shows_token
    configured = _caddy(folder, ports, place.port, skymmich.port, show=show)
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(configured)]
    with _running(folder, command, ports):
        yield ports


def check(name: str, folder: Path) -> None:
    """Let an example be checked by the program that it is for."""
    if name.startswith("nginx"):
        configured = _nginx(folder, Ports("nginx", 8080, 8443), 8287, 5000, show=True, names=(name,))
        command = [program("nginx"), "-t", "-p", str(folder), "-e", "error.log", "-c", str(configured)]
    else:
        command = [program("caddy"), "validate", "--adapter", "caddyfile", "--config", str(FOLDER / name)]
    done = subprocess.run(command, env=_environ(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr


def _nginx(folder, ports, daemon, skymmich, *, show, names=EXAMPLES[:2]) -> Path:
    changes = {
        "nginx-skymmich.conf": {
            "listen 80;": f"listen 127.0.0.1:{ports.buttons};",
            "127.0.0.1:5000": f"127.0.0.1:{skymmich}",
            "127.0.0.1:8287": f"127.0.0.1:{daemon}",
            "/etc/nginx/": f"{folder}/",
            **({"#include": "include"} if show else {}),
        },
        "nginx-page.conf": {
            "listen 443 ssl;": f"listen 127.0.0.1:{ports.page} ssl;",
            "/etc/letsencrypt/live/reconciler.example.org/": f"{folder}/",
            "file /etc/nginx/": f"file {folder}/",
            "127.0.0.1:8287": f"127.0.0.1:{daemon}",
        },
    }
    for name in names:
        (folder / name).write_text(_changed(name, changes[name]))
    (folder / "skymmich-reconciler.token").write_text(f'proxy_set_header Authorization "Bearer {TOKEN}";\n')
    (folder / "skymmich-reconciler.users").write_text(f"alice:{{PLAIN}}{PASSWORD}\n")
    _certify(folder)
    own = folder / "nginx.conf"
    temporary = "".join(
        f"    {kind}_temp_path {folder}/temporary;\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    included = "".join(f"    include {folder}/{name};\n" for name in names)
    # As root, its workers would be a user who may not look into this folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    own.write_text(
        f"{user}pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}{included}}}\n"
    )
    return own


def _caddy(folder, ports, daemon, skymmich, *, show) -> Path:
    changes = {
        "Caddyfile-skymmich": {
            f"\n{NAME} {{": f"\nhttp://{NAME}:{ports.buttons} {{",
            "127.0.0.1:5000": f"127.0.0.1:{skymmich}",
            "127.0.0.1:8287": f"127.0.0.1:{daemon}",
            "/etc/caddy/skymmich": f"{folder}/skymmich",
            **({"#import": "import"} if show else {}),
        },
        "Caddyfile-page": {
            f"\n{PAGE_NAME} {{": f"\nhttp://{PAGE_NAME}:{ports.page} {{",
            "alice HASH": f"alice {HASHED}",
            "127.0.0.1:8287": f"127.0.0.1:{daemon}",
        },
    }
    token = folder / "skymmich-reconciler.token"
    token.write_text(f'header_up Authorization "Bearer {TOKEN}"\n')
    own = folder / "Caddyfile"
    options = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n\n"
    own.write_text(options + "\n".join(_changed(name, changes[name]) for name in changes))
    return own


def _changed(name: str, changes: dict[str, str]) -> str:
    """Give an example with other addresses: every one has to be in it."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def _certify(folder: Path) -> None:
    made = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"), "-days", "2"]
    name = ["-subj", f"/CN={PAGE_NAME}", "-addext", f"subjectAltName=DNS:{PAGE_NAME}"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([program("openssl"), "req", "-x509", *kind, *made, *name], check=True, capture_output=True)


@contextmanager
def _running(folder: Path, command: list[str], ports: Ports):
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=_environ(folder), stdout=log, stderr=log)
    try:
        eventually(
            lambda: process.poll() is not None or all(map(_listens, (ports.buttons, ports.page))),
            f"{ports.program} listens",
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(10)


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True

"""A booted machine to try the units on: this machine's own systemd, in namespaces of its own.

``boot.sh`` does the booting. Here is what goes into it (Debian's Python with the locked dependencies, a wheel of
this checkout, the units, a configuration, a sample catalogue, the simulator), and how a test reaches into it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from reconciler.simulator.sample.build import build_sample
from tests.packages.conftest import build
from tests.packages.steps import not_here, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
UNITS = CHECKOUT / "systemd"
BOOT = Path(__file__).with_name("boot.sh")
PYTHON = "/usr/bin/python3"
HOME = "/opt/skymmich-reconciler"
VOLUME = "/var/lib/docker/volumes/skymmich_skymmich-config/_data"
SOURCE = "/usr/src/skymmich-reconciler"
CLEAN = {
    "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "cat",
}

SIMULATOR = f"""
[Service]
Type=exec
ExecStart={HOME}/venv/bin/python -m reconciler.simulator --port 2283 --unkind none --catalogue {VOLUME}/skymmich.db
StandardOutput=file:/run/immich-simulator
"""


def unavailable(reason: str) -> NoReturn:
    """Skip a test that this machine cannot run; in CI, which must be able to run all, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to be able to run this: {reason}", pytrace=False)
    pytest.skip(reason)


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted system."""

    init: int
    """Its process 1, as seen from here."""
    catalogue: Path
    """Skymmich's database, as seen from here."""

    def follow(self, heading: str, number: int = 0, typed: str = "") -> str:
        """Do in it what INSTALL.md says under a heading, word for word; what it prints."""
        script = f'sudo() {{ "$@"; }}; cd {SOURCE}; {blocks(heading)[number]}'
        return self.run("bash", "-euc", script, typed=typed).stdout

    def run(self, *command: str, typed: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root."""
        enter = ("nsenter", "--all", f"--target={self.init}", "env", "--chdir=/")
        done = subprocess.run(
            [*enter, *command],
            env=CLEAN,
            input=typed,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode != 0:
            said = self.run("journalctl", "--no-pager", "--lines=30", check=False).stdout
            raise AssertionError(
                f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}\n{said}"
            )
        return done

    def systemctl(self, *arguments: str) -> str:
        """Run ``systemctl``; what it prints."""
        return self.run("systemctl", *arguments).stdout.strip()

    def show(self, unit: str, name: str) -> str:
        """Give one property of a unit."""
        return self.systemctl("show", "--value", f"--property={name}", unit)

    def journal(self, unit: str) -> str:
        """Give what a unit said, and what systemd said about it."""
        return self.run("journalctl", "--no-pager", "--quiet", "--output=cat", f"--unit={unit}").stdout

    def write(self, path: str, text: str) -> None:
        """Write a file in it."""
        Path(f"/proc/{self.init}/root{path}").write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        """Read a file in it."""
        return Path(f"/proc/{self.init}/root{path}").read_text(encoding="utf-8")

    def fetch(self, url: str, body: object = None) -> object:
        """Ask an HTTP server in it, which has a network of its own; a body is posted as JSON."""
        code = (
            "import sys, urllib.request as r; body = sys.stdin.buffer.read() or None;"
            "ask = r.Request(sys.argv[1], body, {'Content-Type': 'application/json'});"
            "sys.stdout.buffer.write(r.urlopen(ask, timeout=10).read())"
        )
        sent = "" if body is None else json.dumps(body)
        enter = ("nsenter", "--net", f"--target={self.init}", sys.executable, "-I", "-c", code, url)
        done = subprocess.run(
            enter, env=CLEAN, input=sent, text=True, capture_output=True, timeout=30, check=False
        )
        if done.returncode != 0:
            raise ConnectionError(done.stderr.strip().rpartition("\n")[2])
        return json.loads(done.stdout)

    def wait_until(
        self, condition: Callable[[], object], what: str, unit: str = "", seconds: float = 30
    ) -> None:
        """Wait for something to become true; if it does not, tell what the unit said."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                said = self.journal(unit)[-5000:] if unit else ""
                raise AssertionError(f"not within {seconds} s: {what}\n{said}")
            time.sleep(0.1)


@pytest.fixture(scope="session")
def analyze() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``systemd-analyze``."""
    if shutil.which("systemd-analyze") is None:
        unavailable("systemd-analyze is not installed")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["systemd-analyze", *arguments], env=CLEAN, text=True, capture_output=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def software(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Debian's Python with the locked dependencies, kept until the lock changes; and a wheel of this checkout."""
    lock = CHECKOUT / "requirements.lock"
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = project["build-system"]["requires"]
    version = subprocess.run([PYTHON, "-VV"], capture_output=True, text=True, check=True).stdout
    name = hashlib.sha256(repr((lock.read_bytes(), needs, version)).encode()).hexdigest()[:16]
    kept = request.config.cache.mkdir("systemd-software")
    ready = kept / name
    if not ready.exists():
        making = Path(tempfile.mkdtemp(dir=kept))
        try:
            _install(making, lock, needs)
            for outdated in kept.glob("[0-9a-f]" * 16):
                shutil.rmtree(outdated)
            if not ready.exists():  # another run may have been quicker
                making.rename(ready)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    wheels = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [ready / "venv/bin/python", "-m", "hatchling", "build", "--target", "wheel", "--directory", wheels],
        cwd=CHECKOUT,
        env=CLEAN | {"PYTHONPATH": str(ready / "build")},
        check=True,
        capture_output=True,
    )
    return ready / "venv", next(wheels.glob("*.whl"))


def _install(folder: Path, lock: Path, needs: list[str]) -> None:
    """Do what INSTALL.md says, at the very path, in a view of /opt that nobody else has and that is not kept."""
    script = """
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/changes /mnt/work
        mount -t overlay -o lowerdir=/opt,upperdir=/mnt/changes,workdir=/mnt/work overlay /opt
        mkdir -p "$home"
        mount --bind "$folder" "$home"
        "$python" -m venv "$home/venv"
        pip="$home/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input"
        $pip --require-hashes -r "$lock"
        $pip --target "$home/build" "$@"
    """
    variables = {"home": HOME, "folder": str(folder), "python": PYTHON, "lock": str(lock)}
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "bash", "-euc", script, "install", *needs],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        unavailable(f"{PYTHON} could not be given what requirements.lock names: {done.stderr.strip()}")


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Boot a machine with the units, a sample catalogue and a simulated Immich on port 2283; nothing else runs."""
    _require_a_machine()
    venv, wheel = request.getfixturevalue("software")
    place = tmp_path_factory.mktemp("machine")
    shutil.copytree(UNITS, place / "seed" / SOURCE.lstrip("/") / "systemd")
    with _furnished(place, venv, wheel) as booted:
        start_simulator(booted)
        yield booted


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Build the Debian package of this checkout, twice."""
    if missing := [tool for tool in ("dpkg-deb", PYTHON) if shutil.which(tool) is None]:
        not_here(f"not installed: {', '.join(missing)}")
    built = []
    for number in "12":
        with step("Debian package built"):
            built += build(tmp_path_factory.mktemp(f"deb-{number}"), "deb").glob("*.deb")
    return built


@pytest.fixture(scope="session")
def bare_machine(tmp_path_factory: pytest.TempPathFactory, debs: list[Path]) -> Iterator[Machine]:
    """Boot a machine on which the program is not installed, with its package as ``/usr/src/reconciler.deb``."""
    _require_a_machine(not_here)
    place = tmp_path_factory.mktemp("bare-machine")
    (place / "seed/usr/src").mkdir(parents=True)
    shutil.copyfile(debs[0], place / "seed/usr/src/reconciler.deb")
    with _furnished(place) as booted:
        yield booted


def _require_a_machine(unavailable: Callable[[str], NoReturn] = unavailable) -> None:
    if os.geteuid() != 0:
        unavailable("only root may boot a machine in namespaces")
    missing = [
        name
        for name in ("unshare", "nsenter", "findmnt", "ip", "systemctl", PYTHON)
        if not shutil.which(name)
    ]
    if missing:
        unavailable(f"not installed: {', '.join(missing)}")
    probe = subprocess.run([BOOT, "probe"], text=True, capture_output=True, check=False)
    if probe.returncode != 0:
        unavailable(f"namespaces, mounts or control groups are not allowed here: {probe.stderr.strip()}")


def start_simulator(booted: Machine) -> None:
    """Start the simulated Immich, whose key is then in ``/run/immich-simulator``."""
    booted.systemctl("start", "immich-simulator.service")
    booted.wait_until(lambda: "API key: " in booted.read("/run/immich-simulator"), "the simulator listens")


@contextmanager
def _furnished(place: Path, venv: Path | str = "", wheel: Path | str = "") -> Iterator[Machine]:
    """Boot a machine with a sample catalogue where Docker would have it, and what is in ``place/seed``."""
    units, volume = place / "seed/etc/systemd/system", place / "volume"
    units.mkdir(parents=True)
    (units / "immich-simulator.service").write_text(SIMULATOR, encoding="utf-8")
    volume.mkdir()
    # As in Skymmich's image: everything belongs to user and group 1001, and is nobody else's business.
    build_sample(volume / "skymmich.db")
    for path, mode in ((volume, 0o750), (volume / "skymmich.db", 0o640)):
        os.chown(path, 1001, 1001)
        path.chmod(mode)
    with _booted(venv, wheel, place / "seed", volume) as init:
        booted = Machine(init, volume / "skymmich.db")
        booted.wait_until(
            lambda: booted.run("systemctl", "is-active", "basic.target", check=False).returncode == 0,
            "booted",
        )
        yield booted


@contextmanager
def _booted(*arguments: Path | str) -> Iterator[int]:
    """Boot, and give the pid of process 1; in the end nothing is left of it."""
    groups = subprocess.run(
        ["findmnt", "--noheadings", "--first-only", "--types=cgroup2", "--output=TARGET"],
        text=True, capture_output=True, check=True,
    ).stdout.strip()  # fmt: skip
    # Whatever ends this process, however suddenly, ends the machine too.
    booting = subprocess.Popen(["setpriv", "--pdeathsig=KILL", BOOT, "boot", *arguments])
    try:
        children = Path(f"/proc/{booting.pid}/task/{booting.pid}/children")
        end = time.monotonic() + 30
        while True:
            init = children.read_text(encoding="ascii").split()
            if init and Path(f"/proc/{init[0]}/comm").read_text(encoding="ascii") == "systemd\n":
                break
            if booting.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{BOOT.name} did not boot; see its output")
            time.sleep(0.02)
        yield int(init[0])
    finally:
        booting.kill()
        booting.wait()
        group = Path(groups, f"skymmich-reconciler-test.{booting.pid}")
        end = time.monotonic() + 10
        while group.exists() and time.monotonic() < end:
            subprocess.run(
                ["find", group, "-depth", "-type", "d", "-delete"], capture_output=True, check=False
            )


def blocks(heading: str) -> list[str]:
    """Give the commands that INSTALL.md has under a heading: what it fences as ``sh`` can be run as it stands."""
    text = (UNITS / "INSTALL.md").read_text(encoding="utf-8")
    _, found, section = text.partition(f"\n## {heading}\n")
    assert found, f"INSTALL.md has no heading {heading!r}"
    return re.findall(r"^```sh\n(.*?)^```$", section.partition("\n## ")[0], re.DOTALL | re.MULTILINE)

"""Runs an image as a container engine would, after what ``compose.yaml`` says: there is no engine where tests run.

Process 1 of namespaces of its own, over the image's files and read-only, with the volumes, the secrets, the variables,
the user and the limits on privileges of the service, and nothing else of this machine but its network.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

RUNNER = Path(__file__).with_name("run.sh")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a compose file, with all variables filled in."""

    user: str
    environment: dict[str, str]
    read_only: bool
    tmpfs: list[str]
    volumes: dict[str, tuple[str, bool]]
    """Where a volume is mounted: its name, and whether it may be written."""
    secrets: list[str]
    groups: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, read: dict, environ: dict[str, str]) -> Service:
        """Read it from the parsed compose file."""

        def filled(text: object) -> str:
            return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: environ.get(found[1]) or found[2], str(text))

        volumes = {}
        for entry in read["volumes"]:
            name, place, *mode = filled(entry).split(":")
            volumes[place] = (name, mode != ["ro"])
        return cls(
            filled(read["user"]),
            {name: filled(value) for name, value in read["environment"].items()},
            read["read_only"],
            read["tmpfs"],
            volumes,
            read["secrets"],
        )


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its files, and what it says of how to run them."""

    root: Path
    config: dict
    """``Entrypoint``, ``Cmd``, ``Env``, ``User``, ``Healthcheck`` and so on, as Docker has them."""


class Container:
    """A running one."""

    def __init__(self, image, service, volumes, secrets, command=(), output=subprocess.DEVNULL) -> None:
        uid, _, gid = service.user.partition(":")
        self._user = [f"--reuid={uid}", f"--regid={gid}", f"--groups={','.join([gid, *service.groups])}"]
        own = dict(entry.split("=", 1) for entry in image.config["Env"])
        self._variables = [f"{name}={value}" for name, value in (own | service.environment).items()]
        self._home = image.config["WorkingDir"]
        mounts = [
            f"{volumes[name]}:{place}:{'rw' if writable else 'ro'}"
            for place, (name, writable) in service.volumes.items()
        ]
        mounts += [f"{secrets / name}:/run/secrets/{name}:ro" for name in service.secrets]
        said = [*image.config["Entrypoint"], *(command or image.config["Cmd"])]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", RUNNER, image.root, "ro" if service.read_only else "rw",
             " ".join(service.tmpfs), " ".join(mounts), *self._as_its_user(said)],
            stdout=output, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._healthcheck = image.config["Healthcheck"]["Test"]

    def _as_its_user(self, command: list[str]) -> list[str]:
        caged = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        return ["/usr/bin/setpriv", *self._user, *caged,
                "/usr/bin/env", "--ignore-environment", f"--chdir={self._home}", *self._variables, *command]  # fmt: skip

    @property
    def init(self) -> int:
        """Its process 1, as seen from here; 0 before there is one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int([*children.read_text(encoding="ascii").split(), "0"][0])

    def runs(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as ``docker exec`` does."""
        enter = ["nsenter", f"--target={self.init}", "--mount", "--pid", "--ipc", "--uts", "--root", "--wd"]
        return subprocess.run(
            [*enter, *self._as_its_user(list(command))],
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def is_healthy(self) -> bool:
        """Do what the image's HEALTHCHECK says."""
        kind, *command = self._healthcheck
        assert kind == "CMD"
        return self.init != 0 and self.runs(*command).returncode == 0

    def stops(self) -> tuple[int, float]:
        """Send process 1 what ``docker stop`` sends; its exit code, and the seconds it took."""
        began = time.monotonic()
        os.kill(self.init, 15)
        return self.process.wait(timeout=30), time.monotonic() - began

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def wait_until(condition, what, container=None, seconds=90):
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        if container is not None and container.process.poll() is not None:
            raise AssertionError(f"{what}: it ended with {container.process.returncode}")
        time.sleep(0.1)


def page_of(name: str, port: int, token: str) -> str:
    """Ask the pages of many for an installation's state."""
    headers = {"Host": f"{name}.localhost:{port}", "Authorization": f"Bearer {token}"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/status", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()

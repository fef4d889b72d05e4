"""The container image: built from the Dockerfile on a base of Debian's packages, and run as ``compose.yaml`` says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from tests.fleet.conftest import Wire
from tests.free_port import free_port
from tests.packages.conftest import CHECKOUT
from tests.packages.contained import RUNNER, Container, Image, Service, page_of, wait_until
from tests.packages.steps import not_here, ran, step
from tests.postgres_server import a_server

pytestmark = pytest.mark.packages

COMPOSE = yaml.safe_load((CHECKOUT / "compose.yaml").read_text(encoding="utf-8"))
FLEET = yaml.safe_load((CHECKOUT / "packages" / "fleet" / "compose.yaml").read_text(encoding="utf-8"))
BASE = Path(__file__).with_name("base.sh")
CODENAME = "bookworm"
PYTHON = "3.11"
STATE = "/var/lib/skymmich-reconciler"
NAME = "localhost/skymmich-reconciler"
FLEET_LOCK = "requirements-fleet.lock"
MEGABYTES = 200
PIP = "[global]\nno-index = true\nfind-links = /wheels\n"


@pytest.fixture(scope="session")
def bases(request):
    """Two archives of a base image, kept until the script changes."""
    kept = request.config.cache.mkdir("container-bases")
    name = hashlib.sha256(BASE.read_bytes() + CODENAME.encode()).hexdigest()[:16]
    archives = [kept / f"{name}-{kind}.tar" for kind in ("base", "build")]
    if not all(archive.exists() for archive in archives):
        for old in kept.glob("*.tar"):
            old.unlink()
        made = [archive.with_suffix(".making") for archive in archives]
        # The one thing here that needs a mirror of Debian may fail once.
        with step("base image made of Debian's packages"):
            done = next(
                (done for done in (ran([BASE, CODENAME, *made]) for _ in "12") if not done.returncode), None
            )
        if done is None:
            not_here(f"mmdebstrap made no base: {ran([BASE, CODENAME, *made]).stdout[-800:]}")
        for one, archive in zip(made, archives, strict=True):
            one.rename(archive)
    return archives


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """What the locks name: an image is built without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    fetch = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
    wanted = ["--only-binary=:all:", f"--python-version={PYTHON}", "--require-hashes"]
    with step("libraries of the locks fetched"):
        # The fleet's lock has all of the other one's.
        subprocess.run([*fetch, *wanted, "-r", CHECKOUT / FLEET_LOCK, "--dest", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    """Give a folder for the copies that buildah makes of every layer: in memory, where there is room, they are quick."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 4e9:
        folder = Path(tempfile.mkdtemp(dir=memory))
    else:
        folder = tmp_path_factory.mktemp("image")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Buildah:
    """The program, with a storage of its own."""

    def __init__(self, place):
        self._storage = [f"--root={place}/storage", f"--runroot={place}/run", "--storage-driver=vfs"]

    def tries(self, *arguments):
        """Run it; whether it could, and what it said."""
        done = ran(["buildah", *self._storage, *arguments])
        return done.returncode == 0, done.stdout.strip()

    def prepares(self, *arguments):
        """Do what is no matter of the Dockerfile's: what fails here is this machine's."""
        could, said = self.tries(*arguments)
        if not could:
            not_here(f"buildah {arguments[0]}: {said[:400]}")
        return said.rpartition("\n")[2]

    def does(self, *arguments):
        could, said = self.tries(*arguments)
        assert could, f"buildah {arguments[0]}: {said[-5000:]}"
        return said


@pytest.fixture(scope="session")
def build(request):
    """Build images with buildah, and mount them."""
    if os.geteuid() != 0:
        not_here("only root may build an image in a chroot, and run it in namespaces")
    tools = ("buildah", "mmdebstrap", "unshare", "nsenter", "setpriv")
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        not_here(f"not installed: {', '.join(missing)}")
    bases = request.getfixturevalue("bases")
    place = request.getfixturevalue("storage")
    buildah = Buildah(place)
    with step("base image taken in"):
        taken_in(buildah, place, bases)
    wheels = request.getfixturevalue("wheels")

    def built(name, *arguments):
        with step(f"{name} built from the Dockerfile"):
            buildah.does(
                "bud", "--quiet", "--isolation=chroot", "--pull-never", "--format=docker", "--build-arg=BASE=localhost/base",
                "--build-arg=BUILD_BASE=localhost/build", f"--volume={wheels}:/wheels:ro", *arguments, "--tag", name, CHECKOUT,
            )  # fmt: skip
        config = json.loads(buildah.does("inspect", "--type=image", name))["Docker"]["config"]
        container = buildah.prepares("from", "--pull-never", name)
        # With this driver a mount is nothing but a folder.
        return Image(Path(buildah.prepares("mount", container)), config)

    return built


@pytest.fixture(scope="session")
def image(build):
    return build(NAME)


def taken_in(buildah, place, bases):
    """Make images of the archives; see that this machine lets one be built on them at all."""
    (place / "pip.conf").write_text(PIP, encoding="ascii")
    for kind, archive in zip(("base", "build"), bases, strict=True):
        made = buildah.prepares("from", "scratch")
        buildah.prepares("add", "--quiet", made, archive, "/")
        if kind == "build":
            buildah.prepares("copy", "--quiet", made, place / "pip.conf", "/etc/pip.conf")
        buildah.prepares("run", "--isolation=chroot", made, "--", "python3", "-c", "print(1)")
        buildah.prepares("commit", "--quiet", "--rm", made, f"localhost/{kind}")


@pytest.fixture(scope="session")
def runnable(image):
    """See that this machine lets an image be run: it has namespaces and mounts."""
    done = ran([RUNNER, image.root, "ro", "/tmp", "", "/bin/true"])
    if done.returncode != 0:
        not_here(f"namespaces or mounts are not allowed: {done.stdout.strip()}")
    return image


@pytest.fixture
def place(tmp_path, image):
    """Skymmich's volume, a new one for the state, and the secrets; as an engine lays them out."""
    volume = tmp_path / "skymmich"
    volume.mkdir()
    build_sample(volume / "skymmich.db")
    give(volume, 1001, 0o750)
    give(volume / "skymmich.db", 1001, 0o640)
    # A new volume begins as the folder that the image has in its place.
    shutil.copytree(image.root / STATE.lstrip("/"), tmp_path / "state")
    shutil.copystat(image.root / STATE.lstrip("/"), tmp_path / "state")
    owner = (image.root / STATE.lstrip("/")).stat()
    os.chown(tmp_path / "state", owner.st_uid, owner.st_gid)
    (tmp_path / "secrets").mkdir()
    return tmp_path


def give(path, uid, mode):
    os.chown(path, uid, uid)
    path.chmod(mode)


@pytest.fixture
def immich(place):
    with serve(catalogue=place / "skymmich/skymmich.db", unkind="none") as simulator:
        (place / "secrets/immich_api_key").write_text(simulator.api_key)
        (place / "secrets/status_token").write_text("a-token-of-the-page")
        yield simulator


@pytest.fixture
def run(runnable, place, immich):
    """Start it as compose.yaml says, but at ports that are free here; impatiently."""
    started = []
    service = Service.of(COMPOSE["services"]["reconciler"], {"TZ": "Europe/Berlin"})
    port = immich.url.rpartition(":")[2]
    environment = service.environment | {
        "RECONCILER_IMMICH__URL": service.environment["RECONCILER_IMMICH__URL"].replace("2283", port),
        "RECONCILER_STATUS__PORT": str(free_port()),
        "RECONCILER_SCHEDULE__CATALOGUE_SECONDS": "0.2",
        "RECONCILER_SCHEDULE__DEBOUNCE_SECONDS": "0.1",
    }
    service = replace(service, environment=environment)

    def start(*command, log="log", **changes):
        used = replace(service, **changes)
        volumes = {"skymmich-config": place / "skymmich", "state": place / "state"}
        with (place / log).open("w") as output:
            container = Container(runnable, used, volumes, place / "secrets", command, output)
        started.append(container)
        return container

    yield start
    for container in started:
        container.close()


def shown(immich, database):
    """Give what Immich has for the first image."""
    with closing(sqlite3.connect(database)) as connection:
        asset = connection.execute("SELECT immich_id FROM astrophotography_images WHERE id = 1").fetchone()[0]
    return immich.assets()[asset]["description"]


def test_it_is_small(image):
    done = subprocess.run(
        ["du", "--one-file-system", "--apparent-size", "--block-size=1000000", "--summarize", image.root],
        text=True, capture_output=True, check=True,
    )  # fmt: skip
    assert int(done.stdout.split()[0]) < MEGABYTES


def test_it_says_what_it_is_and_runs_as_nobody_special(image):
    assert image.config["User"] == "1001:1001"
    assert image.config["Entrypoint"] == ["skymmich-reconciler"]  # no shell in between: signals arrive
    assert image.config["Cmd"] == ["run"]
    assert set(image.config["Volumes"]) == {STATE}
    assert image.config["StopSignal"] == "SIGTERM"
    assert image.config["Labels"]["org.opencontainers.image.licenses"] == "MIT"
    state = (image.root / STATE.lstrip("/")).stat()
    assert (state.st_uid, state.st_mode & 0o777) == (1001, 0o700)
    assert (image.root / "var/lib").stat().st_uid == 0


def test_no_file_of_ours_can_be_changed_by_who_runs_it(image):
    """Also where somebody does without the read-only file system."""
    found = subprocess.run(
        ["find", image.root / "opt", "!", "-type", "l", "(", "!", "-uid", "0", "-o", "-perm", "/022", ")"],
        text=True, capture_output=True, check=True,
    )  # fmt: skip
    assert found.stdout == ""


def test_it_syncs_stops_and_goes_on_where_it_was(run, image, place, immich):
    """It begins when it is told to, with Skymmich at work: its database is in WAL mode and open, and read-only for us."""
    database = place / "skymmich/skymmich.db"
    with closing(sqlite3.connect(database)) as skymmich:
        skymmich.execute("PRAGMA journal_mode = WAL")
        with skymmich:
            skymmich.execute("UPDATE astrophotography_images SET title = 'Before the start' WHERE id = 1")
        assert (place / "skymmich/skymmich.db-shm").exists()
        beside = sorted(path.name for path in (place / "skymmich").iterdir())

        container = run()
        wait_until(container.is_healthy, "it is healthy", container)
        wait_until(
            lambda: "Waits for you" in container.runs("skymmich-reconciler", "status").stdout,
            "it has looked at everything, and waits",
            container,
        )
        assert immich.requests()["writes"] == 0
        begun = container.runs("skymmich-reconciler", "apply", "--yes")
        assert begun.returncode == 0, begun.stdout + begun.stderr
        wait_until(lambda: "Before the start" in shown(immich, database), "the first sync", container)
        with skymmich:
            skymmich.execute("UPDATE astrophotography_images SET title = 'While it ran' WHERE id = 1")
        wait_until(lambda: "While it ran" in shown(immich, database), "an edit in the WAL", container)
        wait_until(lambda: in_sync(container), "all is verified", container)

        assert container.runs("id", "-u").stdout == "1001\n"
        assert container.runs("sh", "-c", "cat /proc/1/comm").stdout == "skymmich-reconc\n"
        for folder in ("/", "/opt", "/etc", "/skymmich", "/run/secrets"):
            assert "Read-only file system" in container.runs("touch", f"{folder}/x").stderr, folder
        assert sorted(path.name for path in (place / "skymmich").iterdir()) == beside
        code, seconds = container.stops()
        assert (code, seconds < 10) == (0, True), (place / "log").read_text()

        immich.reset()
        again = run(log="again")
        wait_until(again.is_healthy, "it is healthy again", again)
        wait_until(lambda: in_sync(again), "it has looked", again)
        assert immich.requests()["writes"] == 0
        assert again.stops()[0] == 0


def in_sync(container):
    done = container.runs("skymmich-reconciler", "status", "--json")
    status = json.loads(done.stdout or "{}")
    return bool(status.get("daemon")) and status["current"] is None and done.returncode == 0


def test_another_user_of_a_nas_needs_no_name_and_no_folder_but_the_state(run, place):
    """Unraid's nobody, say, who reads Skymmich's files by their group; the database rests in WAL mode: a copy is read."""
    with closing(sqlite3.connect(place / "skymmich/skymmich.db")) as skymmich:
        skymmich.execute("PRAGMA journal_mode = WAL")
    assert not (place / "skymmich/skymmich.db-shm").exists()
    give(place / "state", 99, 0o700)

    container = run("plan", user="99:100", groups=["1001"], tmpfs=[])

    assert container.process.wait(timeout=90) == 2, (place / "log").read_text()
    assert "Andromeda" in (place / "log").read_text()
    assert [path.name for path in (place / "skymmich").iterdir()] == ["skymmich.db"]


def test_a_user_who_may_not_read_the_catalogue_is_told_whose_it_is(run, place):
    give(place / "state", 99, 0o700)

    container = run("plan", user="99:100")

    assert container.process.wait(timeout=90) == 1
    assert "it belongs to uid 1001, Skymmich's own user in its container" in " ".join(
        (place / "log").read_text().split()
    )


def test_a_container_whose_page_does_not_answer_is_not_healthy(run):
    container = run()
    wait_until(container.is_healthy, "it is healthy", container)
    assert container.runs("env", "RECONCILER_STATUS__PORT=1", "skymmich-reconciler-healthy").returncode == 1


def of_fleet(name, port):
    """Give a service of the fleet's compose file and its command, at a port that is free here."""
    read = FLEET["services"][name]
    service = Service.of(read | {"environment": read["environment"] | {"RECONCILER_STATUS__PORT": port}}, {})
    # Her catalogue would be reached by its web address. Both run over the same files here, so both see both secrets.
    volumes = service.volumes | {"/skymmich": ("skymmich-config", False)}
    return replace(service, volumes=volumes, secrets=["state_url", "status_token"]), read["command"]


def test_the_fleet_s_image_runs_a_worker_and_the_pages_as_its_compose_file_says(
    build, runnable, place, immich
):
    """``runnable``: this machine can run images at all."""
    arguments = FLEET["services"]["worker"]["build"]["args"]
    image = build(f"{NAME}-fleet", *(f"--build-arg={name}={value}" for name, value in arguments.items()))
    folder = place / "installations"
    (folder / "anna").mkdir(parents=True)
    (folder / "anna.toml").write_text(
        f'[skymmich]\nsource = "/skymmich/skymmich.db"\n[immich]\nurl = "{immich.url}"\n[policy]\nmode = "sync"\n'
    )
    (folder / "anna" / "immich_api_key").write_text(immich.api_key)
    for path in (folder, *folder.rglob("*")):
        give(path, 1001, 0o700 if path.is_dir() else 0o600)
    with a_server(debians=True) as postgres:
        postgres.execute("CREATE ROLE keeper LOGIN", "CREATE DATABASE fleet OWNER keeper")
        wire = Wire(postgres.home / ".s.PGSQL.5432")
        (place / "secrets" / "state_url").write_text(f"postgresql://keeper@127.0.0.1:{wire.port}/fleet")
        volumes = {"./installations": folder, "skymmich-config": place / "skymmich"}
        port = free_port()
        with (place / "log").open("w") as output:
            (worker, works), (shows, showing) = of_fleet("worker", free_port()), of_fleet("pages", port)
            container = Container(image, worker, volumes, place / "secrets", works, output)
            pages = Container(image, shows, volumes, place / "secrets", showing, output)
        try:
            wait_until(container.is_healthy, "it is healthy", container)
            wait_until(pages.is_healthy, "the pages are healthy", pages)
            added = container.runs("skymmich-reconciler", "installations", "add", "anna")
            assert added.returncode == 0, added.stderr
            wait_until(
                lambda: "In sync" in installations(container), "a worker brought it into sync", container
            )
            wait_until(
                lambda: "In sync" in page_of("anna", port, "a-token-of-the-page"), "its page says so", pages
            )
            assert "In sync" not in page_of("anna", port, "another")
            assert "Read-only file system" in container.runs("touch", "/installations/x").stderr
            for one in (container, pages):
                code, seconds = one.stops()
                assert (code, seconds < 10) == (0, True), (place / "log").read_text()
        finally:
            container.close()
            pages.close()
            wire.close()


def installations(container):
    return container.runs("skymmich-reconciler", "installations").stdout

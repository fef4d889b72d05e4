"""The Debian package on a booted machine: installed, started, upgraded, removed, purged.

The tests share one machine and run in this order. What the units do once they are started: see ``test_boot``.
"""

from __future__ import annotations

import re

import pytest

from tests.systemd.acting import (
    CONFIGURATION,
    CONFIGURED,
    KEY,
    SERVICE,
    new_title,
    process,
    wait_until_shown,
)
from tests.systemd.conftest import start_simulator

pytestmark = pytest.mark.packages
DEB = "/usr/src/reconciler.deb"
EXAMPLE = "/etc/skymmich-reconciler/config.example.toml"
STATE = "/var/lib/private/skymmich-reconciler/state.sqlite3"
HOME = "/opt/skymmich-reconciler"


def dpkg(machine, *arguments):
    """Run dpkg as ``apt`` does in a script; what it says."""
    done = machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *arguments, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def is_there(machine, path):
    return machine.run("test", "-e", path, check=False).returncode == 0


@pytest.fixture(scope="module")
def installed(bare_machine):
    said = dpkg(bare_machine, "--install", DEB)
    assert "nothing was started" in said
    return bare_machine


@pytest.fixture(scope="module")
def running(installed):
    """Set it up as INSTALL.md says from step 3 on, and start it."""
    start_simulator(installed)
    installed.run("install", "-d", f"/etc/systemd/system/{SERVICE}.d")
    example = "/usr/share/doc/skymmich-reconciler/examples/docker-volume.conf"
    installed.run("install", "-m", "644", example, f"/etc/systemd/system/{SERVICE}.d/")
    installed.run("sh", "-c", "getent group 1001 >/dev/null || groupadd --system --gid 1001 skymmich")
    installed.write(CONFIGURED, CONFIGURATION)
    installed.write(KEY, installed.read("/run/immich-simulator").partition("API key: ")[2])
    installed.systemctl("daemon-reload")
    installed.systemctl("enable", "--now", SERVICE)
    return installed


def test_the_same_checkout_gives_the_same_bytes(debs):
    first, second = (deb.read_bytes() for deb in debs)
    assert first == second


def test_an_installation_by_hand_is_left_as_it_is(bare_machine):
    bare_machine.run("mkdir", "-p", f"{HOME}/venv")

    refused = bare_machine.run("dpkg", "--install", DEB, check=False)

    assert refused.returncode != 0
    assert "was installed by hand, and was left as it is" in refused.stderr
    assert bare_machine.run("find", HOME, "-mindepth", "2").stdout == ""
    bare_machine.run("rm", "-r", HOME)


def test_an_installation_starts_nothing(installed):
    assert installed.show(SERVICE, "ActiveState") == "inactive"
    units = installed.run("systemctl", "list-unit-files", "--no-legend", "skymmich-reconciler*").stdout
    assert re.findall(r"^(\S+) +(\S+)", units, re.MULTILINE) == [
        ("skymmich-reconciler-plan.service", "static"),
        (SERVICE, "disabled"),
        ("skymmich-reconciler@.service", "disabled"),
        ("skymmich-reconciler-plan.timer", "disabled"),
    ]
    assert installed.systemctl("list-units", "--all", "--no-legend", "--state=active", "skymmich-*") == ""


def test_what_was_installed_is_what_was_packed_and_systemd_has_nothing_to_say_about_it(installed):
    assert dpkg(installed, "--verify", "skymmich-reconciler") == ""
    units = installed.run("sh", "-c", "ls /usr/lib/systemd/system/skymmich-reconciler*").stdout.split()
    done = installed.run("systemd-analyze", "verify", "--man=no", *units)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_configuration_begins_as_the_example(installed):
    assert installed.read(CONFIGURED) == installed.read(EXAMPLE)


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "/usr/share/bash-completion/completions/skymmich-reconciler"),
        ("fish", "/usr/share/fish/vendor_completions.d/skymmich-reconciler.fish"),
    ],
)
def test_a_shell_finds_how_to_complete_it(installed, shell, place):
    assert (
        installed.read(place).strip()
        == installed.run("skymmich-reconciler", "completion", shell).stdout.strip()
    )


def test_it_keeps_immich_in_sync_once_somebody_starts_it(running):
    wait_until_shown(running, new_title(running), seconds=60)
    # Heading and type are OpenNGC's: the library that is left out is not missed.
    assert running.run("skymmich-reconciler", "doctor", "--json", check=False).returncode in {0, 1}
    assert "numpy" not in running.run("ls", f"{HOME}/venv/lib/python3.11/site-packages").stdout.split()


def test_an_upgrade_goes_on_with_what_ran_and_starts_nothing_else(running):
    before = process(running)

    dpkg(running, "--install", DEB)

    assert process(running) not in {before, "0"}
    assert running.show(SERVICE, "ActiveState") == "active"
    assert running.show("skymmich-reconciler-plan.timer", "ActiveState") == "inactive"
    assert running.read(CONFIGURED) == CONFIGURATION
    assert not is_there(running, "/run/skymmich-reconciler.stopped")
    wait_until_shown(running, new_title(running))


def test_a_service_that_was_stopped_is_not_started_by_an_upgrade(running):
    running.systemctl("stop", SERVICE)

    dpkg(running, "--install", DEB)

    assert running.show(SERVICE, "ActiveState") == "inactive"
    running.systemctl("start", SERVICE)


def test_a_removal_stops_it_and_keeps_what_is_a_persons(running):
    dpkg(running, "--remove", "skymmich-reconciler")

    assert running.systemctl("list-units", "--no-legend", "--state=active", "skymmich-*") == ""
    assert not is_there(running, HOME)
    assert not is_there(running, "/usr/bin/skymmich-reconciler")
    assert running.read(CONFIGURED) == CONFIGURATION
    assert is_there(running, KEY)
    assert is_there(running, STATE)


def test_a_purge_keeps_the_state_and_nothing_else(running):
    said = dpkg(running, "--purge", "skymmich-reconciler")

    assert "stays: what was written to Immich can be taken back with it" in said
    assert is_there(running, STATE)
    assert remains(running) == ["/var/lib/private/skymmich-reconciler", "/var/lib/skymmich-reconciler"]


def test_a_purge_deletes_the_state_if_it_was_asked_to(running):
    dpkg(running, "--install", DEB)
    asked = "skymmich-reconciler skymmich-reconciler/purge-state boolean true"
    running.run("debconf-set-selections", typed=asked)

    dpkg(running, "--purge", "skymmich-reconciler")

    assert remains(running) == []


def remains(machine):
    """Give what is left of it."""
    # dpkg takes an empty /opt with it: on a new machine it is nobody's.
    folders = (
        "/etc",
        *["/opt"][: is_there(machine, "/opt")],
        "/usr/bin",
        "/usr/lib/systemd",
        "/usr/share",
        "/var/lib",
        "/run",
    )
    found = machine.run("find", *folders, "-name", "*skymmich-reconc*", "-prune").stdout.split()
    return sorted(found)

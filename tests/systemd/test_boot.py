"""The units at work under a real systemd: installed as INSTALL.md says, started, signalled, killed, removed.

The tests share one machine and run in this order; each leaves the service running, or starts it itself.
"""

from __future__ import annotations

import json
import time

import pytest

from reconciler.core.desired.template import DEFAULT_TEMPLATE
from tests.systemd.acting import (
    CONFIGURATION,
    CONFIGURED,
    KEY,
    SERVICE,
    SIMULATOR,
    STATUS,
    edit,
    new_title,
    process,
    shown,
    wait_until_shown,
)


@pytest.fixture(scope="module")
def installed(machine):
    """Install it, step by step; step 1 was done while the machine was built."""
    machine.follow("2. Units, command and configuration")
    machine.write(CONFIGURED, CONFIGURATION)
    machine.follow("3. The database")
    machine.follow("4. The key", typed=machine.read("/run/immich-simulator").partition("API key: ")[2])
    return machine


@pytest.fixture(scope="module")
def started(installed):
    """Start it for the first time, and let it write everything."""
    said = installed.follow("5. Look, then start")
    assert "active (running)" in said
    wait_until_shown(installed, new_title(installed), seconds=60)
    return installed


@pytest.fixture
def running(started):
    """Have it run, whatever the test before left."""
    started.systemctl("start", SERVICE)
    return started


TAKEN = set()


def take_a_tag_away(machine):
    """Be a person who removes one of our tags in Immich; which one."""
    # What a pass wrote shows before the pass has verified it; a tag taken off meanwhile is given back at once.
    machine.wait_until(lambda: machine.fetch(STATUS)["current"] is None, "no pass is under way", SERVICE)
    asset = shown(machine)
    # Each time another one: the same once more would be put right an hour later.
    tag = next(tag for tag in asset["tags"] if tag.startswith("Astro/") and tag not in TAKEN)
    TAKEN.add(tag)
    machine.fetch(f"{SIMULATOR}/person", {"asset_id": asset["id"], "action": "remove_tag", "value": tag})
    assert tag not in shown(machine)["tags"]
    return tag


def wait_for_tag(machine, tag):
    machine.wait_until(lambda: tag in shown(machine)["tags"], f"the tag {tag} is back", SERVICE)


def test_the_units_are_right_where_the_program_is_installed(installed):
    """As in ``test_units``, but as they are, and among systemd's own."""
    units = installed.run("sh", "-c", "ls -d /etc/systemd/system/skymmich-reconciler*.[st]*").stdout.split()
    units = [unit for unit in units if not unit.endswith(".d")]
    assert len(units) == 4

    done = installed.run("systemd-analyze", "verify", "--man=no", *units)

    assert (done.stdout, done.stderr) == ("", "")


def test_the_command_shows_a_plan_before_the_daemon_was_ever_started(installed):
    done = installed.run("skymmich-reconciler", "plan", check=False)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "Andromeda" in done.stdout


def test_it_runs_and_says_how_things_stand(running):
    assert running.show(SERVICE, "ActiveState") == "active"
    assert running.show(SERVICE, "SubState") == "running"
    running.wait_until(lambda: "In sync" in running.show(SERVICE, "StatusText"), "it says so", SERVICE)
    assert running.run("systemctl", "is-enabled", SERVICE).stdout == "enabled\n"


def test_it_has_its_key_from_the_credential_and_from_nowhere_else(running):
    key = running.read(KEY).strip()
    pid = process(running)

    assert running.read(f"/run/credentials/{SERVICE}/immich_api_key").strip() == key
    wait_until_shown(running, new_title(running))
    for name in ("environ", "cmdline"):
        assert key not in running.read(f"/proc/{pid}/{name}")
    assert key not in running.journal(SERVICE)


def test_it_is_nobody_in_particular_and_can_write_its_state_only(running):
    pid = process(running)
    ids = {
        line.split()[0]: line.split()[1:] for line in running.read(f"/proc/{pid}/status").splitlines() if line
    }
    inside = ("nsenter", f"--target={pid}", "--mount")
    # Even root cannot, inside of what the service sees.
    closed = (
        "/etc",
        "/etc/skymmich-reconciler",
        "/usr",
        "/opt/skymmich-reconciler",
        "/run/skymmich",
        "/var/lib/docker",
    )
    for folder in closed:
        refused = running.run(*inside, "touch", f"{folder}/x", check=False)
        assert refused.returncode != 0, folder
        assert "Read-only file system" in refused.stderr or "No such file" in refused.stderr

    assert int(ids["Uid:"][0]) >= 61184  # a dynamic user
    assert ids["CapEff:"] == ids["CapBnd:"] == ["0" * 16]
    assert ids["NoNewPrivs:"] == ["1"]
    assert ids["Seccomp:"] == ["2"]
    assert running.run(*inside, "ls", "/home", check=False).stdout == ""
    assert running.run(*inside, "ls", "/var/lib/skymmich-reconciler").stdout != ""


def test_a_change_in_skymmich_gets_through_to_immich(running):
    wait_until_shown(running, new_title(running))


def test_sigusr1_makes_it_look_at_everything(running):
    wait_until_shown(running, new_title(running))
    tag = take_a_tag_away(running)

    running.systemctl("kill", "--kill-whom=main", "--signal=USR1", SERVICE)

    wait_for_tag(running, tag)
    history = running.run("skymmich-reconciler", "history", "--json").stdout
    assert "signal" in {run["trigger"] for run in json.loads(history)["runs"]}


def test_a_reload_brings_a_changed_configuration_into_force(running):
    pid = process(running)
    tag = take_a_tag_away(running)

    running.write(CONFIGURED, CONFIGURATION.replace("3600", "0.3"))
    running.systemctl("reload", SERVICE)

    wait_for_tag(running, tag)
    assert process(running) == pid


def test_a_reload_of_a_broken_configuration_is_reported_and_changes_nothing(running):
    pid = process(running)

    running.write(CONFIGURED, CONFIGURATION.replace("immich_seconds", "immich_secnds"))
    running.systemctl("reload", SERVICE)

    running.wait_until(lambda: "immich_secnds" in running.journal(SERVICE), "it is reported")
    running.write(CONFIGURED, CONFIGURATION)
    wait_until_shown(running, new_title(running))
    assert process(running) == pid
    running.systemctl("reload", SERVICE)


@pytest.fixture
def impatient(running):
    """Restart it with waits that are short enough for a test."""
    folder = f"/run/systemd/system/{SERVICE}.d"
    running.run("mkdir", folder)
    running.write(f"{folder}/impatient.conf", "[Service]\nWatchdogSec=3\nRestartSec=100ms\n")
    running.systemctl("daemon-reload")
    running.systemctl("restart", SERVICE)
    yield running
    running.run("rm", "-r", folder)
    running.systemctl("daemon-reload")


def test_a_users_template_is_rendered_within_the_cage_and_one_that_runs_away_is_refused(running):
    template = "/etc/skymmich-reconciler/mine.j2"
    running.write(template, DEFAULT_TEMPLATE + "{# by a user #}")
    running.write(CONFIGURED, f'{CONFIGURATION}[description]\ntemplate_file = "{template}"\n')
    running.systemctl("reload", SERVICE)
    wait_until_shown(running, new_title(running))
    workers = f"pgrep -P {process(running)} -f reconciler.rendering.worker"
    worker = running.run("sh", "-c", workers).stdout.strip()
    held = running.read(f"/proc/{worker}/status")
    assert "Seccomp:\t2" in held
    assert "NoNewPrivs:\t1" in held
    assert "unlimited" not in held_to(running, worker, "Max address space")

    running.write(template, "\n{{ 10 ** (10 ** 8) }}{{ heading * 2000000000 }}")
    running.systemctl("reload", SERVICE)
    wait_until_told(running, "mine.j2:?: it takes more than 1 s of computing")
    running.write(template, "\n{{ heading * 2000000000 }}")
    running.systemctl("reload", SERVICE)
    wait_until_told(running, "mine.j2:2: it takes more memory")
    running.write(CONFIGURED, CONFIGURATION)
    running.systemctl("reload", SERVICE)
    wait_until_shown(running, new_title(running))


def wait_until_told(machine, words):
    def told():
        conditions = {one["type"]: one for one in machine.fetch(STATUS)["conditions"]}
        return words in conditions["ConfigurationCurrent"]["message"]

    machine.wait_until(told, f"the configuration is refused: {words}", SERVICE)


def held_to(machine, pid, what):
    return next(line for line in machine.read(f"/proc/{pid}/limits").splitlines() if line.startswith(what))


def test_its_sudden_death_is_survived(impatient):
    pid = process(impatient)

    impatient.systemctl("kill", "--kill-whom=main", "--signal=KILL", SERVICE)

    impatient.wait_until(lambda: process(impatient) not in {pid, "0"}, "another process", SERVICE)
    wait_until_shown(impatient, new_title(impatient))
    assert int(impatient.show(SERVICE, "NRestarts")) >= 1


def test_the_watchdog_ends_it_when_it_hangs_and_it_starts_anew(impatient):
    pid = process(impatient)

    impatient.systemctl("kill", "--kill-whom=main", "--signal=STOP", SERVICE)

    impatient.wait_until(lambda: process(impatient) not in {pid, "0"}, "another process", SERVICE)
    wait_until_shown(impatient, new_title(impatient))
    assert int(impatient.show(SERVICE, "NRestarts")) >= 1
    assert "Watchdog timeout" in impatient.journal(SERVICE)


def test_it_stops_within_ten_seconds_and_with_nothing_to_complain_of(running):
    began = time.monotonic()
    running.systemctl("stop", SERVICE)

    assert time.monotonic() - began < 10
    for name, value in {
        "ActiveState": "inactive",
        "Result": "success",
        "ExecMainStatus": "0",
        "ExecMainCode": "1",
    }.items():
        assert running.show(SERVICE, name) == value


def test_a_wrong_configuration_is_not_tried_over_and_over(running):
    running.write(CONFIGURED, CONFIGURATION.replace("immich_seconds", "immich_secnds"))
    try:
        refused = running.run("systemctl", "restart", SERVICE, check=False)

        assert refused.returncode != 0
        assert running.show(SERVICE, "ActiveState") == "failed"
        assert running.show(SERVICE, "ExecMainStatus") == "78"
        assert "immich_secnds" in running.journal(SERVICE)
    finally:
        running.write(CONFIGURED, CONFIGURATION)


def test_the_daily_report_is_written_beside_the_running_daemon(running):
    running.follow("Every day")
    assert running.run("systemctl", "is-active", "skymmich-reconciler-plan.timer").stdout == "active\n"

    running.systemctl("start", "skymmich-reconciler-plan.service")

    assert running.show("skymmich-reconciler-plan.service", "Result") == "success"
    assert running.journal("skymmich-reconciler-plan.service") != ""
    assert running.show(SERVICE, "ActiveState") == "active"


def test_the_command_asks_the_running_daemon(running):
    done = running.run("skymmich-reconciler", "status", "--json", check=False)

    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert json.loads(done.stdout)["daemon"] is True


def test_an_instance_has_a_configuration_a_secret_and_a_state_of_its_own(running):
    instance = "skymmich-reconciler@alice.service"
    folder = "/etc/systemd/system/skymmich-reconciler"
    running.write("/etc/skymmich-reconciler/alice.toml", CONFIGURATION + "[status]\nport = 8288\n")
    running.write(KEY.replace("reconciler.", "reconciler@alice."), running.read(KEY))
    running.run("cp", "-r", f"{folder}.service.d", f"{folder}@.service.d")
    running.systemctl("daemon-reload")
    running.systemctl("stop", SERVICE)

    # Another one kept this library a moment ago: it is told that this one takes its place.
    running.run("skymmich-reconciler", "--instance", "alice", "adopt", "--take-over", "--yes")
    running.systemctl("start", instance)

    edit(running, "tags", json.dumps(["first light of alice"]))
    running.wait_until(
        lambda: any("first light of alice" in tag for tag in shown(running)["tags"]), "it is tagged", instance
    )
    assert running.run("ls", "/var/lib/skymmich-reconciler@alice").stdout != ""
    done = running.run("skymmich-reconciler", "--instance", "alice", "status", "--json", check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert json.loads(done.stdout)["daemon"] is True


def test_nothing_is_left_of_it_in_the_end(running):
    # In this machine, the software is a mount.
    running.systemctl("stop", "immich-simulator.service", "skymmich-reconciler*")
    running.run("umount", "/opt/skymmich-reconciler/venv")

    running.follow("Uninstall", 0)
    running.follow("Uninstall", 1)

    units = running.systemctl("list-units", "--all", "--no-legend", "skymmich-reconciler*")
    files = running.run("find", "/etc", "/opt", "/usr/local", "/var/lib", "/run", "-name", "skymmich-reconc*")
    assert (units, files.stdout) == ("", "")

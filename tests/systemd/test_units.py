"""The units as systemd reads them, without starting any. What they do once started: see ``test_boot``."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
CONFIGURATIONS = (UNITS / "examples").glob("*.conf")
EXAMPLES = sorted(path.name for path in CONFIGURATIONS if not path.name.startswith("nginx-"))
PROGRAM = "/opt/skymmich-reconciler/venv/bin/skymmich-reconciler"


@pytest.fixture
def units(tmp_path):
    """Copy the units, with a program that exists in place of ours: verify complains of one that is missing.

    With --root, verify would miss systemd's own units instead. The unchanged files are verified where the
    program is installed, in ``test_boot``.
    """
    for name in (*SERVICES, *TIMERS):
        text = (UNITS / name).read_text(encoding="utf-8")
        assert (PROGRAM in text) == name.endswith(".service")
        (tmp_path / name).write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return tmp_path


def read(name):
    """Read a unit's sections; a key's values, of which there may be several, as one text with line ends."""
    parser = configparser.RawConfigParser(strict=False, dict_type=Gathering, interpolation=None)
    parser.optionxform = str
    parser.read(UNITS / name, encoding="utf-8")
    return parser


class Gathering(dict):
    """configparser's way to keep a key that is repeated: a list is extended, not replaced."""

    def __setitem__(self, key, value):
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


@pytest.mark.parametrize("name", [*SERVICES, *TIMERS])
def test_systemd_has_nothing_to_say_about_a_unit(analyze, units, name):
    done = analyze("verify", "--man=no", str(units / name))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_does_say_something_about_a_misspelt_key(analyze, units):
    """It ends with 0 even so: that is why the tests here look at what it says."""
    unit = units / "skymmich-reconciler.service"
    unit.write_text(unit.read_text(encoding="utf-8").replace("PrivateTmp=", "PrivatTmp="), encoding="utf-8")

    done = analyze("verify", "--man=no", str(unit))

    assert done.returncode == 0
    assert "PrivatTmp" in done.stderr


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_has_nothing_to_say_about_a_unit_with_an_example(analyze, units, name, example):
    drop_ins = units / f"{name}.d"
    drop_ins.mkdir()
    shutil.copy(UNITS / "examples" / example, drop_ins)

    done = analyze("verify", "--man=no", str(units / name))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_exposed_by_at_most_1_3(analyze, name):
    done = analyze("security", "--offline=true", "--threshold=13", str(UNITS / name))

    assert done.returncode == 0, done.stdout
    exposure = re.search(r"Overall exposure level for .*: ([\d.]+) OK", done.stdout)
    assert exposure is not None
    assert float(exposure[1]) <= 1.3


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_caged_alike(name):
    """A unit file cannot include another: each has all of it, and here is what keeps them equal."""
    own = {
        "ExecReload",
        "NotifyAccess",
        "RestartSec",
        "Restart",
        "RestartPreventExitStatus",
        "SuccessExitStatus",
    }
    own |= {"ExecStart", "Type", "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec", "WatchdogSec"}

    def cage(unit):
        return {
            key: value
            for key, value in read(unit)["Service"].items()
            if key not in own | {"LoadCredential", "StateDirectory"}
        }

    assert len(cage(name)) > 35
    assert cage(name) == cage("skymmich-reconciler.service")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_asks_for_a_secret_that_may_be_missing_by_its_path(name):
    """A credential that is named by a path has to be there; one that is named by its name may be missing."""
    credentials = read(name)["Service"]["LoadCredential"].split("\n")

    assert [entry.partition(":")[0] for entry in credentials] == [
        "immich_api_key",
        "status_token",
        "skymmich_source",
        "notices_urls",
        "immich_headers",
    ]
    assert not [entry for entry in credentials if "/" in entry]


def test_the_instances_differ_from_the_single_service_in_names_only():
    single = (UNITS / "skymmich-reconciler.service").read_text(encoding="utf-8")
    instance = (UNITS / "skymmich-reconciler@.service").read_text(encoding="utf-8")

    def settings(text):
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    differing = [
        (one, other) for one, other in zip(settings(single), settings(instance), strict=True) if one != other
    ]
    assert {one.partition("=")[0] for one, _ in differing} == {
        "Description", "ExecStart", "LoadCredential", "StateDirectory",
    }  # fmt: skip
    assert all("%i" in other for _, other in differing)


def test_the_report_of_drift_runs_as_the_daemon_does():
    plan, daemon = read("skymmich-reconciler-plan.service"), read("skymmich-reconciler.service")

    for key in ("User", "StateDirectory", "LoadCredential"):
        assert plan["Service"][key] == daemon["Service"][key]


@pytest.mark.parametrize("words", [["--version"], ["completion", "bash"], []])
def test_completing_a_line_and_asking_for_the_version_need_no_root(tmp_path, words):
    stub = tmp_path / "program"
    stub.write_text('#!/bin/sh\necho "called with: $*"\n')
    stub.chmod(0o755)
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(
        (UNITS / "skymmich-reconciler").read_text(encoding="utf-8").replace(PROGRAM, str(stub))
    )
    environ = {"PATH": "/usr/bin:/bin"} | (
        {} if words else {"_SKYMMICH_RECONCILER_COMPLETE": "complete_bash"}
    )
    done = subprocess.run(
        ["sh", str(wrapper), *words], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"called with: {' '.join(words)}\n", "")

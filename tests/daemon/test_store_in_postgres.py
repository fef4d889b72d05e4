"""The daemon with its store in PostgreSQL: a real process, a real server that goes away and comes back."""

from __future__ import annotations

import signal
import subprocess

import pytest

from state.postgres.place import PostgresPlace
from state.store import StateStore
from tests.daemon.test_process import a_home, ended, until
from tests.postgres_server import a_server


@pytest.fixture(scope="module")
def postgres():
    with a_server() as made:
        made.execute("CREATE ROLE keeper LOGIN PASSWORD 'hunter2'", "CREATE DATABASE club OWNER keeper")
        yield made


@pytest.fixture
def home(tmp_path, postgres, request):
    """A user's home whose store is an installation of the club's database; each test has its own."""
    with a_home(tmp_path, images=12, drain=200.0) as made:
        address = postgres.address("club", "keeper").replace("keeper@", "keeper:hunter2@")
        made.installation = f"t{abs(hash(request.node.nodeid)):x}"
        made.place = PostgresPlace(address, made.installation)
        made.environ = {
            "RECONCILER_STATE__URL": address,
            "RECONCILER_STATE__INSTALLATION": made.installation,
            "STATE_DIRECTORY": str(tmp_path),
        }
        yield made


def call(home, *arguments):
    process = home._command(
        *arguments, "--config", str(home.config), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **home.environ,
    )  # fmt: skip
    out, err = process.communicate(timeout=60)
    assert "hunter2" not in out + err
    return process.returncode, out, err


def test_it_syncs_is_restarted_and_is_told_of_by_every_command(home):
    process = home.started(**home.environ)
    until(lambda: home.in_sync(process))
    with StateStore.open(home.place, read_only=True) as store:
        assert len(store.records()) == 12
        assert store.pending() == {}
    assert not home.state.exists()

    _, out, err = call(home, "status")
    assert "12 images" in out, out + err
    _, out, _ = call(home, "doctor")
    assert f"installation {home.installation} in the PostgreSQL database club" in " ".join(out.split())
    assert "the right to write is with" in " ".join(out.split())
    code, _, err = call(home, "apply")
    assert code != 0
    assert "daemon" in err

    process.terminate()
    assert ended(process)[0] == 0
    home.simulator.reset()
    process = home.started(**home.environ)
    until(lambda: home.in_sync(process))
    assert home.simulator.requests().get("writes", 0) == 0
    process.kill()
    process.wait()
    # Another one on this machine finds that it is dead: it does not wait for the end of its right.
    process = home.started(**home.environ)
    until(lambda: home.in_sync(process))
    assert "hunter2" not in process.log.read_text()


def test_a_server_that_is_gone_costs_no_write_and_work_goes_on_when_it_is_back(home, postgres):
    process = home.started(**home.environ)
    until(lambda: home.simulator.requests().get("writes", 0) > 4)
    postgres.stop()
    try:
        until(lambda: home.condition(process, "StoreWritable").get("status") == "False")
        until(home.simulator.is_idle)
        before = home.simulator.requests().get("writes", 0)
        home.sql("UPDATE astrophotography_images SET description = 'Meanwhile.'")
        told = home.condition(process, "StoreWritable")
        assert "cannot be reached" in str(told)
        assert "hunter2" not in str(told)
        assert process.poll() is None
        assert home.simulator.requests().get("writes", 0) == before
    finally:
        postgres.start()
    until(lambda: home.in_sync(process), 120.0)
    for asset in home.simulator.assets().values():
        assert "Meanwhile." in asset["description"] or "Object" not in asset["description"]
    process.terminate()
    assert ended(process)[0] == 0


def test_a_killed_daemons_writes_are_looked_up_before_anything_is_written_again(home):
    process = home.started(**home.environ)
    until(lambda: home.simulator.requests().get("writes", 0) > 4)
    process.kill()
    process.wait()
    process = home.started(**home.environ)
    until(lambda: home.in_sync(process))
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    with StateStore.open(home.place, read_only=True) as store:
        assert {run.outcome for run in store.runs(9)} <= {"succeeded", "stopped"}


def test_a_file_is_moved_there_and_back_and_nothing_is_written_for_it(home):
    process = home.started()
    until(lambda: home.in_sync(process))
    process.terminate()
    ended(process)
    home.simulator.reset()

    code, _, err = call(home, "restore", str(home.state), "--yes")
    assert code == 0, err
    code, _, _ = call(home, "plan")
    assert code == 0
    process = home.started(**home.environ)
    until(lambda: home.in_sync(process))
    code, _, _ = call(home, "backup", str(home.folder / "copy.sqlite3"))
    assert code == 0
    process.terminate()
    ended(process)

    home.state.unlink()
    code, _, err = home.command(
        "restore", str(home.folder / "copy.sqlite3"), "--yes", "--config", str(home.config)
    )
    assert code == 0, err
    process = home.started()
    until(lambda: home.in_sync(process))
    assert home.simulator.requests().get("writes", 0) == 0

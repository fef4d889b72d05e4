"""Workers and many installations, on a real PostgreSQL: prints what docs/performance.md has. Opt-in, minutes long.

Run as ``python tests/benchmarks/fleet.py throughput|chaos|idle|many [INSTALLATIONS]``. ``many`` brings one installation
into sync and copies its rows: what the others' looks cost the database and the workers is the same.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from state.tables import METADATA
from tests.daemon.test_process import until
from tests.fleet.conftest import Fleet
from tests.postgres_server import a_server

IMAGES = 6
LOOK_S = float(os.environ.get("LOOK_SECONDS", "600"))
"""Seconds between two looks at each of many installations."""
HOLD_S = 120.0
"""Seconds for which one worker stands still, and another is cut off."""


def fresh(server, stack, **settings):
    """Give a fleet without installations, in a database of its own."""
    server.execute("DROP DATABASE IF EXISTS fleet WITH (FORCE)", "CREATE DATABASE fleet OWNER keeper")
    fleet = Fleet(Path(stack.enter_context(tempfile.TemporaryDirectory())), server, stack, **settings)
    stack.callback(fleet.close)
    return fleet


def used(process):
    """Give a process's CPU in seconds and its memory in MiB, with its children's."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    cpu = sum(map(int, fields[11:15])) / 100
    status = Path(f"/proc/{process.pid}/status").read_text()
    return cpu, int(status.split("VmRSS:")[1].split()[0]) / 1024


def commits(server):
    with psycopg.connect(server.address(), autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'fleet'"
        )
        return row.fetchone()[0]


def throughput(server, count):
    for workers in (1, 2, 4):
        with ExitStack() as stack:
            fleet = fresh(server, stack)
            for number in range(count):
                fleet.add(f"i{number}", images=IMAGES, drain=8.0)
            began = time.monotonic()
            processes = [fleet.worker(ready=False) for _ in range(workers)]
            until(fleet.in_sync, 600.0)
            took = time.monotonic() - began
            cpu = sum(used(process)[0] for process in processes)
            print(f"{workers} workers: {count} installations of {IMAGES} images in sync after {took:.1f} s, "
                  f"{count * IMAGES / took:.1f} images a second, {cpu:.1f} s of CPU", flush=True)  # fmt: skip


def chaos(server, count):
    with ExitStack() as stack:
        fleet = fresh(server, stack)
        for number in range(count):
            fleet.add(f"i{number}", images=IMAGES, drain=8.0)
        began = time.monotonic()
        killed, cut, stopped = fleet.worker(), fleet.worker(wire=True), fleet.worker()
        until(lambda: fleet.writes() > 6 * count, 300.0)
        print(
            f"{fleet.writes()} writes after {time.monotonic() - began:.0f} s: one killed, one cut off, one stopped"
        )
        killed.kill()
        cut.wire.cut()
        stopped.send_signal(signal.SIGSTOP)
        fourth = fleet.worker()
        held, turn, words = time.monotonic(), 0, {}
        while time.monotonic() - held < HOLD_S:
            name = f"i{turn % count}"
            assets = sorted(fleet.simulators[name].assets())
            asset = assets[turn // count % len(assets)]
            words[name, asset] = f"family-{turn}"
            fleet.simulators[name].person(asset, "add_tag", words[name, asset])
            turn += 1
            time.sleep(0.5)
        cut.wire.mend()
        stopped.send_signal(signal.SIGCONT)
        until(fleet.in_sync, 600.0)
        print(f"in sync after {time.monotonic() - began:.0f} s; {len(words)} tags added by people meanwhile")
        time.sleep(20)
        lost = [
            word
            for (name, asset), word in words.items()
            if word not in str(fleet.simulators[name].assets()[asset]["tags"])
        ]
        overlaps = sum(simulator.faults().get("overlaps", 0) for simulator in fleet.simulators.values())
        print(
            f"lost: {len(lost)}; writes that overlapped: {overlaps}; in sync: {fleet.in_sync()}", flush=True
        )
        for process in (cut, stopped, fourth):
            rights = fleet.events(process).count("right lost")
            print(f"  a worker's CPU and memory: {used(process)}; rights lost: {rights}")
            process.terminate()
            print(f"  exit code {process.wait(60)}", flush=True)


def idle(server, count):
    with ExitStack() as stack:
        fleet = fresh(server, stack, look_seconds=60)
        shared = fleet.add("i0", images=4, drain=200.0)
        for number in range(1, count):
            fleet.add(f"i{number}", images=4, simulator=shared)
        process = fleet.worker(concurrency=8)
        print("first looks", flush=True)
        time.sleep(150)
        cpu, memory = used(process)
        before, requests, began = commits(server), shared.requests()["total"], time.monotonic()
        time.sleep(120)
        took = time.monotonic() - began
        now, _ = used(process)
        text = fleet.health(process, "metrics")[1]
        print("\n".join(line for line in text.splitlines() if line.startswith("reconciler_worker_visits")))
        print(f"{count} idle installations: {(commits(server) - before) / took:.1f} transactions a second, "
              f"{(now - cpu) / took * 100:.1f} % of a core, {(shared.requests()['total'] - requests) / took:.1f} "
              f"requests a second, {memory:.0f} MiB", flush=True)  # fmt: skip


def copied(server, fleet, count):
    """Give the installation ``i0``'s rows and files to as many others."""
    with psycopg.connect(server.address("fleet"), autocommit=True) as connection:
        connection.execute("SET search_path = skymmich_reconciler")
        connection.execute(
            "INSERT INTO installations (name) SELECT 'i' || n FROM generate_series(1, %s) AS n", (count - 1,)
        )
        for table in (*METADATA.sorted_tables, "installation_statuses"):
            name = getattr(table, "name", table)
            if name == "lease":
                continue
            rows = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'skymmich_reconciler' "
                "AND table_name = %s AND column_name <> 'installation'", (name,),
            ).fetchall()  # fmt: skip
            columns = ", ".join(f'was."{column}"' for (column,) in rows)
            names = ", ".join(f'"{column}"' for (column,) in rows)
            connection.execute(
                f"INSERT INTO {name} (installation, {names}) SELECT new.id, {columns} FROM {name} AS was "
                "JOIN installations AS seed ON seed.id = was.installation AND seed.name = 'i0' "
                "JOIN installations AS new ON new.name <> 'i0'"
            )
        connection.execute("ANALYZE")
    folder = fleet.folder / "installations"
    for number in range(1, count):
        (folder / f"i{number}.toml").symlink_to(folder / "i0.toml")
        (folder / f"i{number}").symlink_to(folder / "i0")


def many(server, count):
    with ExitStack() as stack:
        fleet = fresh(server, stack, look_seconds=LOOK_S, requests_per_server=256)
        seed = fleet.add("i0", images=4, drain=200.0)
        process = fleet.worker()
        fleet.call("installations", "sync", "i0")  # its first look may be minutes away
        until(fleet.in_sync, 60.0)
        time.sleep(12)
        process.terminate()
        process.wait()
        copied(server, fleet, count)
        workers = [fleet.worker(concurrency=8) for _ in range(2)]
        began = time.monotonic()
        last = (began, commits(server), seed.requests()["total"], [used(one)[0] for one in workers], 0)
        while time.monotonic() - began < 2 * LOOK_S:
            time.sleep(60)
            now = (
                time.monotonic(), commits(server), seed.requests()["total"], [used(one)[0] for one in workers],
                looks(fleet, workers),
            )  # fmt: skip
            took = now[0] - last[0]
            print(
                f"{now[0] - began:5.0f} s: {(now[4] - last[4]) / took:.1f} looks, {(now[1] - last[1]) / took:.0f} "
                f"transactions and {(now[2] - last[2]) / took:.1f} requests a second, "
                f"{(sum(now[3]) - sum(last[3])) / took * 100:.0f} % of a core, "
                f"{', '.join(f'{used(one)[1]:.0f} MiB' for one in workers)}, "
                f"{waiting(server)} tasks in the queue",
                flush=True,
            )
            last = now
        for one in workers:
            one.terminate()
            one.wait()


def looks(fleet, workers):
    """Give how many visits ended well."""
    texts = [fleet.health(one, "metrics")[1] for one in workers]
    lines = [
        line
        for text in texts
        for line in text.splitlines()
        if line.startswith("reconciler_worker_visits_total")
    ]
    return sum(float(line.split()[-1]) for line in lines if 'result="done"' in line and 'task="look"' in line)


def waiting(server):
    with psycopg.connect(server.address("fleet"), autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM skymmich_reconciler_tasks.procrastinate_jobs "
            "WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())"
        )
        return row.fetchone()[0]


if __name__ == "__main__":
    what, number = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with a_server() as server:
        server.execute("CREATE ROLE keeper LOGIN")
        {"throughput": throughput, "chaos": chaos, "idle": idle, "many": many}[what](
            server, number or {"chaos": 50, "many": 10_000}.get(what, 20)
        )

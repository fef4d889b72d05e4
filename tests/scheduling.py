"""Which file of tests a process of pytest-xdist takes next: so that the processors have work until the end.

Some files mostly wait for servers to settle, some start programs and a browser, some compute all the time. Several
that compute beside each other only take turns, and where all wait nothing is computed. So each kind has processes in
proportion to what is left of it, and all kinds end at about the same time. In each the longest file comes first.
"""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadFileScheduling

KINDS: Final = {
    "fleet": "waits",
    "benchmarks": "starts",
    "cli": "starts",
    "conformance": "starts",
    "daemon": "starts",
    "engine": "starts",
    "fuzz": "starts",
    "packages": "starts",
    "systemd": "starts",
    "web": "starts",
    "daemon/test_approving.py": "computes",
    "daemon/test_beginning.py": "computes",
    "daemon/test_clocks.py": "computes",
    "daemon/test_crossings.py": "computes",
    "daemon/test_day.py": "computes",
    "daemon/test_instances.py": "computes",
    "daemon/test_noticing.py": "computes",
    "daemon/test_store_file.py": "waits",
    "engine/test_bad_rows.py": "computes",
    "engine/test_guard_and_canary.py": "computes",
    "engine/test_sticking.py": "computes",
    "engine/test_trouble.py": "computes",
    "skymmich/test_rest.py": "waits",
    "skymmich/test_rest_edits.py": "waits",
    "systemd/test_boot.py": "waits",
    "web/test_openapi.py": "computes",
}
"""What the files of a folder do, or a single one; any other computes."""
SECONDS: Final = {
    "benchmarks/test_bound.py": 12,
    "benchmarks/test_library.py": 75,
    "benchmarks/test_loop.py": 25,
    "benchmarks/test_web_source.py": 20,
    "cli/test_adopt.py": 30,
    "cli/test_backup.py": 50,
    "cli/test_beginning.py": 30,
    "cli/test_beside_daemon.py": 15,
    "cli/test_confirm.py": 15,
    "cli/test_demo.py": 18,
    "cli/test_leaving_out.py": 25,
    "cli/test_plan_and_apply.py": 55,
    "cli/test_resolve.py": 20,
    "cli/test_secrets.py": 17,
    "cli/test_seen.py": 18,
    "cli/test_stacks.py": 60,
    "cli/test_undo.py": 65,
    "core/test_asset_ids.py": 9,
    "core/test_packed_images.py": 10,
    "core/test_properties.py": 25,
    "daemon/test_beginning.py": 10,
    "daemon/test_day.py": 14,
    "daemon/test_fencing.py": 45,
    "daemon/test_instances.py": 8,
    "daemon/test_noticing.py": 18,
    "daemon/test_process.py": 70,
    "daemon/test_store_file.py": 110,
    "daemon/test_store_in_postgres.py": 28,
    "daemon/test_templates.py": 55,
    "engine/test_apply.py": 25,
    "engine/test_bad_rows.py": 12,
    "engine/test_conflicts.py": 13,
    "engine/test_crossing.py": 17,
    "engine/test_guard_and_canary.py": 12,
    "engine/test_killed.py": 30,
    "engine/test_many_people.py": 18,
    "engine/test_people.py": 35,
    "engine/test_trouble.py": 16,
    "engine/test_unknown.py": 19,
    "fleet/test_asked_again.py": 80,
    "fleet/test_notices.py": 15,
    "fleet/test_pages.py": 25,
    "fleet/test_pages_at_work.py": 150,
    "fleet/test_statuses.py": 14,
    "fleet/test_wishes.py": 115,
    "fleet/test_workers.py": 130,
    "fuzz/test_fuzz.py": 20,
    "model/test_model.py": 9,
    "notices/test_sender.py": 16,
    "packages/test_container.py": 130,
    "packages/test_wheel.py": 60,
    "rendering/test_renderer.py": 27,
    "rendering/test_runaways.py": 12,
    "simulator/test_picture.py": 10,
    "skymmich/test_rest.py": 60,
    "skymmich/test_rest_edits.py": 105,
    "state/test_transactions.py": 12,
    "systemd/test_boot.py": 70,
    "systemd/test_deb.py": 60,
    "test_site.py": 16,
    "virtual/test_albums.py": 18,
    "virtual/test_carrying_over.py": 12,
    "virtual/test_crossing.py": 12,
    "virtual/test_every_version.py": 10,
    "virtual/test_failing_store.py": 12,
    "virtual/test_flapping.py": 14,
    "virtual/test_losses_over_time.py": 22,
    "virtual/test_ownership.py": 22,
    "virtual/test_promises.py": 30,
    "virtual/test_schedules.py": 11,
    "virtual/test_slices.py": 14,
    "virtual/test_stacks.py": 12,
    "virtual/test_undo.py": 28,
    "web/test_browser.py": 175,
    "web/test_browser_everywhere.py": 70,
    "web/test_browser_finding.py": 60,
    "web/test_clicks.py": 85,
    "web/test_first_hour.py": 67,
    "web/test_notices_page.py": 20,
    "web/test_prometheus.py": 20,
    "web/test_reverse_proxy.py": 18,
    "web/test_strangers.py": 15,
    "web/test_tutorial.py": 15,
}
"""About how many seconds a long file takes."""
USUAL: Final = {"waits": 5.0, "starts": 5.0, "computes": 2.5}
"""Seconds of any other file."""


def name_of(file: str) -> str:
    """Return a file's name within the folder of tests."""
    return file.removeprefix("tests/")


def kind_of(file: str) -> str:
    """Return what a file of tests does all the time: ``waits``, ``starts`` or ``computes``."""
    name = name_of(file)
    return KINDS.get(name) or KINDS.get(name.partition("/")[0], "computes")


def seconds_of(file: str) -> float:
    """Return about how many seconds a file of tests takes."""
    return SECONDS.get(name_of(file), USUAL[kind_of(file)])


def next_file(queue: list[str], at_work: list[str]) -> str:
    """Return which file to take next.

    Args:
        queue: files that nobody has taken, at least one.
        at_work: the file that each of the other processes has.
    """
    left: dict[str, float] = {}
    for file in queue:
        left[kind_of(file)] = left.get(kind_of(file), 0.0) + seconds_of(file)
    processes = [kind_of(file) for file in at_work]
    kind = max(left, key=lambda one: left[one] / (processes.count(one) + 1))
    return max((file for file in queue if kind_of(file) == kind), key=seconds_of)


class Scheduling(LoadFileScheduling):
    """Gives whole files to processes, in the order of ``next_file``."""

    def _assign_work_unit(self, node):
        others = [list(work) for other, work in self.assigned_work.items() if other is not node]
        file = next_file(list(self.workqueue), [files[-1] for files in others if files])
        self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.engine.approvals import waiting_approval
from state.lease import Lease
from state.store import StateStore

RING, JELLYFISH = 19, 33
ROOT = Path(__file__).resolve().parents[2]


def test_plan_shows_each_value_with_its_reason_and_writes_nothing(two):
    done = two.run("plan")
    assert done.returncode == 2, done.stderr
    for expected in (
        "Jellyfish  image 33",
        "+ ✦ IC 443 · Jellyfish Nebula",
        "+ 49.573100, 10.984200",
        "+ Astro/Constellation/Gemini",
        "Immich has none",
        "2 images: 2 to write.",
    ):
        assert expected in done.stdout
    assert two.writes == 0


def test_plan_and_explain_name_the_tags_that_are_left_out(two):
    with closing(sqlite3.connect(two.catalogue)) as catalogue, catalogue:
        noise = json.dumps(["HD 44179", "34 Sgr)", "Propus (η Gem"])
        catalogue.execute(
            "UPDATE astrophotography_images SET tags = ?, title = 'Beside HD 44179' WHERE id = 33", (noise,)
        )
    said = "2 tags were left out, because they are the plate solver's or [tags] drop names them: “34 Sgr)”, “Propus (η Gem”"
    planned, explained = two.run("plan", "33").stdout, two.run("explain", "33").stdout
    assert said in " ".join(planned.split())
    assert said in " ".join(explained.split())
    assert "+ Astro/HD 44179" in planned


def test_plan_as_json_is_one_document_with_every_side_of_every_field(two):
    done = two.call("plan", "--json", "jelly")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert (told["images"], told["changes"], told["left_out"]) == (1, 1, 0)
    (image,) = told["items"]
    assert (image["image_id"], image["status"]) == (JELLYFISH, "changes")
    assert image["plan"]["coordinates"] == {"latitude": 49.5731, "longitude": 10.9842}
    decided = {decision["field"] for decision in image["plan"]["decisions"]}
    assert decided == {"block", "prose", "coordinates", "tags"}
    assert {"field": "coordinates", "kind": "added"}.items() <= next(
        one for one in image["plan"]["differences"] if one["field"] == "coordinates"
    ).items()


def test_apply_writes_only_once_it_was_told_to_and_then_there_is_nothing_left(two):
    unasked = two.run("apply")
    assert (unasked.returncode, two.writes) == (1, 0)
    assert "apply --yes" in unasked.stderr
    done = two.run("apply", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["run"]["outcome"] == "succeeded"
    assert told["requests"]["writes"] == two.writes + two.simulator.requests().get("notes", 0)
    assert "✦ IC 443" in two.shown(JELLYFISH)["description"]
    before = two.writes
    again = two.run("apply", "--yes")
    assert (again.returncode, two.writes) == (0, before)
    assert two.run("plan").returncode == 0
    faults = two.simulator.faults()
    assert (faults["lost"], faults["overlaps"]) == (0, 0)


def test_on_a_terminal_apply_asks_and_no_means_no(two):
    code, shown = two.typed("apply", "Jellyfish", answer="n")
    assert (code, two.writes) == (1, 0)
    assert "Write to 1 asset in Immich? [y/N]" in shown
    assert "nothing was written" in shown
    assert max(len(line.rstrip()) for line in _plain(shown)) <= 80
    code, shown = two.typed("apply", "Jellyfish", answer="y")
    assert code == 0
    assert two.shown(RING)["description"] == ""
    assert "1 in sync" in shown


def _plain(shown: str) -> list[str]:
    """Take colours and cursor movements off what a terminal was sent."""
    return re.split(r"\r?\n|\r", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown))


def test_with_the_master_switch_off_plan_works_and_apply_says_why_it_refuses(two):
    two.sql("UPDATE admin_settings SET value = json_set(value, '$.metadataSyncEnabled', json('false'))")
    planned, refused = two.call("plan"), two.call("apply", "--yes")
    assert (planned.returncode, refused.returncode, two.writes) == (2, 1, 0)
    assert "apply will refuse" in planned.stdout
    assert "metadataSyncEnabled" in refused.stderr
    assert "Switch it on in Skymmich" in refused.stderr


def test_a_saved_plan_is_applied_only_where_it_is_still_the_same(two, tmp_path):
    file = tmp_path / "plan.json"
    assert two.call("plan", "--out", str(file)).returncode == 2
    assert file.stat().st_mode & 0o777 == 0o600
    saved = json.loads(file.read_text())
    assert (saved["version"], len(saved["items"])) == (2, 2)
    assert saved["created"]
    two.person(RING, "set_description", "Mine.")
    done = two.call("apply", "--yes", str(file))
    assert done.returncode == 1
    assert "“Ring Nebula with its outer halo” is skipped: changed since the plan was made" in done.stdout
    assert done.stdout.count("since the plan was made") == 1
    assert two.shown(RING)["description"] == "Mine."
    assert two.shown(RING)["tags"] == []
    assert "✦ IC 443" in two.shown(JELLYFISH)["description"]


def test_what_is_no_plan_is_not_applied(two, tmp_path):
    for name, text in (
        ("a.json", "{}"),
        ("b.json", "no"),
        ("c.json", '{"kind": "skymmich-reconciler plan"}'),
    ):
        (tmp_path / name).write_text(text)
        done = two.call("apply", "--yes", str(tmp_path / name))
        assert (done.returncode, two.writes) == (1, 0)
        assert "plan --out FILE" in done.stderr


def test_a_persons_words_are_kept_shown_with_both_sides_and_overwritten_only_by_name(two):
    two.person(RING, "set_description", "Seen from the balcony.")
    assert two.call("apply", "--yes").returncode == 0
    assert "Seen from the balcony." in two.shown(RING)["description"]
    listed = two.call("conflicts")
    assert listed.returncode == 0
    for expected in ("Ring Nebula", "Immich:    “Seen from the balcony.”", "catalogue: “Shortest nights"):
        assert expected in listed.stdout
    unnamed = two.call("apply", "--yes", "--force")
    assert unnamed.returncode == 1
    assert "needs the images by name" in unnamed.stderr
    assert two.call("apply", "--yes", "--force", "ring").returncode == 0
    assert "balcony" not in two.shown(RING)["description"]


def test_a_conflict_is_told_everywhere_although_the_image_was_in_sync_or_has_something_to_write(two):
    assert two.call("apply", "--yes").returncode == 0
    assert "No conflicts." in two.call("conflicts").stdout
    two.person(RING, "set_description", "Mine, alone")
    two.sql("UPDATE astrophotography_images SET description = 'Theirs' WHERE id = ?", RING)
    listed = two.call("conflicts").stdout
    assert ("Mine, alone" in listed, "Theirs" in listed) == (True, True)
    planned = two.call("plan", str(RING), "--full").stdout
    assert "1 of those to write keeps a value of yours." in planned
    assert "To write it: skymmich-reconciler apply 19 --full" in planned
    for said in (planned, two.call("explain", str(RING)).stdout, two.call("apply", "--yes").stdout):
        assert said.count("resolve IMAGE --keep immich|skymmich|both") == 1
    skipped = two.call("plan")
    assert (skipped.returncode, "resolve IMAGE --keep" in skipped.stdout) == (0, True)
    assert "Theirs" in two.call("conflicts").stdout


def test_what_the_guard_holds_back_comes_with_the_command_that_approves_it(two):
    two.configure("[guard]\ncanary = 0\nmin_count = 2\n")
    assert two.call("apply", "--yes").returncode == 0
    two.sql("UPDATE astrophotography_images SET tags = json_remove(tags, '$[0]')")
    planned = two.call("plan", "--json")
    assert planned.returncode == 2
    guard = json.loads(planned.stdout)["guard"]
    assert guard["tripped"]
    assert "2 of 2 managed assets would lose something" in guard["reasons"][0]
    tags = two.shown(JELLYFISH)["tags"]
    gone = json.loads(planned.stdout)["items"][1]["withheld"]["remove_tags"]
    assert len(gone) == 1
    shown = two.call("plan").stdout
    assert "What it would write to 2 images if approved" in shown
    assert f"- {gone[0]}" in shown
    held = two.call("apply", "--yes")
    assert (held.returncode, two.shown(JELLYFISH)["tags"]) == (1, tags)
    assert guard["reasons"][0] in held.stdout
    assert guard["approve"] in held.stdout
    assert two.call("apply", "--yes", "--approve", guard["hash"]).returncode == 0
    assert len(two.shown(JELLYFISH)["tags"]) == len(tags) - 1


def test_apply_beside_another_writer_says_who_that_is(two):
    with StateStore.open(two.store) as store:
        with Lease(store, lambda: datetime.now(UTC)).held("daemon", timedelta(minutes=1)):
            done = two.run("apply", "--yes", RECONCILER_POLICY__MODE="sync")
        assert (done.returncode, two.writes) == (1, 0)
        assert "'daemon'" in done.stderr
        assert "systemctl stop skymmich-reconciler" in done.stderr


def test_an_approval_beside_the_daemon_is_left_for_it_and_only_of_what_it_holds(two):
    two.configure("[guard]\ncanary = 0\nmin_count = 2\n")
    assert two.call("apply", "--yes").returncode == 0
    two.sql("UPDATE astrophotography_images SET tags = json_remove(tags, '$[0]')")
    harm = json.loads(two.call("plan", "--json").stdout)["guard"]["hash"]
    before = two.writes
    with (
        StateStore.open(two.store) as store,
        Lease(store, lambda: datetime.now(UTC)).held("daemon", timedelta(minutes=1)),
    ):
        wrong = two.call("apply", "--approve", "0" * 20)
        assert (wrong.returncode, waiting_approval(store)) == (1, "")
        assert f"it holds {harm} now" in wrong.stderr
        right = two.call("apply", "--approve", harm)
        assert (right.returncode, waiting_approval(store)) == (0, harm)
        assert "Approved: the daemon carries it out at its next look" in right.stdout
        assert two.call("apply", "--approve", harm, "ring").returncode == 1
    assert two.writes == before


def test_a_plan_begins_with_its_sum_and_counts_what_comes_what_changes_and_what_goes_apart(two):
    first = two.call("plan").stdout.splitlines()
    assert first[0] == "2 images: 2 to write."
    said = [" ".join(line.split()) for line in first[1:4]]
    assert said[:2] == ["description 2 to add", "place 2 to add"]
    assert re.fullmatch(r"tags \d+ to add", said[2])
    assert two.call("apply", "--yes").returncode == 0
    tag = next(iter(two.shown(JELLYFISH)["tags"]))
    two.sql(
        "UPDATE astrophotography_images SET title = 'Another name', latitude = 10, tags = '[]' WHERE id = 33"
    )
    two.person(JELLYFISH, "remove_tag", tag)
    changed = [" ".join(line.split()) for line in two.call("plan").stdout.splitlines()[:4]]
    assert changed[:3] == [
        "2 images: 1 in sync, 1 to write.",
        "description 1 to change",
        "place 1 to change",
    ]
    assert re.fullmatch(r"tags 1 to add, \d+ to remove", changed[3])


def test_a_long_plan_is_shortened_until_all_is_asked_for(install):
    with install(*range(1, 31)) as it:
        short, whole = it.run("plan"), it.run("plan", "--all")
    rows = re.compile(r"^ +\d+  .*\+\d+ .*\+\d+$", re.MULTILINE)
    assert short.returncode == whole.returncode == 2
    assert len(rows.findall(short.stdout)) == 20
    more = re.search(r"… and (\d+) more \(all of them: plan --all\)", short.stdout)
    assert len(rows.findall(whole.stdout)) == 20 + int(more.group(1))
    assert "more (all of them" not in whole.stdout
    assert "+ added, ~ changed, − removed" in short.stdout


def test_whoever_reads_the_first_lines_of_a_plan_alone_hears_no_complaint(two):
    for words in (["plan"], ["plan", "--details"], ["plan", "--json"]):
        command = shlex.join([sys.executable, "-m", "reconciler", *words])
        # What is written behind the first line fits no pipe's buffer: so many of it are written.
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | sh -c 'exec <&-'"],
            cwd=ROOT, env=two.surroundings, capture_output=True, text=True, check=False, timeout=50,
        )  # fmt: skip
        assert done.returncode == 141, words
        assert done.stderr.splitlines() == ["Reading the catalogue and what Immich shows"]


def test_an_apply_whose_progress_nobody_reads_writes_all_the_same(two):
    command = shlex.join([sys.executable, "-m", "reconciler", "apply", "--yes"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} 2> >(exec <&-) >/dev/null"],
        cwd=ROOT, env=two.surroundings, capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0
    assert "✦ IC 443" in two.shown(JELLYFISH)["description"]
    assert "✦ M 57" in two.shown(RING)["description"]


def test_what_is_logged_beside_a_command_is_no_json(install):
    with install(RING, JELLYFISH, unkind="busy", seed=3) as it:
        done = it.run("apply", "--yes", "--verbose")
    assert "pass.done" in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith("{")]


def test_a_tag_deleted_in_immich_is_put_back_by_the_next_apply_without_any_daemon(two):
    assert two.call("apply", "--yes").returncode == 0
    before = two.shown(RING)["tags"]
    tag = next(tag for tag in before if tag.count("/") > 1)
    two.person(RING, "delete_tag", tag)  # moves no date
    assert tag not in two.shown(RING)["tags"]
    assert tag in two.call("plan").stdout
    assert two.call("apply", "--yes").returncode == 0
    assert two.shown(RING)["tags"] == before

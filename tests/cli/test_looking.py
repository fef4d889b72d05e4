from __future__ import annotations

import json
import os
import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from state.lease import Lease
from state.store import StateStore


def test_explain_shows_the_catalogue_each_fields_decision_the_block_and_what_was_done(applied):
    done = applied.call("explain", "jelly")
    assert done.returncode == 0, done.stderr
    for expected in (
        "In sync.",
        "IC 443, Jellyfish Nebula",
        "104 frames, 8.7 h",
        "as written by this program",
        "  ✦ IC 443 · Jellyfish Nebula",
        "What was written, the newest first",
        "+ Astro/Constellation/Gemini",
    ):
        assert expected in done.stdout


def test_explain_as_json_has_applied_observed_and_desired(applied):
    told = json.loads(applied.call("explain", "33", "--json").stdout)
    assert told["status"] == "in_sync"
    assert told["applied"]["block"] == told["desired"]["block"]
    assert told["desired"]["block"] in told["observed"]["description"]
    assert {entry["field"] for entry in told["history"]} == {"description", "coordinates", "tags"}


def test_explain_shows_what_is_known_where_immich_does_not_answer(applied):
    applied.configure(url="http://127.0.0.1:1")
    done = applied.call("explain", "jelly")
    applied.configure()
    assert done.returncode == 1
    assert "  ✦ IC 443 · Jellyfish Nebula" in done.stdout
    assert "127.0.0.1:1" in done.stderr


def test_history_lists_runs_and_of_one_what_it_replaced(applied):
    listed = json.loads(applied.call("history", "--json").stdout)["runs"]
    assert [run["outcome"] for run in listed] == ["succeeded"]
    shown = applied.call("history", "--run", listed[0]["run_id"])
    assert shown.returncode == 0
    assert "Ring Nebula with its outer halo  image 19" in shown.stdout
    assert "+ 49.573100, 10.984200" in shown.stdout
    named = applied.call("history", listed[0]["run_id"][:5])
    assert (named.returncode, named.stdout) == (0, shown.stdout)
    for command in ("undo", "history"):
        neither = applied.call(command, "zzzz")
        assert neither.returncode == 1
        assert "No run and no image in the store is “zzzz”." in neither.stderr
    unknown = applied.call("history", "--run", "nope")
    assert (unknown.returncode, "No run is called nope" in unknown.stderr) == (1, True)


def test_moments_are_local_and_name_their_zone(applied):
    for command in (["history"], ["history", "33"], ["status"], ["explain", "33"]):
        shown = applied.run(*command, TZ="Asia/Kathmandu").stdout
        assert re.search(r"\d\d:\d\d:\d\d \+0545", shown), shown
    assert re.search(r"last run [\d-]+ \d\d:\d\d CET: ", applied.run("doctor", TZ="CET-1").stdout)


def test_without_a_daemon_status_shows_what_is_on_record_and_says_so(applied):
    done = applied.call("status")
    assert done.returncode == 3
    assert "No daemon answers, so this is what is on record." in done.stdout
    assert "3 images: 3 in sync." in done.stdout


def test_without_a_daemon_nothing_is_said_to_be_tried_again_by_itself(two):
    with StateStore.open(two.store) as store:
        kept_back = AssetRecord("an-asset", 19, "Ring", status="not_sticking", reasons=(reason("read_only"),))
        store.save_records([kept_back])
        alone = two.call("status").stdout
        now = datetime.now(UTC)
        with Lease(store, lambda: now).held("daemon", timedelta(minutes=2)):
            beside = two.call("status").stdout
    assert "apply tries it again when something about the image changes" in alone
    assert "it is tried again when something about the image changes" in beside


def test_status_asks_the_daemon_where_one_runs(applied):
    for level, code in (("ok", 0), ("attention", 1)):
        with _daemon({"headline": "In sync: 3 images", "level": level}) as port:
            done = applied.run("status", RECONCILER_STATUS__PORT=str(port), http_proxy="http://127.0.0.1:1")
        assert done.returncode == code, done.stderr
        assert done.stdout.startswith("In sync: 3 images\n")


def test_a_daemon_that_refuses_the_token_is_not_told_as_no_daemon(applied):
    with _daemon({"detail": "no"}, status=401) as port:
        done = applied.run("status", RECONCILER_STATUS__PORT=str(port))
        listed = applied.run("status", "--json", RECONCILER_STATUS__PORT=str(port))
        switched = applied.run("settings", "set", "syncTags=on", RECONCILER_STATUS__PORT=str(port))
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert f"A daemon answers at 127.0.0.1:{port}" in said
    assert "401" in said
    assert "token_file" in said
    assert "No daemon" not in said
    assert "3 images: 3 in sync." in said
    told = json.loads(listed.stdout)
    assert (told["daemon"], "401" in told["trouble"]) == (True, True)
    assert "No daemon runs" not in switched.stdout


def test_something_else_at_the_daemons_port_is_no_daemon(applied):
    with _daemon({"detail": "no"}, status=404) as port:
        done = applied.run("status", RECONCILER_STATUS__PORT=str(port))
    assert done.returncode == 3
    assert "No daemon answers" in done.stdout


def test_without_a_daemon_status_tells_who_has_the_right_to_write(applied):
    now = datetime.now(UTC)
    with StateStore.open(applied.store) as store:
        with Lease(store, lambda: now).held("apply", timedelta(minutes=2)):
            done = applied.call("status")
        with Lease(store, lambda: now - timedelta(hours=1)).held("apply", timedelta(minutes=2)):
            over = applied.call("status")
    assert f"The right to write is with apply, process {os.getpid()} on " in done.stdout
    assert "its right has ended" in " ".join(over.stdout.split())
    assert "right to write" not in applied.call("status").stdout


@contextmanager
def _daemon(answer, *, status=200):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/api/v1/status" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_doctor_finds_all_well_and_warns_of_skymmichs_own_write_back(applied):
    done = applied.run("doctor")
    assert done.returncode == 0, done.stderr
    assert "✓ 4 images" not in done.stdout
    assert "✓ 3 images, 3 of them linked" in done.stdout
    assert "Skymmich's own Sync buttons write, too" in done.stdout
    assert "✓ version 2.7.5" in done.stdout
    assert "(not shown)" in done.stdout


def test_doctor_lists_the_images_with_a_value_that_immich_can_not_take(applied):
    before = applied.sql("SELECT latitude FROM astrophotography_images WHERE id = 33")[0][0]
    applied.sql("UPDATE astrophotography_images SET latitude = 912 WHERE id = 33")
    done = applied.call("doctor")
    applied.sql("UPDATE astrophotography_images SET latitude = ? WHERE id = 33", before)
    assert re.search(r"1 linked image has a value that Immich cannot take:\s+• 33 “Jellyfish”: ", done.stdout)


def test_plan_and_doctor_name_a_table_that_is_gone(applied):
    applied.sql("ALTER TABLE image_acquisition RENAME TO acquisitions")
    try:
        planned, examined = applied.call("plan"), applied.call("doctor")
    finally:
        applied.sql("ALTER TABLE acquisitions RENAME TO image_acquisition")
    for told in (planned, examined):
        assert "image_acquisition: the table is gone" in " ".join(told.stdout.split())
    assert planned.returncode == 0  # there is nothing to do
    assert "Look for a newer version of this program." in " ".join(examined.stdout.split())


def test_doctor_names_each_missing_scope_with_what_it_costs(applied):
    applied.simulator.configure(scopes=["asset.read", "asset.update", "tag.read"])
    done = applied.call("doctor", "--json")
    applied.simulator.configure(scopes=["all"])
    said = [finding["what"] for finding in json.loads(done.stdout)["findings"]]
    assert "The key lacks tag.create; it costs: tags" in said
    assert "The key lacks tag.asset; it costs: tags" in said


def test_doctor_tells_of_clocks_that_differ(applied):
    proxy = {"unkind": "proxy_clock", "proxy_ahead": 600}
    applied.simulator.configure(**proxy)
    ahead = applied.call("doctor")
    applied.simulator.configure(**proxy | {"proxy_ahead": -90})
    behind = applied.call("doctor")
    applied.simulator.configure(unkind="none")
    assert "The Date header of Immich's answers is 10 min ahead of this machine's clock." in ahead.stdout
    assert re.search(r"header of Immich's answers is (89|90|91|92) s behind this", behind.stdout)
    assert "Date header" not in applied.call("doctor").stdout


def test_doctor_tells_of_a_date_from_the_future(applied):
    applied.simulator.configure(clock_ahead=7200)
    applied.person(33, "append_description", "\n\nMore.")
    applied.simulator.wait_until_idle()
    applied.simulator.configure(clock_ahead=0)
    told = applied.call("doctor").stdout
    assert "An asset in Immich bears a date that is 120 min ahead of this machine's clock." in told


def test_doctor_says_how_to_mend_a_wrong_key_and_goes_on(applied):
    done = applied.call("doctor", RECONCILER_IMMICH__API_KEY="wrong-but-long-enough-key")
    assert done.returncode == 1
    assert "✗" in done.stdout
    assert "3 images on record" in done.stdout
    assert "1 problem to fix." in done.stdout


def test_a_configuration_error_is_told_at_once_and_has_its_own_exit_code(applied):
    applied.config.write_text("[immich]\nurll = 1\n")
    plain, as_json = applied.call("plan"), applied.call("plan", "--json")
    applied.configure()
    assert (plain.returncode, as_json.returncode) == (78, 78)
    assert "url" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert json.loads(as_json.stdout).keys() == {"error", "remedy"}


def test_doctor_finds_a_state_folder_that_can_not_be_written_before_there_is_a_store(applied):
    (applied.folder / "file").touch()
    done = applied.call("doctor", RECONCILER_STATE__URL=str(applied.folder / "file" / "state.sqlite3"))
    assert done.returncode == 1
    assert "cannot be made" in done.stdout
    assert "1 problem to fix." in done.stdout
    assert "All is well" not in done.stdout


def test_doctor_names_the_source_of_address_and_key(applied):
    told = applied.call("doctor").stdout
    line = 1 + applied.config.read_text().splitlines().index(f'url = "{applied.simulator.url}"')
    assert f"(from this program's configuration: {applied.config}:{line})" in told
    assert "the API key is from this program's configuration: the variable RECONCILER_IMMICH__API_KEY" in told
    assert "two places" not in told


def test_doctor_says_of_an_address_and_a_key_from_two_places_that_they_belong_together(applied):
    key = applied.simulator.api_key
    applied.sql(
        "INSERT INTO admin_settings (key, value) VALUES ('immich', json(?))"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
        json.dumps({"host": applied.simulator.url, "apiKey": key}),
    )
    told = applied.call("doctor", RECONCILER_IMMICH__API_KEY="").stdout
    assert "the API key is from Skymmich's settings" in told
    assert "Address and key are from two places, and belong together" in told

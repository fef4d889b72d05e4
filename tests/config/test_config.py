"""The configuration: where values come from, who wins, and how mistakes are explained."""

from __future__ import annotations

import os
import re
import threading
import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest
from apscheduler.triggers.cron import CronTrigger

from reconciler import plainfile
from reconciler.config import Config, load, loading, redact_url
from reconciler.config.words import in_environment, is_secret, leaves
from reconciler.core.policy import ALL_PARTS, DEFAULT_PARTS, Policy
from reconciler.errors import ConfigurationError
from tests.unusual_files import put_device, put_pipe, put_socket

PLANTED = "planted-S3cret/with+signs"
EXAMPLE = Path(__file__).resolve().parents[2] / "systemd" / "config.example.toml"
KEYS = leaves(Config)


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def no_system_file(tmp_path, monkeypatch):
    """The machine's own configuration is none of these tests' business."""
    monkeypatch.setattr(loading, "SYSTEM_FILE", tmp_path / "etc" / "config.toml")


def mistakes(path: Path | None, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ)
    assert caught.value.exit_code == 78
    return str(caught.value)


# --- defaults and the example -----------------------------------------------------------------------------


def test_with_nothing_at_all_the_defaults_are_those_of_the_core():
    config = load(None, {"HOME": "/home/me"})

    assert config.policy() == Policy()
    assert config.skymmich.source is None
    assert config.immich.api_key is None
    assert (config.status.host, config.status.port) == ("127.0.0.1", 8287)
    assert config.warnings == ()
    assert config.file is None


def test_a_missing_catalogue_is_said_with_what_to_set():
    with pytest.raises(ConfigurationError) as caught:
        load(None, {}).catalogue_source()

    assert "RECONCILER_SKYMMICH__SOURCE" in caught.value.remedy


def test_the_catalogues_address_is_all_that_is_needed():
    config = load(None, {"RECONCILER_SKYMMICH__SOURCE": "/data/skymmich.db"})

    assert config.catalogue_source() == "/data/skymmich.db"


def test_the_switches_of_the_parts_are_the_parts_of_the_core():
    parts = {key[-1] for key in KEYS if key[:-1] == ("description", "parts")}

    assert parts == ALL_PARTS


def test_the_example_loads_as_it_is():
    config = load(EXAMPLE, {})

    assert config.catalogue_source() == "/var/lib/skymmich/skymmich.db"
    assert config.policy() == Policy()


def test_the_example_has_every_key_with_its_default(written):
    uncommented = re.sub(r"^#(?=\w)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    given = flat(tomllib.loads(uncommented))
    assert set(given) == {key for key, setting in KEYS.items() if not is_secret(setting)}

    only_an_example = {key for key, setting in KEYS.items() if setting.default is None} | {("state", "url")}
    defaults = flat(load(None, {}).model_dump(by_alias=True))
    for key in given.keys() - only_an_example:
        value = given[key]
        default = defaults[key]
        assert (set(value) if isinstance(value, list) else value) == (
            set(default) if isinstance(default, (tuple, frozenset)) else default
        ), key

    # Every value is one that is taken, apart from the files of secrets, which this machine does not have.
    load(written(re.sub(r"(?m)^(api_key_file|token_file|urls_file|headers_file).*$", "", uncommented)), {})


def flat(node, above=()):
    found = {}
    for name, value in node.items():
        found |= flat(value, (*above, name)) if isinstance(value, dict) else {(*above, name): value}
    return found


# --- who wins ---------------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_credential_and_that_over_the_file(tmp_path, written):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "skymmich_source").write_text("/from/credential.db\n")
    path = written('[skymmich]\nsource = "/from/file.db"\n')
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}

    assert load(path, {}).catalogue_source() == "/from/file.db"
    assert load(path, credentials).catalogue_source() == "/from/credential.db"
    assert (
        load(path, credentials | {"RECONCILER_SKYMMICH__SOURCE": "/from/env.db"}).catalogue_source()
        == "/from/env.db"
    )


def test_the_key_comes_from_environment_then_credential_then_its_file(tmp_path, written):
    key_file = tmp_path / "key"
    key_file.write_text("from-file\n")
    key_file.chmod(0o600)
    (tmp_path / "immich_api_key").write_text("from-credential\n")
    path = written('[immich]\napi_key_file = "key"\n')
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    def key(environ):
        return load(path, environ).immich.api_key.get_secret_value()

    assert key({}) == "from-file"
    assert key(credentials) == "from-credential"
    assert key(credentials | {"RECONCILER_IMMICH__API_KEY": "from-environment"}) == "from-environment"


def test_the_token_comes_by_the_same_ways(tmp_path, written):
    (tmp_path / "status_token").write_text("from-credential")
    (tmp_path / "t").write_text("from-file")

    by_file = load(written('[status]\ntoken_file = "t"\n'), {})
    by_credential = load(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    by_environment = load(None, {"RECONCILER_STATUS__TOKEN": "from-environment"})

    assert by_file.status.token.get_secret_value() == "from-file"
    assert by_credential.status.token.get_secret_value() == "from-credential"
    assert by_environment.status.token.get_secret_value() == "from-environment"


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_every_key_is_an_environment_variable(key, tmp_path):
    given = {
        "source": "/c.db",
        "url": "/s.sqlite3" if key[0] == "state" else "http://h",
        "host": "0.0.0.0",
        "port": "1",
        "drop": '["^x"]',
        "keep": '["^x"]',
        "allowed_hosts": "photos.example, astro.lan",
        "user_header": "Remote-User",
        "trusted_proxies": "10.0.0.1",
        "users": "anna",
        "domain": "photos.example.org",
        "equipment_kinds": "camera, mount",
        "on_conflict": "overwrite",
        "orphans": "release",
        "mode": "observe",
        "audit_cron": "1 2 * * *",
        "housekeeping_cron": "1 2 * * *",
        "level": "debug",
        "format": "json",
        "opening": "§ ",
        "closing": "(end)",
        "root": "Sky",
        "installation": "anna",
        "by_tag": "not this, nor that",
        "by_target": "M 31",
        "by_folder": "/photos/of others",
        "max_fraction": "0.5",
        "max_bytes": "500",
        "urls": "json://host/token",
        "folder": str(tmp_path),
        "look_seconds": "30",
        "right_seconds": "30",
        "urls_file": str(tmp_path / "urls"),
        "headers": "X-Pass: a-pass",
        "headers_file": str(tmp_path / "headers"),
        "ca_file": str(tmp_path / "ca.pem"),
        "proxy": "http://proxy:3128",
        "events": "guard, conflict",
        "quiet_hours": "22:00-07:00",
        "page_url": "http://page",
        "sites": '[{"name": "Home", "precision_km": 25}, {"name": "Farm", "at": [47.5, 11.1]}]',
        "time_zone": "Europe/Berlin",
        "prefix": "Sky: ",
        "kinds": "target, site",
        "api_key_file": str(tmp_path / "secret"),
        "token_file": str(tmp_path / "secret"),
        "template_file": str(tmp_path / "secret"),
    }
    (tmp_path / "urls").write_text("json://host/token")
    (tmp_path / "headers").write_text("X-Pass: a-pass")
    (tmp_path / "secret").write_text("a-secret")
    (tmp_path / "secret").chmod(0o600)
    flips = {True: "off", False: "on", "keep": "correct", "correct": "keep", "en": "de"}
    before = flat(load(None, {}).model_dump(by_alias=True))[key]
    number = isinstance(before, (int, float)) and not isinstance(before, bool)
    value = "2" if number else flips.get(before)
    value = given.get(key[-1], "a-key" if is_secret(KEYS[key]) else value)
    value = {("dates", "source"): "capture_date", ("stacks", "write"): "cover"}.get(key, value)

    after = flat(load(None, {in_environment(key): value}).model_dump(by_alias=True))[key]

    assert after != before


def test_an_empty_variable_leaves_unset_what_may_be_unset_and_empties_a_text():
    config = load(
        None, {"RECONCILER_IMMICH__URL": "", "RECONCILER_IMMICH__API_KEY": "", "RECONCILER_TAGS__ROOT": ""}
    )

    assert config.immich.url is None
    assert config.immich.api_key is None
    assert config.tags.root == ""


def test_the_process_environment_is_not_looked_at(monkeypatch):
    monkeypatch.setenv("RECONCILER_STATUS__PORT", "9")

    assert load(None, {}).status.port == 8287


# --- which file -------------------------------------------------------------------------------------------


def test_the_file_is_the_named_one_then_the_variables_then_the_systems_then_the_users(tmp_path, monkeypatch):
    def file(name, port):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[status]\nport = {port}\n")
        return path

    environ = {"HOME": str(tmp_path / "home")}
    file("home/.config/skymmich-reconciler/config.toml", 4)
    assert load(None, environ).status.port == 4

    file("xdg/skymmich-reconciler/config.toml", 5)
    assert load(None, environ | {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}).status.port == 5

    file("etc/config.toml", 3)
    assert load(None, environ).status.port == 3

    environ["RECONCILER_CONFIG"] = str(file("variable.toml", 2))
    assert load(None, environ).status.port == 2

    named = load(file("named.toml", 1), environ)
    assert named.status.port == 1
    assert named.file == tmp_path / "named.toml"


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    said = mistakes(tmp_path / "missing.toml")

    assert f"{tmp_path}/missing.toml cannot be read: no such file or directory" in said
    assert "missing.toml" in mistakes(None, RECONCILER_CONFIG=str(tmp_path / "missing.toml"))


def test_a_folder_and_a_picture_are_no_configuration(tmp_path):
    assert "is a directory" in mistakes(tmp_path)

    (tmp_path / "m31.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert "is not UTF-8 text" in mistakes(tmp_path / "m31.jpg")

    (tmp_path / "huge.toml").write_bytes(b"#" * ((1 << 20) + 1))
    assert "is this the right file?" in mistakes(tmp_path / "huge.toml")


# --- paths ------------------------------------------------------------------------------------------------


def test_relative_paths_start_from_the_file_and_from_the_working_directory_in_a_variable(
    tmp_path, written, monkeypatch
):
    monkeypatch.chdir("/usr")
    path = written('[skymmich]\nsource = "data/sky.db"\n[state]\nurl = "state.db"\n')

    config = load(path, {})
    assert config.catalogue_source() == str(tmp_path / "data" / "sky.db")
    assert config.state.file == tmp_path / "state.db"
    assert load(None, {"RECONCILER_SKYMMICH__SOURCE": "sky.db"}).catalogue_source() == "/usr/sky.db"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("~/s.db", "/home/me/s.db"),
        ("sqlite:///~/s.db", "/home/me/s.db"),
        ("sqlite:////var/s.db", "/var/s.db"),
        ("/var/s.db", "/var/s.db"),
    ],
)
def test_the_state_store_is_named_by_path_or_url(given, path):
    state = load(None, {"HOME": "/home/me", "RECONCILER_STATE__URL": given}).state

    assert state.file == Path(path)
    assert state.url.get_secret_value() == f"sqlite:///{path}"


def test_the_state_store_is_in_systemds_directory_else_in_the_users_for_state():
    def path(environ):
        return str(load(None, environ).state.file)

    assert path({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"}) == "/var/lib/a/state.sqlite3"
    assert path({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == "/s/skymmich-reconciler/state.sqlite3"
    assert path({"HOME": "/h"}) == "/h/.local/state/skymmich-reconciler/state.sqlite3"


@pytest.mark.parametrize(
    "given", ["mysql://me:pw@h/x", ":memory:", "sqlite:///:memory:", "sqlite://", "sqlite:///", "sqlite://x"]
)
def test_a_state_store_that_is_neither_a_file_nor_in_postgresql_is_refused(given):
    said = mistakes(None, RECONCILER_STATE__URL=given)

    assert "RECONCILER_STATE__URL" in said
    assert "it must be the path of a SQLite file" in said
    assert "pw" not in said


@pytest.mark.parametrize("given", ["postgresql:/me:hunter2@h/x", "Postgres:me:hunter2@h/x"])
def test_an_address_that_lacks_a_slash_does_not_become_a_folder_named_by_its_password(given):
    said = mistakes(None, RECONCILER_STATE__URL=given)

    assert "it looks like the address of a database" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "given", ["postgresql://me:hunter2@h/x", "postgres://me:hunter2@h:5432/x?sslmode=require"]
)
def test_a_state_store_may_be_in_postgresql_and_its_password_shows_nowhere(given, tmp_path):
    environ = {"RECONCILER_STATE__URL": given, "STATE_DIRECTORY": "/var/lib/here"}
    config = load(None, {**environ, "RECONCILER_STATE__INSTALLATION": "anna"})

    assert (config.state.file, config.state.installation) == (None, "anna")
    assert config.state.url.get_secret_value() == given
    assert "hunter2" not in f"{config!r} {config.state.url}"
    assert "hunter2" in config.secrets()
    assert config.beside == Path("/var/lib/here/state.sqlite3")


def test_a_state_store_is_named_by_a_credential_too(tmp_path):
    (tmp_path / "state_url").write_text("postgresql://me:pw@h/x\n")
    config = load(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.state.url.get_secret_value() == "postgresql://me:pw@h/x"


@pytest.mark.parametrize("source", ["postgresql:/me:hunter2@h/x", "http:/me:hunter2@sky.lan"])
def test_an_address_of_the_catalogue_that_lacks_a_slash_is_refused_without_its_password(source):
    said = mistakes(None, RECONCILER_SKYMMICH__SOURCE=source)
    assert "a slash is missing" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("name", ["", "a b", "../x", "-a", "a" * 64, "é"])
def test_an_installation_has_a_plain_name(name):
    assert "a name of letters" in mistakes(None, RECONCILER_STATE__INSTALLATION=name)


@pytest.mark.parametrize(
    "source", ["sqlite:////data/sky.db", "postgresql://me:pw@h/x", "postgres://h/x", "http://sky.lan:2284"]
)
def test_an_address_of_the_catalogue_stays_as_it_was_written(source):
    assert load(None, {"RECONCILER_SKYMMICH__SOURCE": source}).catalogue_source() == source


# --- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[immich]\nurll = "x"', "config.toml:2: [immich] urll is not a setting. Did you mean [immich] url?"),
        ('[imich]\nurl = "x"', "config.toml:1: [imich] is not a section. Did you mean [immich]?"),
        ('api_key_file = "x"', "config.toml:1: api_key_file is not a setting. Did you mean [immich] api_key_file?"),
        ('[immich]\n\nsource = "x"', "config.toml:3: [immich] source is not a setting. Did you mean [skymmich] source?"),
        ("[on_drift]\nblock = 1", "config.toml:1: [on_drift] is not a section. Did you mean [policy.on_drift]?"),
        ("[policy.on_drift]\nblocks = 1", "config.toml:2: [policy.on_drift] blocks is not a setting. "),
        ("[status]\nzzzzzz = 1", "config.toml:2: [status] zzzzzz is not a setting. There are host, port, token, token_file, allowed_hosts, user_header, trusted_proxies, users."),
        ("[zzzzzz]\na = 1", "config.toml:1: [zzzzzz] is not a section. There are [albums], [coordinates], [dates], [description], "),
        ('immich = "http://x"', "config.toml:1: [immich] is a section, not a value."),
        ("[[immich]]\nurl = 1", "config.toml:1: [immich] is a section, not a value."),
        ('[status]\nport = "abc"', 'config.toml:2: [status] port = "abc" is not usable: it must be a whole number from 0 to 65535.'),
        ("[status]\nport = 70000", "port = 70000 is not usable: it must be a whole number from 0 to 65535."),
        ("[status]\nport = true", "port = true is not usable: it must be a whole number"),
        ("[guard]\nmax_fraction = true", "max_fraction = true is not usable: it must be a number from 0 to 1."),
        ('[guard]\nmax_fraction = "20%"', 'max_fraction = "20%" is not usable: it must be a number from 0 to 1.'),
        ("[guard]\nmax_fraction = nan", "is not usable: it must be a number from 0 to 1."),
        ("[schedule]\nimmich_seconds = 0", "immich_seconds = 0 is not usable: it must be a number from 0.05 to 86400."),
        ("[tags]\ngroups = 3", "groups = 3 is not usable: it must be true or false."),
        ("[tags]\nroot = 3", "root = 3 is not usable: it must be a text in quotes."),
        ('[tags]\nroot = "A/B"', 'root = "A/B" is not usable: it must be one tag\'s name'),
        ('[tags]\ndrop = "^HD"', 'drop = "^HD" is not usable: it must be a list of texts, such as ["a", "b"].'),
        ('[tags]\ndrop = [\n  "^a",\n  "("\n]', 'config.toml:2: [tags] drop = ["^a", "("] is not usable: "(" is not a regular'),
        ('[tags]\nkeep = ["["]', '[tags] keep = ["["] is not usable: "[" is not a regular expression'),
        ("[tags]\nmax_per_image = 0", "max_per_image = 0 is not usable: it must be a whole number from 1 to 1000."),
        ('[tags]\nequipment_kinds = ["lens"]', 'it must be a list of "telescope", "camera", "mount", "filter", "accessory" or "software".'),
        ('[policy]\non_conflict = "ask"', '[policy] on_conflict = "ask" is not usable: it must be one of "keep" or "overwrite".'),
        ('[policy]\non_drift = "keep"', "config.toml:2: [policy.on_drift] is a section, not a value."),
        ('[immich]\nurl = "immich.lan"', '[immich] url = "immich.lan" is not usable: it must be a web address, such as'),
        ('[immich]\nurl = "http://h:99999"', "it must be a web address"),
        ('[skymmich]\nsource = "mysql://h/x"', "it must be the path of a SQLite file, or an address that begins with"),
        ('[description]\nopening = "  "', 'opening = "  " is not usable: it must be one line'),
        ('[description]\nclosing = "a\\nb"', "is not usable: it must be one line"),
        ('[description]\nopening = "—"', "[description]: opening and closing must differ"),
        ("[description]\ntemplate_file = 3", "template_file = 3 is not usable: it must be a path in quotes."),
        ('[schedule]\naudit_cron = "daily"', "it must be five fields: minute hour day month weekday"),
        ('[schedule]\naudit_cron = "60 4 * * *"', 'its minute is "60"; it must be *, */n, or of 0 … 59'),
        ('[schedule]\naudit_cron = "0 4 * * 0"', 'its weekday is "0"; it must be *, */n, or of mon … sun'),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_explained_where_it_stands(written, text, said):
    assert said in mistakes(written(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[immich]\nurl = http://x\n", "config.toml:2: this is not valid TOML, column 7: Invalid value (a text needs quotes)."),
        ("[immich\n", "config.toml:1: this is not valid TOML"),
        ('[immich]\nurl = "a"\nurl = "b"\n', "config.toml:3: this is not valid TOML"),
        ('[tags]\ndrop = ["a",\n', "config.toml:3: this is not valid TOML"),
    ],
)  # fmt: skip
def test_a_slip_in_the_syntax_is_named_with_its_line(written, text, said):
    assert said in mistakes(written(text))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RECONCILER_IMMICH__URI", "x", "RECONCILER_IMMICH__URI is not a setting. Did you mean RECONCILER_IMMICH__URL?"),
        ("RECONCILER_IMMICH_URL", "x", "Did you mean RECONCILER_IMMICH__URL?"),
        ("RECONCILER_immich__url", "x", "Did you mean RECONCILER_IMMICH__URL?"),
        ("RECONCILER_IMICH__API_KEY", PLANTED, "Did you mean RECONCILER_IMMICH__API_KEY?"),
        ("RECONCILER_POLICY__ON_DRIFT_TAGS", "keep", "Did you mean RECONCILER_POLICY__ON_DRIFT__TAGS?"),
        ("RECONCILER_CONFG", "x", "RECONCILER_CONFG is not a setting."),
        ("RECONCILER_STATUS__PORT", "abc", 'RECONCILER_STATUS__PORT = "abc" is not usable: it must be a whole number from 0 to 65535.'),
        ("RECONCILER_TAGS__GROUPS", "maybe", 'RECONCILER_TAGS__GROUPS = "maybe" is not usable: it must be true or false.'),
        ("RECONCILER_TAGS__DROP", "[a", 'RECONCILER_TAGS__DROP is not a list: write ["a", "b"] or a,b.'),
    ],
)  # fmt: skip
def test_a_mistake_in_the_environment_is_explained_by_the_variables_name(name, value, said):
    shown = mistakes(None, **{name: value})

    assert said in shown
    assert PLANTED not in shown


def test_all_mistakes_are_told_at_once(written):
    said = mistakes(
        written('[imich]\n[status]\nport = -1\n[immich]\nin_flight = 0\napi_key = "k"\n'),
        RECONCILER_STATUS__HOSTS="x",
        RECONCILER_GUARD__CANARY="some",
    )

    assert said.startswith("The configuration has 6 mistakes:\n- ")
    for part in ("[imich]", "port = -1", "in_flight = 0", "api_key may not stand", "STATUS__HOSTS", "CANARY"):
        assert part in said


def test_a_mistake_in_the_syntax_does_not_hide_those_in_the_environment(written):
    said = mistakes(written("["), RECONCILER_STATUS__PORT="x")

    assert "not valid TOML" in said
    assert "RECONCILER_STATUS__PORT" in said


@pytest.mark.parametrize(
    "line",
    ["0 4 * * *", "*/15 * * * *", "5,35 0-6 1-7 jan,jul mon-fri", "0 4 1 */3 sun", "0-30/10 4 * 1-6 *"],
)
def test_a_cron_line_that_is_taken_is_one_the_scheduler_takes(written, line):
    config = load(written(f'[schedule]\naudit_cron = "{line}"'), {})

    CronTrigger.from_crontab(config.schedule.audit_cron, timezone="UTC")


@pytest.mark.parametrize(
    "line", ["*/0 * * * *", "*/60 * * * *", "5-1 * * * *", "a * * * *", "1/5 * * * *", "- * * * *", "1,,2 * * * *",
             "0 4 * * fri-mon", "0 4 32 * *", "0 4 * 13 *", "1-2-3 * * * *", "* * * * * *", "² * * * *", "* * * * mon/2"]
)  # fmt: skip
def test_a_cron_line_that_the_scheduler_could_not_keep_is_refused(written, line):
    assert "audit_cron" in mistakes(written(f'[schedule]\naudit_cron = "{line}"'))


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_key_in_the_file_is_refused_with_why_and_what_to_do_and_is_not_shown(written):
    said = mistakes(written(f'[immich]\napi_key = "{PLANTED}"\n[status]\ntoken = "{PLANTED}"'))

    assert "config.toml:2: [immich] api_key may not stand in this file: configuration files get shown" in said
    assert "[immich] api_key_file" in said
    assert "RECONCILER_IMMICH__API_KEY" in said
    assert "the credential immich_api_key" in said
    assert "config.toml:4: [status] token may not stand" in said
    assert PLANTED not in said


@pytest.mark.parametrize(
    "text",
    [
        f'[immich]\nurl = "ftp://me:{PLANTED}@h"',
        f'[skymmich]\nsource = "mysql://me:{PLANTED}@h/x"',
        f'[skymmich]\nurl = "http://me:{PLANTED}@h"',
        f'[immich]\napi_kee = "{PLANTED}"',
        f'[immich]\napi_key = ["{PLANTED}"]',
        f'[immich]\napi_key = "{PLANTED}',
        f"[immich]\napi_key = {PLANTED}",
    ],
)  # fmt: skip
def test_no_mistake_shows_a_secret(written, text):
    assert PLANTED not in mistakes(written(text))


def test_nothing_of_a_configuration_shows_its_secrets_by_accident():
    config = load(
        None,
        {
            "RECONCILER_SKYMMICH__SOURCE": f"postgresql://me:{PLANTED}@h/x",
            "RECONCILER_IMMICH__URL": f"http://me:{quote(PLANTED, safe='')}@h",
            "RECONCILER_IMMICH__API_KEY": PLANTED,
            "RECONCILER_STATUS__TOKEN": PLANTED,
        },
    )

    texts = [
        repr(config),
        str(config),
        str(config.model_dump()),
        config.model_dump_json(),
        f"{config.immich.url}",
    ]
    assert not [text for text in texts if PLANTED in text or quote(PLANTED, safe="") in text]
    assert config.immich.api_key.get_secret_value() == PLANTED


def test_all_secrets_are_listed_for_the_log_to_hide_them():
    config = load(
        None,
        {
            "RECONCILER_SKYMMICH__SOURCE": "postgresql://me:p%40ss@h/x",
            "RECONCILER_IMMICH__URL": "http://me:proxy@h",
            "RECONCILER_IMMICH__API_KEY": "key",
            "RECONCILER_STATUS__TOKEN": "token",
        },
    )

    assert set(config.secrets()) == {"p%40ss", "p@ss", "proxy", "key", "token"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:pw@h:5432/x?sslmode=require", "postgresql://me:***@h:5432/x?sslmode=require"),
        ("postgresql://me@h/x", "postgresql://me@h/x"),
        ("postgresql://h/x?user=me&password=pw&a=b", "postgresql://h/x?user=me&password=***&a=b"),
        ("postgresql://me:p@w/d@h/x", "postgresql://me:***@h/x"),
        ("http://tok3n@h/", "http://***@h/"),
        ("http://h:2283/sub", "http://h:2283/sub"),
        ("/var/lib/sky@home.db", "/var/lib/sky@home.db"),
        ("sqlite:////var/lib/sky.db", "sqlite:////var/lib/sky.db"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_password(url, shown):
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty; it must hold the secret and nothing else"),
        ("\n \n", "is empty"),
        (f"{PLANTED}\nmore", "holds more than one line"),
        ("x" * 5000, "is longer than 4096 bytes; is this the right file?"),
    ],
)
def test_a_file_of_a_secret_that_holds_none_is_an_error_naming_the_key(tmp_path, written, content, said):
    (tmp_path / "key").write_text(content)

    shown = mistakes(written('[immich]\napi_key_file = "key"'))

    assert "config.toml:2: [immich] api_key_file: " in shown
    assert f"{tmp_path}/key {said}" in shown
    assert PLANTED not in shown


def test_a_missing_file_of_a_secret_is_an_error_unless_the_secret_came_otherwise(written):
    path = written('[immich]\napi_key_file = "missing"')

    assert "/missing cannot be read: no such file" in mistakes(path)
    assert load(path, {"RECONCILER_IMMICH__API_KEY": "k"}).immich.api_key.get_secret_value() == "k"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path, written):
    (tmp_path / "key").write_text("k")
    (tmp_path / "key").chmod(0)

    assert "permission denied" in mistakes(written('[immich]\napi_key_file = "key"'))


def test_a_secret_that_everybody_can_read_is_warned_of(tmp_path, written):
    key = tmp_path / "key"
    key.write_text("k")
    path = written('[immich]\napi_key_file = "key"')

    key.chmod(0o644)
    (warning,) = load(path, {}).warnings
    assert (
        f"{key} holds a secret and every user of this machine can read it (mode 0644): chmod 600 {key}"
        == warning
    )

    key.chmod(0o640)
    assert load(path, {}).warnings == ()


def test_a_password_in_a_configuration_file_that_everybody_can_read_is_warned_of(written):
    path = written('[skymmich]\nsource = "postgresql://me:pw@h/x"')
    path.chmod(0o644)
    (warning,) = load(path, {}).warnings
    assert str(path) in warning
    assert "pw" not in warning

    path.chmod(0o600)
    assert load(path, {}).warnings == ()


# --- the core's policy ------------------------------------------------------------------------------------


def test_the_policy_is_what_was_configured(tmp_path, written):
    (tmp_path / "mine.j2").write_text("{{ title }} ✦", encoding="utf-8")
    policy = load(
        written(
            """
            [policy]
            on_conflict = "overwrite"
            orphans = "release"
            [policy.on_drift]
            prose = "correct"
            tags = "keep"
            [guard]
            max_fraction = 0.5
            canary = 0
            [description]
            template_file = "mine.j2"
            opening = "§ "
            [description.parts]
            site = false
            software = false
            [tags]
            root = ""
            equipment_kinds = ["camera"]
            drop = ["^HD ", "b,c"]
            """
        ),
        {},
    ).policy()

    assert (policy.merge.on_conflict, policy.merge.orphans) == ("overwrite", "release")
    assert (policy.merge.on_drift_prose, policy.merge.on_drift_tags) == ("correct", "keep")
    assert policy.merge.on_drift_block == "correct"
    assert (policy.guard.max_fraction, policy.guard.canary, policy.guard.min_count) == (0.5, 0, 10)
    assert policy.description.enabled_parts == DEFAULT_PARTS - {"site", "software"}
    assert policy.description.template == "{{ title }} ✦"
    assert policy.description.template_name == str(tmp_path / "mine.j2")
    assert policy.description.opening == "§ "
    assert (policy.tags.root, policy.tags.drop) == ("", ("^HD ", "b,c"))
    assert policy.tags.equipment_kinds == frozenset({"camera"})


def test_a_missing_template_is_a_configuration_error(written):
    config = load(written('[description]\ntemplate_file = "missing.j2"'), {})

    with pytest.raises(ConfigurationError, match=r"template_file: .*/missing\.j2 cannot be read"):
        config.policy()


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]
)
def test_an_address_that_others_can_reach_is_known(host, loopback):
    assert load(None, {"RECONCILER_STATUS__HOST": host}).status.is_loopback is loopback


def test_a_configuration_can_not_be_changed_afterwards():
    config = load(None, {})

    with pytest.raises(ValueError, match="frozen"):
        config.status.port = 1


@pytest.mark.parametrize(("token", "warned"), [("short", True), ("x" * 15, True), ("x" * 16, False)])
def test_a_token_that_could_be_guessed_is_told_and_never_shown(token, warned):
    config = load(None, {"HOME": "/nowhere", "RECONCILER_STATUS__TOKEN": token})
    assert any("could be guessed" in warning for warning in config.warnings) is warned
    assert token not in "".join(config.warnings)


NO_FILES = [(put_pipe, "a named pipe"), (put_socket, "a socket"), (put_device, "a device")]
PLACES = ["the file itself", "api_key_file", "token_file", "template_file", "a credential"]


@pytest.mark.parametrize(("put", "kind"), NO_FILES, ids=["pipe", "socket", "device"])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_plain_file_is_refused_at_once_wherever_a_file_is_named(
    tmp_path, written, put, kind, place
):
    """To open a pipe waits for its other end: the daemon did at every SIGHUP, and could not be stopped."""
    odd, environ = tmp_path / "odd", {}
    sections = {"api_key_file": "immich", "token_file": "status", "template_file": "description"}
    if place == "a credential":
        odd, environ = tmp_path / "immich_api_key", {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    put(odd)
    path = written(f'[{sections[place]}]\n{place} = "{odd}"\n') if place in sections else None
    path = odd if place == "the file itself" else path
    said: list[str] = []

    def read() -> None:
        try:
            load(path, environ).policy()
        except ConfigurationError as error:
            said.append(str(error))

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    reading.join(3.0)
    assert len(said) == 1
    assert f"{odd} is not a file: it is {kind}" in said[0]


def test_a_pipe_that_takes_the_place_of_a_file_meanwhile_is_not_waited_for(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(plainfile, "other_kind", lambda _: "")
    with pytest.raises(plainfile.NotPlainError, match="a named pipe"):
        plainfile.read_plain(pipe, 10)


# --- notices ----------------------------------------------------------------------------------------------


def test_the_addresses_of_notices_are_several_and_come_from_a_file_a_credential_or_the_environment(
    tmp_path, written
):
    several = "# my phone\nntfy://topic-a\n\n  json://me:pw@host/x\n"
    (tmp_path / "urls").write_text(several)
    (tmp_path / "urls").chmod(0o600)
    (tmp_path / "notices_urls").write_text("json://credential/x")
    path = written('[notices]\nurls_file = "urls"\n')
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    environment = {"RECONCILER_NOTICES__URLS": "json://one/x json://two/x"}

    assert load(path, {}).notices.addresses == ("ntfy://topic-a", "json://me:pw@host/x")
    assert load(path, credentials).notices.addresses == ("json://credential/x",)
    assert load(path, credentials | environment).notices.addresses == ("json://one/x", "json://two/x")
    assert load(None, {}).notices.addresses == ()
    (tmp_path / "urls").write_text("# nobody yet\n")
    assert load(path, {}).notices.addresses == ()


def test_an_address_of_notices_stands_in_no_configuration_file_and_in_no_complaint(written):
    said = mistakes(written(f'[notices]\nurls = "json://host/{PLANTED}"\n'))
    assert "[notices] urls may not stand in this file" in said
    assert "notices_urls" in said
    assert "RECONCILER_NOTICES__URLS" in said
    assert PLANTED not in said

    said = mistakes(None, RECONCILER_NOTICES__URLS=f"json://host/x {PLANTED}")
    assert "its address 2 is none" in said
    assert PLANTED not in said


def test_what_may_be_secret_in_an_address_of_notices_is_kept_out_of_every_log():
    url = "json://somebody:Pa55word%2Fx@notify.example.org/hooks/AbCdEf123456?+X-Token=q1w2e3r4t5"
    config = load(None, {"RECONCILER_NOTICES__URLS": url})
    secrets = config.secrets()
    assert {url, "Pa55word%2Fx", "Pa55word/x", "AbCdEf123456", "q1w2e3r4t5"} <= set(secrets)
    assert not {"notify.example.org", "somebody", "hooks"} & set(secrets)
    assert url not in repr(config)
    assert "AbCdEf" not in repr(config)


@pytest.mark.parametrize("text", ["22:00", "22:00-22:00", "25:00-07:00"])
def test_hours_that_are_none_are_explained(text):
    assert "RECONCILER_NOTICES__QUIET_HOURS" in mistakes(None, RECONCILER_NOTICES__QUIET_HOURS=text)


def test_an_event_that_is_none_is_answered_with_those_that_there_are():
    said = mistakes(None, RECONCILER_NOTICES__EVENTS="guard, conflicts")
    assert all(f'"{one}"' in said for one in ("attention", "guard", "conflict", "immich_down", "first_sync"))

"""``[immich.headers]``: where they come from, who wins, and that their values stand in nothing that is said."""

from __future__ import annotations

import pytest

from reconciler.config import load, loading
from reconciler.errors import ConfigurationError

PLANTED = "planted-S3cret-value"
ID, SECRET = "CF-Access-Client-Id", "CF-Access-Client-Secret"
ONE = "RECONCILER_IMMICH__HEADERS__"


@pytest.fixture(autouse=True)
def no_system_file(tmp_path, monkeypatch):
    """The machine's own configuration is none of these tests' business."""
    monkeypatch.setattr(loading, "SYSTEM_FILE", tmp_path / "etc" / "config.toml")


@pytest.fixture
def written(tmp_path):
    def write(text, name="config.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


def headers(path=None, **environ):
    found = load(path, environ).immich.headers
    return dict(found.each()) if found else {}


def mistakes(path=None, **environ):
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ)
    return str(caught.value)


def test_without_any_there_are_none():
    assert headers() == {}
    assert headers(RECONCILER_IMMICH__HEADERS="") == {}


def test_a_table_names_the_file_of_each_value(written):
    written("an-id\n", "id")
    written(f"{PLANTED}\n", "secret")
    path = written(f'[immich.headers]\n{ID}_file = "id"\n{SECRET}_file = "secret"\n')
    assert headers(path) == {ID: "an-id", SECRET: PLANTED}


def test_a_variable_for_each_may_hold_the_value_or_name_its_file(written):
    file = written(f"{PLANTED}\n", "secret")
    environ = {f"{ONE}CF_ACCESS_CLIENT_ID": "an-id", f"{ONE}CF_ACCESS_CLIENT_SECRET_FILE": str(file)}
    found = {name.lower(): value for name, value in headers(**environ).items()}
    assert found == {ID.lower(): "an-id", SECRET.lower(): PLANTED}


def test_all_of_them_come_as_lines_from_a_file_a_credential_or_a_variable(tmp_path, written):
    written(f"# past the login\n{ID}: from-file\n\n{SECRET}:{PLANTED}\n", "lines")
    (tmp_path / "immich_headers").write_text(f"{ID}: from-credential\n")
    path = written('[immich]\nheaders_file = "lines"\n')
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    environment = {"RECONCILER_IMMICH__HEADERS": f"{ID}: from-environment"}
    assert headers(path) == {ID: "from-file", SECRET: PLANTED}
    assert headers(path, **credentials) == {ID: "from-credential"}
    assert headers(path, **credentials, **environment) == {ID: "from-environment"}


def test_one_by_one_wins_over_lines_and_the_environment_over_the_file(written):
    written("X-One: line\nX-Two: line\nX-Three: line\n", "lines")
    written("file", "two")
    written("file", "three")
    path = written(
        '[immich]\nheaders_file = "lines"\n[immich.headers]\nX-Two_file = "two"\nX-Three_file = "three"\n'
    )
    found = headers(path, **{f"{ONE}X_THREE": "variable"})
    assert {name.lower(): value for name, value in found.items()} == {
        "x-one": "line",
        "x-two": "file",
        "x-three": "variable",
    }


def test_a_value_stands_in_no_configuration_file(written):
    said = mistakes(written(f'[immich.headers]\n{SECRET} = "{PLANTED}"\n'))
    assert f"config.toml:2: [immich.headers] {SECRET} may not stand in this file" in said
    assert f"{SECRET}_file" in said
    assert f"{ONE}CF_ACCESS_CLIENT_SECRET" in said
    assert PLANTED not in said
    said = mistakes(written(f'[immich]\nheaders = "{SECRET}: {PLANTED}"\n'))
    assert "[immich] headers may not stand in this file" in said
    assert "immich_headers" in said
    assert PLANTED not in said


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (PLANTED, "the name of a header, a colon, and its value"),
        (f"two words: {PLANTED}", "the name of a header, a colon, and its value"),
        (f"X-Api-Key: {PLANTED}", "X-Api-Key is set by this program itself"),
        (f"X-A: {PLANTED}\nx-a: {PLANTED}", "x-a is in it twice"),
        ("X-A:", "the value of X-A is empty"),
        (f"X-A: {PLANTED}é", "characters that no header can carry"),
        (f"X-A: {PLANTED}\x00", "characters that no header can carry"),
    ],
)
def test_what_is_no_header_is_told_without_its_value(lines, why):
    said = mistakes(RECONCILER_IMMICH__HEADERS=lines)
    assert why in said
    assert PLANTED not in said


def test_a_file_that_is_missing_or_has_more_than_the_value_is_told(written):
    assert "cannot be read" in mistakes(written('[immich.headers]\nX-A_file = "nowhere"\n'))
    written(f"{PLANTED}\nmore\n", "two")
    said = mistakes(written('[immich.headers]\nX-A_file = "two"\n'))
    assert "holds more than one line" in said
    assert PLANTED not in said
    assert "must be a text" in mistakes(written("[immich.headers]\nX-A_file = 5\n"))


def test_a_file_that_everybody_can_read_is_a_warning(written):
    written(PLANTED, "open").chmod(0o644)
    path = written('[immich.headers]\nX-A_file = "open"\n')
    assert any("every user of this machine can read it" in line for line in load(path, {}).warnings)


def test_values_are_secrets_everywhere_and_plain_words_garble_nothing():
    environ = {
        f"{ONE}AUTHORIZATION": f"Basic {PLANTED}",
        f"{ONE}X_FORWARDED_PROTO": "https",
        "RECONCILER_IMMICH__PROXY": "http://me:pr0xy-word@proxy.lan:3128",
    }
    config = load(None, environ)
    assert {f"Basic {PLANTED}", PLANTED, "pr0xy-word"} <= set(config.secrets())
    assert "https" not in config.secrets()
    assert PLANTED not in repr(config) + str(config.model_dump())
    assert "pr0xy-word" not in repr(config)
    assert str(config.immich.proxy) == "http://me:***@proxy.lan:3128"


def test_a_header_tells_where_it_came_from(written):
    written(PLANTED, "secret")
    path = written('[immich]\n[immich.headers]\nX-A_file = "secret"\n')
    assert load(path, {}).origin(("immich", "headers")).startswith(str(path))
    by_variable = load(None, {f"{ONE}X_A": PLANTED})
    assert by_variable.origin(("immich", "headers")) == f"the variable {ONE}X_A"

"""What the doctor says of the store's folder, of where values came from, and in whose voice."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from contextlib import closing
from datetime import UTC, datetime

import pytest

from reconciler.app.doctor.catalogue import check_catalogue
from reconciler.app.doctor.writable import unwritable
from reconciler.app.source import source_of
from reconciler.app.wiring import store_of
from reconciler.config import load
from reconciler.core.policy import Policy
from reconciler.daemon.memory import create_apart
from reconciler.errors import StateError
from reconciler.plainfile import absent, exists
from reconciler.rendering.renderer import SafeRenderer
from reconciler.simulator.sample.build import build_sample
from state.backup import back_up


@pytest.fixture
def bound(tmp_path):
    """Be a user whom permissions bind; root becomes nobody for the time of the test."""
    root = os.geteuid() == 0
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.is_relative_to(f"{tempfile.gettempdir()}/pytest-of-root"):
            folder.chmod(0o755)
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_a_folder_that_takes_no_files_is_found_before_anything_is_tried_there(tmp_path, bound):
    for place in (tmp_path / "state.sqlite3", tmp_path / "a" / "b" / "state.sqlite3"):
        if os.geteuid() == tmp_path.stat().st_uid:
            tmp_path.chmod(0o555)
        (found,) = unwritable(place)
        assert found.level == "problem"
        assert f"The state store {place} cannot be made: {tmp_path} takes no new files" in found.what
        assert f"uid {os.geteuid()}" in found.remedy


def test_a_store_that_is_there_and_may_not_be_written_is_found_too(tmp_path, request):
    place = tmp_path / "state.sqlite3"
    place.touch(mode=0o444)
    place.chmod(0o444)
    request.getfixturevalue("bound")
    (found,) = unwritable(place)
    assert f"The state store {place} cannot be written" in found.what


def test_a_store_in_a_folder_that_may_not_be_entered_is_found_and_is_no_fault_of_the_program(
    tmp_path, request
):
    closed = tmp_path / "closed"
    (closed / "in").mkdir(parents=True)
    place = closed / "in" / "state.sqlite3"
    environ = {"RECONCILER_SKYMMICH__SOURCE": "http://127.0.0.1:9", "RECONCILER_STATE__URL": str(place)}
    config = load(None, environ)
    closed.chmod(0)
    request.getfixturevalue("bound")
    (found,) = unwritable(place)
    assert f"The state store {place} cannot be made: {closed} takes no new files" in found.what
    source_of(config).close()
    create_apart(config)
    assert not exists(place)
    assert not absent(place)  # what is not seen there may be there
    with pytest.raises(StateError, match=r"cannot be opened for writing: Permission denied"):
        store_of(config)
    with pytest.raises(StateError, match=r"cannot be read: Permission denied"):
        store_of(config, read_only=True)
    with pytest.raises(StateError, match=r"cannot be opened or written"):
        back_up(place, tmp_path / "copy", datetime(2026, 11, 28, tzinfo=UTC))


def test_a_folder_in_which_it_can_be_made_stays_as_it_is(tmp_path):
    before = tmp_path.stat()
    assert unwritable(tmp_path / "new" / "state.sqlite3") == []
    assert list(tmp_path.iterdir()) == []
    assert stat.S_IMODE(before.st_mode) == stat.S_IMODE(tmp_path.stat().st_mode)


def test_what_is_no_folder_takes_no_store(tmp_path):
    (tmp_path / "file").touch()
    (found,) = unwritable(tmp_path / "file" / "state.sqlite3")
    assert f"{tmp_path / 'file'} is not a folder" in found.what


def test_each_value_tells_its_source(tmp_path):
    file, secret = tmp_path / "config.toml", tmp_path / "key"
    secret.write_text("a-key-of-some-length")
    secret.chmod(0o600)
    file.write_text(f'[skymmich]\nsource = "/x.db"\n\n[immich]\napi_key_file = "{secret}"\n')
    config = load(file, {"RECONCILER_IMMICH__URL": "http://immich.lan:2283", "HOME": str(tmp_path)})
    assert config.origin(("skymmich", "source")) == f"{file}:2"
    assert config.origin(("immich", "url")) == "the variable RECONCILER_IMMICH__URL"
    assert config.origin(("immich", "api_key")) == f"the file {secret}, named by {file}:5"
    assert config.origin(("state", "url")) == config.origin(("status", "port")) == "the default"


def test_a_credential_tells_its_name(tmp_path):
    (tmp_path / "immich_api_key").write_text("a-key-of-some-length")
    config = load(None, {"CREDENTIALS_DIRECTORY": str(tmp_path), "HOME": str(tmp_path)})
    assert config.origin(("immich", "api_key")) == "the credential immich_api_key"


def test_a_comment_in_the_file_makes_no_other_configuration(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[skymmich]\nsource = "/x.db"\n')
    before = load(file, {"HOME": str(tmp_path)})
    file.write_text('# Mine.\n\n[skymmich]\nsource = "/x.db"\n')
    assert load(file, {"HOME": str(tmp_path)}) == before


@pytest.mark.parametrize(
    ("voice", "said"), [("command", "apply refuses."), ("daemon", "nothing is written.")]
)
def test_a_daemon_does_not_speak_of_a_command_that_nobody_runs(tmp_path, voice, said):
    catalogue = tmp_path / "skymmich.db"
    build_sample(catalogue)
    off = "UPDATE admin_settings SET value = json_set(value, '$.metadataSyncEnabled', json('false')) WHERE key = 'immich'"
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute(off)
    config = load(None, {"RECONCILER_SKYMMICH__SOURCE": str(catalogue), "HOME": str(tmp_path)})
    with SafeRenderer() as renderer:
        _, found = check_catalogue(config, Policy(), None, renderer=renderer, most=1, voice=voice)
    (switched_off,) = [one.what for one in found if "metadataSyncEnabled" in one.what]
    assert switched_off.endswith(said)

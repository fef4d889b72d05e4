"""A catalogue over the web, as the wiring and the doctor see it."""

from __future__ import annotations

import stat

import pytest

from reconciler.app.doctor.web import check_web
from reconciler.app.overrides import TheirSettings, settings_writer
from reconciler.app.pairing import pair_of
from reconciler.app.source import close_source, source_of
from reconciler.config import load
from reconciler.core.catalogue import Catalogue, CatalogueImage, SyncSettings
from reconciler.errors import ConfigurationError
from reconciler.skymmich.rest.mirror import Mirror
from reconciler.skymmich.rest.source import RestCatalogue

ADDRESS = "http://skymmich:5000"
MASKED = SyncSettings(immich_url="http://immich:2283", masked=True, stored=True)


@pytest.fixture
def config(tmp_path):
    def build(**more):
        variables = {
            "RECONCILER_SKYMMICH__SOURCE": ADDRESS,
            "RECONCILER_STATE__URL": str(tmp_path / "s" / "state.sqlite3"),
        }
        return load(None, {**variables, "HOME": str(tmp_path), **more})

    return build


@pytest.fixture
def kept(config):
    mirror = Mirror(config().state.file.with_name("state.skymmich.sqlite3"), ADDRESS)
    yield mirror
    mirror.close()


def test_answers_are_kept_beside_the_store_for_its_owner_alone(config, kept):
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    source = source_of(config())
    assert isinstance(source, RestCatalogue)
    assert source._kept == kept.path
    close_source(source)


def test_the_doctor_leaves_no_trace(config, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    source = source_of(config(), leave_no_trace=True)
    source.freshness()
    close_source(source)
    assert sorted(tmp_path.rglob("*")) == before


def test_over_the_web_the_key_has_to_be_configured_and_the_error_says_so(config):
    with pytest.raises(ConfigurationError, match="shows but its last characters") as caught:
        pair_of(config(), MASKED)
    assert "[immich] url and [immich] api_key_file" in caught.value.remedy
    pair = pair_of(config(RECONCILER_IMMICH__API_KEY="a-key-of-ours-1234"), MASKED)
    assert (pair.key, pair.url) == ("a-key-of-ours-1234", "http://immich:2283")


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({}, ADDRESS),
        ({"RECONCILER_SKYMMICH__URL": "https://sky.example"}, "https://sky.example"),
        ({"RECONCILER_SKYMMICH__SOURCE": "/srv/skymmich.db"}, None),
    ],
)
def test_the_source_is_the_web_address_where_no_other_is_named(config, more, address):
    assert config(**more).skymmich_address() == address


def test_the_switches_are_changed_there(config):
    assert isinstance(settings_writer(config(), None, lambda: None), TheirSettings)


@pytest.mark.parametrize("address", ["http://", "http://h:99999", "https:///x"])
def test_a_web_address_that_is_none_is_said(config, address):
    with pytest.raises(ConfigurationError, match="must be a web address"):
        config(RECONCILER_SKYMMICH__SOURCE=address)


def test_a_login_in_the_address_is_a_secret(config):
    found = config(RECONCILER_SKYMMICH__SOURCE="http://ann:planted-7f3a@skymmich:5000")
    assert "planted-7f3a" in found.secrets()
    assert "planted" not in repr(found)


def findings(config, settings=MASKED):
    image = CatalogueImage(image_id=1, asset_id=None, title="M 31", filename="a.tif")
    return [(one.level, one.what) for one in check_web(config, Catalogue((image,), settings=settings))]


def test_the_doctor_says_how_old_what_is_known_is(config, kept):
    kept.remember(lists_at=1.0, links_at=1.0, complete=True, kind="postgresql")
    found = findings(config())
    assert [level for level, _ in found] == ["ok", "warning", "warning"]
    assert "its lists" in found[0][1]
    assert "does not say when something was saved" in found[1][1]
    assert "24 h" in found[1][1]
    assert "anyone can change who reaches it" in found[2][1]
    kept.remember(stamp="2026-11-27T12:48:53.807Z 200704")
    found = findings(config(RECONCILER_IMMICH__URL="http://immich:2283"))
    assert [level for level, _ in found] == ["ok"]


def test_of_another_source_it_says_nothing(config):
    assert findings(config(RECONCILER_SKYMMICH__SOURCE="/srv/skymmich.db")) == []

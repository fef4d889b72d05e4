"""What may stand at ``[skymmich] source``."""

from __future__ import annotations

import traceback

import pytest

from reconciler.errors import ConfigurationError
from reconciler.skymmich.sources import open_catalogue


@pytest.mark.parametrize(
    "form", ["{}", "  {}  ", "sqlite:{}", "sqlite://{}", "sqlite:///{}", "file://{}", "SQLite://{}?mode=ro"]
)
def test_an_sqlite_file_is_named_by_its_path_or_a_url(make, form):
    make.image(1)
    source = open_catalogue(form.format(make.path))
    assert len(source.read().images) == 1


def test_a_relative_path_is_relative_to_where_the_program_starts(make, monkeypatch):
    monkeypatch.chdir(make.path.parent)
    for form in ("skymmich.db", "./skymmich.db", "sqlite:skymmich.db", "sqlite:///skymmich.db"):
        source = open_catalogue(form)
        assert source.path == make.path


def test_a_colon_in_a_path_makes_no_url_of_it(tmp_path):
    assert open_catalogue(f"{tmp_path}/sky:1.db").path == tmp_path / "sky:1.db"


def test_escaped_characters_of_a_url_are_meant_literally():
    assert str(open_catalogue("sqlite:///a%20b.db").path) == "/a b.db"


def test_a_file_that_does_not_exist_yet_is_no_error_before_it_is_read(tmp_path):
    assert open_catalogue(str(tmp_path / "later.db")).path == tmp_path / "later.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "POSTGRES"])
def test_a_postgresql_address_never_shows_its_password(scheme):
    source = open_catalogue(f"{scheme}://sky:planted-7f3a@db:5433/skymmich")
    assert repr(source) == "PostgresCatalogue('skymmich at db:5433')"


@pytest.mark.parametrize(
    "address", ["postgresql://sky:planted-7f3a@[db/x", "postgresql://sky:planted-7f3a%zz@db/x"]
)
def test_a_postgresql_address_that_cannot_be_read_is_said_without_its_password(address):
    with pytest.raises(ConfigurationError) as caught:
        open_catalogue(address)
    assert "planted" not in "".join(traceback.format_exception(caught.value))
    assert "percent-encode" in caught.value.remedy


@pytest.mark.parametrize("address", ["http://ann:planted-7f3a@skymmich:5000/", "HTTPS://sky.example/base"])
def test_a_web_address_is_skymmich_s_own_and_never_shows_its_password(address):
    source = open_catalogue(address)
    assert repr(source) in {
        "RestCatalogue('http://skymmich:5000')",
        "RestCatalogue('https://sky.example/base')",
    }


def test_what_is_supported_is_said():
    with pytest.raises(ConfigurationError) as caught:
        open_catalogue("mysql://db/x")
    for each in ("SQLite file", "postgresql://", "http://skymmich:5000"):
        assert each in caught.value.remedy


@pytest.mark.parametrize("source", ["", "   ", "mysql://root:planted-7f3a@db/x"])
def test_anything_else_is_a_configuration_error(source):
    with pytest.raises(ConfigurationError) as caught:
        open_catalogue(source)
    assert "planted" not in str(caught.value)
    assert caught.value.exit_code == 78

"""The asserts of a file are rewritten and kept, and nothing of the file is run."""

from __future__ import annotations

import sys

import pytest

from tests.quick_collection import asked_for, rewrite

TEXT = "import builtins\nbuiltins.was_run = True\n\n\ndef test_one():\n    assert 1\n"


@pytest.mark.parametrize(
    "text", [TEXT, TEXT.replace("import", '"""Doc."""\nfrom __future__ import x\nimport')]
)
def test_it_is_kept_and_not_run(tmp_path, pytestconfig, monkeypatch, text):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "test_one.py"
    path.write_text(text.replace("__ import x", "__ import annotations"))
    rewrite(pytestconfig.pluginmanager.rewrite_hook, path)
    kept = [one.name for one in (tmp_path / "__pycache__").iterdir()]
    assert len(kept) == 1
    assert "pytest" in kept[0]
    assert not hasattr(__import__("builtins"), "was_run")


def test_a_file_that_is_wrong_is_left_to_the_import(tmp_path, pytestconfig):
    (tmp_path / "test_one.py").write_text("def:")
    rewrite(pytestconfig.pluginmanager.rewrite_hook, tmp_path / "test_one.py")


def test_they_are_those_that_are_asked_for(tmp_path):
    for name in ("a/test_1.py", "a/other.py", "a/b/test_2.py", "c/test_3.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x" * len(name))

    class Config:
        class invocation_params:  # noqa: N801 - as pytest calls it
            dir = tmp_path

        args = ("a", "c/test_3.py::test_x", "c/test_4.py")

        def getoption(self, _):
            return ["a/b"]

    found = [str(path.relative_to(tmp_path)) for path in asked_for(Config())]
    assert found == ["a/test_1.py", "c/test_3.py"]

"""Files that wait, that start programs and that compute run beside each other until the end."""

from __future__ import annotations

from pathlib import Path

from tests.scheduling import KINDS, SECONDS, kind_of, next_file, seconds_of

TESTS = Path(__file__).parent


def test_each_name_of_the_lists_is_there():
    assert [name for name in (*KINDS, *SECONDS) if not (TESTS / name).exists()] == []


def test_each_file_is_taken_once_and_each_kind_is_at_work_nearly_to_the_end():
    queue = [f"tests/{path.relative_to(TESTS)}" for path in sorted(TESTS.rglob("test_*.py"))]
    files, ends, processes = list(queue), {}, [(0.0, "") for _ in range(5)]
    while queue:
        began, former = min(processes)
        processes.remove((began, former))
        file = next_file(queue, [other for _, other in processes if other])
        queue.remove(file)
        ends[file] = began + seconds_of(file)
        processes.append((ends[file], file))
    assert sorted(ends) == files
    last = {
        kind: max(ends[file] for file in files if kind_of(file) == kind)
        for kind in ("waits", "starts", "computes")
    }
    assert min(last.values()) > 0.9 * max(last.values())
    assert max(last.values()) < 1.05 * sum(seconds_of(file) for file in files) / 5


def test_the_longest_of_a_kind_comes_first():
    assert (
        next_file(["tests/core/test_text.py", "tests/core/test_properties.py"], [])
        == "tests/core/test_properties.py"
    )

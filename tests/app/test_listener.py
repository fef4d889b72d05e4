"""What the engine tells, as it stands in the log."""

from __future__ import annotations

from structlog.testing import capture_logs

from reconciler.app.wiring import listener
from reconciler.core.catalogue import Catalogue, RowProblem
from reconciler.core.reasons import reason
from reconciler.engine.planner.planner import told_problems


def test_a_row_s_problem_is_told_in_words():
    (event,) = told_problems(Catalogue((), (RowProblem("equipment", 4, reason("row_nameless")),)))
    with capture_logs() as lines:
        listener()(event)
    assert [(line["table"], line["row"], line["reason"]) for line in lines] == [
        ("equipment", 4, "it has no name")
    ]

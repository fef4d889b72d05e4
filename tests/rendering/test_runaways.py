"""Templates that would freeze or fill a process: each is refused with its name, and its line where it is known."""

from __future__ import annotations

import time

import pytest

from reconciler.core.desired.facts import Facts
from reconciler.errors import TemplateError

M31, M42 = Facts("M 31", frames=3), Facts("M 42", frames=1)
GROW = "{% set ns = namespace(x=START) %}{% for a in range(99) %}\n{% set ns.x = MORE %}{% endfor %}{{ ns.x | length }}"
NEST = "{% set ns = namespace(x=[]) %}{% for a in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}\n"


def grown(start, more):
    return GROW.replace("START", start).replace("MORE", more)


MEMORY, TIME, LENGTH, DEPTH = "memory", "of computing", "renders more than", "RecursionError"
RUNAWAYS = {
    "loops": ("\n" + "{% for a in range(99999) %}" * 2 + "{% endfor %}" * 2, 2, TIME),
    "a power": ("\n\n{{ (frames + 9) ** (10 ** 8) > 5 }}", 3, TIME),
    "a power that is computed in reading": ("{{ 10 ** (10 ** 8) }}", None, TIME),
    "a text that doubles": (grown("'x'", "ns.x ~ ns.x"), 2, MEMORY),
    "a list that doubles": (grown("[1]", "ns.x + ns.x"), 2, MEMORY),
    "padding": ("\n{{ '%2000000000s' % heading }}", 2, MEMORY),
    "a product": ("\n{{ heading * 2000000000 }}", 2, MEMORY),
    "a centred text": ("\n{{ heading | center(2000000000) }}", 2, MEMORY),
    "a text repeated in reading": ("{{ 'x' * 2000000000 }}", 1, MEMORY),
    "five gigabytes of lists": ("\n{{ ([frames] * 99999999) + ([1] * 600000000) }}", 2, MEMORY),
    "a hundred megabytes": ("{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", None, LENGTH),
    "a macro of itself": ("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", 1, DEPTH),
    "lists in lists": (NEST + "{{ ns.x | pprint }}", 2, DEPTH),
    "their text": (NEST + "{{ ns.x | string }}", 2, DEPTH),
    "brackets": ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", None, "recursion"),
    "a long source": ("{% if heading %}x{% endif %}" * 30_000, None, "it takes more"),
}


@pytest.mark.parametrize("name", RUNAWAYS)
def test_a_template_that_takes_too_much_is_refused_with_its_name_and_line(renderer, mine, name):
    text, line, why = RUNAWAYS[name]
    with pytest.raises(TemplateError, match=why) as caught:
        renderer.render_now(mine(text), [M31])
    assert (caught.value.source, caught.value.line) == ("mine.j2", line)
    assert str(caught.value).startswith(f"mine.j2:{line or '?'}: ")
    assert len(str(caught.value)) < 500
    assert caught.value.remedy
    # The next one is none the worse for it.
    assert renderer.render_now(mine("{{ heading }}"), [M31]) == ["✦ M 31\n— Skymmich"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("a\n{{ nope }}", "nope"), ("a\n{{ 1 // 0 }}", "ZeroDivisionError"), ("a\n{{ title.nope() }}", "nope")],
)
def test_other_errors_are_those_that_they_always_were(renderer, mine, text, why):
    with pytest.raises(TemplateError, match=why) as caught:
        renderer.render_now(mine(text), [M31])
    assert caught.value.line == 2
    assert "M 31" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{% if heading == 'M 42' %}\n{{ (frames + 9) ** (10 ** 8) > 5 }}{% endif %}", 2),
        ("{% if heading == 'M 42' %}\n{{ heading * 2000000000 }}{% endif %}", 2),
    ],
)
def test_the_one_image_for_which_it_takes_too_much_is_named(renderer, mine, text, line):
    assert renderer.render_now(mine(text), [M31]) == [""]
    with pytest.raises(TemplateError, match="M 42") as caught:
        renderer.render_now(mine(text), [M31] * 30 + [M42] + [M31] * 9)
    assert caught.value.line == line


def test_one_that_is_a_little_slow_for_each_of_many_is_refused(renderer, mine):
    slow = mine("{% for a in range(99999) %}{% for b in range(9) %}{% endfor %}{% endfor %}")
    with pytest.raises(TemplateError, match="20 ms an image"):
        renderer.render_now(slow, [M31] * 50)


def test_one_that_is_a_little_long_for_each_of_many_is_refused(renderer, mine):
    with pytest.raises(TemplateError, match="4000 characters an image"):
        renderer.render_now(mine("{{ 'x' * 90000 }}"), [M31] * 50)


def test_one_that_was_refused_is_not_tried_again_for_the_same_image(renderer, mine):
    runaway = mine("{% if heading == 'M 42' %}{{ (frames + 9) ** (10 ** 8) > 5 }}{% endif %}")
    with pytest.raises(TemplateError):
        renderer.render_now(runaway, [M42])
    began = time.process_time()
    with pytest.raises(TemplateError, match="M 42") as caught:
        renderer.render_now(runaway, [M31, M42])
    assert renderer.pid is None
    assert time.process_time() - began < 0.1
    assert caught.value.source == "mine.j2"
    # For others it is: the catalogue may have changed.
    assert renderer.render_now(runaway, [M31]) == [""]

"""The block as it is rendered, by the built-in template and by users' own."""

from __future__ import annotations

from datetime import date

import pytest

from reconciler.core.catalogue import (
    Acquisition,
    CatalogueObject,
    Equipment,
    PlateSolution,
    Site,
    Summary,
)
from reconciler.core.desired.block import Markers, split
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import DescriptionPolicy
from reconciler.errors import TemplateError

WHOLE = {
    "title": "My first",
    "target": CatalogueObject("NGC0224", "G", "M 31", ("Andromeda Galaxy",), "And"),
    "solution": PlateSolution(10.697045, 41.259223, 15264.77, 10036.79, position_angle_deg=237.3254),
    "site": Site("Garden"),
    "equipment": (
        Equipment(1, "FRA400", "telescope", (("focalLength", 400), ("focalRatio", "f/5.6"))),
        Equipment(2, "ASI2600MM", "camera"),
        Equipment(3, "AM5", "mount"),
        Equipment(4, "EAF", "accessory"),
        Equipment(5, "Siril", "software"),
    ),
    "acquisitions": (
        Acquisition("L", 60, 300.0, 100, 50, "1x1", -10.0, date(2023, 2, 1)),
        Acquisition("Ha", 12, 600.0, 100, 50, "1x1", -10.0, date(2023, 2, 2)),
    ),
}


@pytest.fixture
def render(make):
    def rendered(template=None, pixels=None, **known):
        policy = DescriptionPolicy(template=template, template_name="mine.j2" if template else "default")
        return BlockTemplate(policy).render(facts_of(make.image(**known), policy, pixels))

    return rendered


def test_the_default_block_says_every_fact(render):
    assert render(pixels=(6248, 4108), **WHOLE) == (
        "✦ M 31 · NGC 224 · Andromeda Galaxy\n"
        "My first\n"
        "Galaxy in Andromeda\n"
        "\n"
        "Integration: 7h, 72 frames, 2 nights (2023-02-01 to 2023-02-02)\n"
        "· L: 60 × 300 s (5h), gain 100, offset 50, −10 °C\n"
        "· Ha: 12 × 600 s (2h), gain 100, offset 50, −10 °C\n"
        "\n"
        "Telescope: FRA400 (400 mm f/5.6)\n"
        "Camera: ASI2600MM\n"
        "Mount: AM5\n"
        "Filters: L, Ha\n"
        "Accessories: EAF\n"
        "Software: Siril\n"
        "\n"
        "Centre: RA 00h 42m 47.3s, Dec +41° 15′ 33″ (J2000)\n"
        "Field: 4.24° × 2.79°, 2.44″/px, position angle 237.3°\n"
        "Site: Garden\n"
        "— Skymmich"
    )


def test_a_bare_image_has_a_block_of_its_heading(render):
    assert render(title="Moon") == "✦ Moon\n— Skymmich"


@pytest.mark.parametrize("left_out", sorted(WHOLE))
def test_a_fact_that_is_not_known_leaves_no_gap(render, left_out):
    block = render(**{name: value for name, value in WHOLE.items() if name != left_out})
    assert "\n\n\n" not in block
    assert "None" not in block
    assert not any(line.endswith((" ", ":", ",")) for line in block.split("\n"))


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"constellation": "Orion"}, "Orion"),
        ({"object_type": "Nebula"}, "Nebula"),
        ({"summary": Summary(integration_hours=1.5, frame_count=1)}, "Integration: 1h 30m"),
        ({"solution": PlateSolution(width_arcsec=7200.0, height_arcsec=3600.0)}, "Field: 2.00° × 1.00°"),
        ({"solution": PlateSolution(position_angle_deg=0.0)}, "Position angle: 0.0°"),
        ({"summary": Summary(focal_length_mm=50, aperture="f/2")}, "Optics: 50 mm f/2"),
    ],
)
def test_a_fact_can_stand_alone(render, known, line):
    assert line in render(title="Moon", **known).split("\n")


def test_a_user_s_template_takes_the_place_of_the_default(render):
    source = "{{ heading }}\n{% for row in integration %}{{ row.filter }}={{ row.total }};{% endfor %}"
    assert render(source, **WHOLE) == "✦ M 31 · NGC 224 · Andromeda Galaxy\nL=5h;Ha=2h;\n— Skymmich"


def test_html_and_template_language_in_a_title_are_text(render):
    assert render(title="<b>{{ 1/0 }}</b> &amp;") == "✦ <b>{{ 1/0 }}</b> &amp;\n— Skymmich"


@pytest.mark.parametrize("source", ["{# nothing #}", "{% if false %}x{% endif %}"])
def test_a_template_that_renders_nothing_makes_no_block(render, source):
    assert render(source, title="Moon") == ""


def test_rendered_lines_that_look_like_markers_do_not_end_the_block(render):
    block = render("{{ heading }}\n✦ inside\n— Skymmich\nlast", title="— Skymmich")
    assert split(f"Mine\n\n{block}\n\nToo", Markers()).block == block
    assert "last" in block


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\n{{ heading.__class__ }}", 2, "'__class__' of 'str' object is unsafe"),
        ("{{ ''.__class__.__mro__ }}", 1, "unsafe"),
        ("{{ heading | attr('__class__') }}", 1, "unsafe"),
        ("{{ '{0.__class__}'.format(heading) }}", 1, "unsafe"),
        ("\n\n{{ cycler.__init__.__globals__ }}", 3, "unsafe"),
        ("a\n\n{{ telescop }}", 3, "'telescop' is undefined"),
        ("{% if telescop %}{% endif %}", 1, "'telescop' is undefined"),
        ("{% for row in integration %}\n{{ row.exposure }}\n{% endfor %}", 2, "exposure"),
        ("a\n{{ 1 / 0 }}", 2, "ZeroDivisionError"),
        ("a\n{{ heading + 1 }}", 2, "TypeError"),
        ("{{ cameras[5].x }}", 1, "no element 5"),
        ("a\n{% include '/etc/passwd' %}", 2, "no loader"),
        ("{% for i in range(1000000000) %}{% endfor %}", 1, "Range too big"),
        ("{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}", 2, "recursion"),
    ],
)
def test_what_goes_wrong_while_rendering_names_file_line_and_image(render, source, line, message):
    with pytest.raises(TemplateError) as caught:
        render(source, **WHOLE)
    assert str(caught.value).startswith(f"mine.j2:{line}: ")
    assert message in str(caught.value)
    assert "M 31" in str(caught.value)
    assert "Nothing was written" in caught.value.remedy


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a\n{% if %}", 2),
        ("a\nb {{ heading", 2),
        ("{% for x in cameras %}\n{{ x }}\n", 2),
        ("\n\n{{ heading | nofilter }}", 3),
        ("{% frob %}", 1),
    ],
)
def test_what_can_not_be_read_names_file_and_line_before_any_image(source, line):
    with pytest.raises(TemplateError) as caught:
        BlockTemplate(DescriptionPolicy(template=source, template_name="mine.j2"))
    assert (caught.value.source, caught.value.line) == ("mine.j2", line)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in [1] %}" * 25 + "{% endfor %}" * 25,
        "{{ " + "(" * 800 + "1" + ")" * 800 + " }}",
    ],
    ids=["loops", "brackets"],
)
def test_a_template_nested_too_deeply_is_a_template_error(source):
    with pytest.raises(TemplateError, match=r"mine\.j2"):
        BlockTemplate(DescriptionPolicy(template=source, template_name="mine.j2"))


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 200000 }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{{ heading }}{% endfor %}{% endfor %}",
    ],
)
def test_a_template_that_never_ends_is_stopped(render, source):
    with pytest.raises(TemplateError, match="more than 100000 characters"):
        render(source, title="Moon")


def test_a_template_is_known_by_its_text():
    first, same, other = (BlockTemplate(DescriptionPolicy(template=t)) for t in ("a", "a", "b"))
    assert first.digest == same.digest != other.digest
    assert BlockTemplate(DescriptionPolicy()).digest != other.digest


@pytest.mark.parametrize(
    "slip",
    [
        "{{ heading.upper }}",
        "{{ heading ~ heading.upper }}",
        "{{ [heading.upper] }}",
        "{{ telescopes | map('upper') }}",
        "{{ [1, 2, 3] | random }}",
        "{{ lipsum(1) }}",
        "{{ joiner() }}",
    ],
)
def test_what_would_differ_at_every_pass_is_an_error_not_a_text(render, slip):
    with pytest.raises(TemplateError) as caught:
        render("{{ title }}\n" + slip, **WHOLE)
    assert "Nothing was written" in caught.value.remedy


def test_a_title_that_only_reads_like_a_place_in_memory_stops_nothing(render):
    assert "<Nebula at 0xff>" in render("{{ heading }}", title="<Nebula at 0xff>")


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_template_is_a_mistake_and_not_a_wish(text):
    with pytest.raises(TemplateError, match="empty") as caught:
        BlockTemplate(DescriptionPolicy(template=text, template_name="mine.j2"))
    assert caught.value.line == 1
    assert "switch the description off" in caught.value.remedy

"""What the solver wrote onto a picture: the true position angle, and what else is in it."""

from __future__ import annotations

import math

import pytest

from reconciler.core.sky.plane import Orientation, project
from reconciler.openngc.catalogue import OpenNgc
from reconciler.skymmich.database import SqliteCatalogue

SKY = OpenNgc()
HEART = (38.163859, 61.466661, 15258.22, 10032.80, 6.9672)
"""Centre, field and pixel scale of a real solution of the Heart nebula."""


def answer(solution=HEART, orientation=238.43, annotations=(), **more):
    ra, dec, width, height, scale = solution
    return {
        "ra": ra, "dec": dec, "width_arcsec": width, "height_arcsec": height, "pixscale": scale,
        "orientation": orientation, "parity": 1, "annotations": list(annotations), **more,
    }  # fmt: skip


def marked(names, solution, angle, *, mirrored=False, kind="ngc"):
    """Annotate objects where they are in a picture whose top points to an angle."""
    ra, dec, width, height, scale = solution
    found = []
    for name in names:
        known = SKY.find(name)
        place = Orientation(angle, mirrored).place(project(known.ra_deg, known.dec_deg, (ra, dec)))
        place = place / math.radians(scale / 3600) + complex(width, height) / scale / 2
        found.append({"type": kind, "names": [name], "pixelx": place.real, "pixely": place.imag, "radius": 9})
    return found


@pytest.fixture
def read(make):
    def reading(result, *, target="IC 1805", filename="heart.jpg", **columns):
        ra, dec = result.get("ra"), result.get("dec")
        columns = {"rotation": result.get("orientation"), "ra": str(ra), "dec": str(dec), **columns}
        make.image(plate_solved=1, target_name=target, filename=filename, **columns)
        make.solve(1, **result)
        return reader(make)

    return reading


def reader(make):
    catalogue = SqliteCatalogue(make.path, sky=SKY).read()
    (image,) = catalogue.images
    return image.solution, catalogue.problems


def others(solution):
    return [each.name for each in solution.objects if not each.is_target]


def test_the_solvers_number_is_mirrored_for_a_preview(read):
    solution, _ = read(answer())
    assert solution.position_angle_deg == pytest.approx(121.57, abs=0.01)


@pytest.mark.parametrize("filename", ["stack.tif", "stack.fits"])
def test_of_a_file_that_is_no_preview_the_number_is_not_trusted(read, filename):
    solution, _ = read(answer(), filename=filename)
    assert solution.position_angle_deg is None


def test_a_number_that_is_not_the_solvers_is_not_told(read):
    solution, _ = read(answer(), rotation=12.0)
    assert solution.position_angle_deg is None


def test_a_number_without_an_answer_is_not_told(make):
    make.image(plate_solved=1, ra="38.1", dec="61.4", rotation=238.4)
    solution, _ = reader(make)
    assert (solution.rotation_deg, solution.position_angle_deg) == (238.4, None)


@pytest.mark.parametrize("mirrored", [False, True])
def test_annotations_measure_the_angle_whatever_the_solvers_number_meant(read, mirrored):
    annotations = marked(["IC 1805", "NGC 896", "NGC 1027", "IC 1831"], HEART, 77.0, mirrored=mirrored)
    solution, problems = read(answer(annotations=annotations), filename="stack.tif")
    assert solution.position_angle_deg == pytest.approx(77.0, abs=0.1)
    assert not problems


def test_what_else_is_in_the_picture_is_told_without_target_stars_and_what_lies_elsewhere(read):
    solution = (10.6847, 41.2687, 10800.0, 7200.0, 7.5)
    annotations = [
        *marked(["NGC 224", "NGC 221", "NGC 205", "NGC 206"], solution, 10.0),
        {"type": "bright", "names": ["ν And"], "pixelx": 3, "pixely": 4, "radius": 0},
        {"type": "hd", "names": ["HD 3431"], "pixelx": 33, "pixely": 44, "radius": 0},
        {"type": "ic", "names": ["IC 1824"], "pixelx": 500, "pixely": 400, "radius": 0},
    ]
    found, _ = read(answer(solution, annotations=annotations), target="M 31")
    assert others(found) == ["M 110", "M 32", "NGC 206"]
    assert [each.name for each in found.objects if each.is_target] == ["M 31"]
    assert (found.objects[0].x, found.objects[0].y) == (500, 500)


def test_each_of_several_targets_is_no_other_object(read):
    solution = (314.9, 44.4, 14400.0, 10800.0, 8.0)
    annotations = marked(["NGC 7000", "IC 5070", "NGC 6997"], solution, 0.0)
    found, _ = read(answer(solution, annotations=annotations), target="NGC 7000/IC 5070")
    assert others(found) == ["NGC 6997"]


@pytest.mark.parametrize("odd", [7, None, {"type": "ngc"}, {"names": "M 32"}, []])
def test_an_annotation_that_cannot_be_read_costs_itself(read, odd):
    annotations = [odd, *marked(["IC 1805", "NGC 896", "NGC 1027", "IC 1831"], HEART, 77.0)]
    solution, (problem,) = read(answer(annotations=annotations))
    assert (problem.reason.code, problem.severity) == ("row_odd_annotations", "warning")
    assert solution.position_angle_deg == pytest.approx(77.0, abs=0.1)


def test_without_annotations_what_shows_for_certain_is_computed(read):
    solution = (10.6847, 41.2687, 10800.0, 7200.0, 7.5)
    result = answer(solution, orientation=350.0)
    del result["annotations"]
    found, problems = read(result, target="M 31")
    assert others(found) == ["M 110", "M 32"]
    assert not problems


def test_without_an_angle_nothing_is_computed(read):
    found, _ = read(answer((10.6847, 41.2687, 10800.0, 7200.0, 7.5)), filename="stack.tif", target="M 31")
    assert found.objects == ()

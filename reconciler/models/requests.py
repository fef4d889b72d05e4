"""What the API takes, as JSON; and how it refuses. How it is read: ``web.params``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reconciler.core.catalogue import WRITTEN_PARTS, WrittenPart
from reconciler.core.records import AssetStatus, Keep
from reconciler.core.records import Field as AssetField
from reconciler.models.base import Model, Moment, Text

MAX_ID = 2**53
"""Ids beyond it have no exact JSON number everywhere."""
MAX_HASH = 100
MAX_IMAGES = 5000
MAX_NAME = 200
"""Characters of a name to filter by."""
MAX_TEMPLATE = 16_000
"""Characters; a form's body may have 64 kB, and percent signs triple some."""
MAX_WAIT = 60.0
MAX_FIRST = 100
"""Images with which writing may be begun."""

Approval = Annotated[str, Field(max_length=MAX_HASH, description="The hash that the guard named")]


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("has half a character in it") from None
    return text


# How long one may be is said by 413, and not as a mistake of the body's form.
TemplateSource = Annotated[
    str, AfterValidator(_whole), WithJsonSchema({"type": "string", "maxLength": MAX_TEMPLATE})
]


def read_moment(text: object) -> object:
    """Read a moment of JSON; a form's comes the same way."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        moment = moment and moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        moment = None
    if text is not None and moment is None:
        raise ValueError("must be a moment with its time zone, as 2026-11-22T20:00:00Z")
    return moment


class ImageWish(Model):
    """How an image is to be looked at."""

    full: bool = Field(default=False, description="Read every asset, whatever was remembered")
    force: bool = Field(default=False, description="The catalogue wins conflicts in this run")
    approve: Approval = ""


class Wish(ImageWish):
    """What is to be looked at, and how."""

    image_ids: (
        Annotated[list[Annotated[int, Field(ge=0, lt=MAX_ID)]], Field(min_length=1, max_length=MAX_IMAGES)]
        | None
    ) = None


class Choice(Model):
    """A decision of a conflict: which side stays; null takes a decision back."""

    keep: Keep | None
    field: AssetField | None = None
    shown: Annotated[str, Field(max_length=64)] = ""


class Parts(Model):
    """Which fields of an image are meant; by default all."""

    fields: list[WrittenPart] = Field(
        default=list(WRITTEN_PARTS),
        min_length=1,
        max_length=len(WRITTEN_PARTS),
        description="Fields of the image",
    )


class Changes(Model):
    """Settings to change: some of them."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    metadataSyncEnabled: bool = True  # noqa: N815 - Skymmich's name
    syncDescription: bool = True  # noqa: N815 - the same
    syncCoordinates: bool = True  # noqa: N815 - the same
    syncTags: bool = True  # noqa: N815 - the same
    syncDates: bool = False  # noqa: N815 - named likewise
    syncAlbums: bool = False  # noqa: N815 - named likewise
    syncStacks: bool = False  # noqa: N815 - named likewise


class LookedAt(Model):
    """Until when what was noticed was looked at."""

    until: Annotated[
        Moment | None,
        BeforeValidator(read_moment),
        Field(description="What was noticed later stays; by default now"),
    ] = None


class TemplateChange(Model):
    """Another template; null is for the configured one."""

    text: TemplateSource | None
    approve: Approval = ""
    confirm: Annotated[
        bool, Field(description="What it changes was seen; without, that is told, and nothing is changed")
    ] = False


class TemplateTrial(Model):
    """A template to try, with one image or the first one."""

    text: TemplateSource
    image_id: Annotated[int, Field(ge=0)] | None = None


class TemplateText(Model):
    """A template to plan with."""

    text: TemplateSource


class ImagesQuery(Model):
    """Which images are listed."""

    q: Annotated[str, Field(max_length=MAX_NAME, description="A part of the title")] = ""
    status: Annotated[AssetStatus | Literal[""], Field(description="Only these")] = ""
    crossed: Annotated[bool, Field(description="Only those of which an edit may be missing")] = False
    target: Annotated[str, Field(max_length=MAX_NAME, description="A part of the target's name")] = ""
    equipment: Annotated[
        str, Field(max_length=MAX_NAME, description="A part of the name of a piece of equipment")
    ] = ""
    limit: Annotated[int, Field(ge=1, le=500, description="Images a page")] = 50
    after: Annotated[str, Field(description="The “next” of the page before")] = ""


class RunsQuery(Model):
    """Which runs are listed."""

    limit: Annotated[int, Field(ge=1, le=500, description="Runs a page")] = 50
    before: Annotated[str, Field(description="The “next” of the page before")] = ""


class RunQuery(Model):
    """Which of a run's changes are listed."""

    limit: Annotated[int, Field(ge=1, le=1000, description="Changes a page")] = 100
    before: Annotated[int, Field(ge=0, le=MAX_ID, description="The “next” of the page before")] = 0


class PlanLimit(Model):
    """How much of a plan is listed."""

    limit: Annotated[int, Field(ge=1, le=5000, description="Images listed")] = 500


AsIf = Annotated[bool, Field(description="As if it were so")]


class PlanQuery(PlanLimit):
    """Under which settings is planned; those that are not named are as they are."""

    metadataSyncEnabled: AsIf = True  # noqa: N815 - Skymmich's name
    syncDescription: AsIf = True  # noqa: N815 - the same
    syncCoordinates: AsIf = True  # noqa: N815 - the same
    syncTags: AsIf = True  # noqa: N815 - the same
    syncDates: AsIf = False  # noqa: N815 - named likewise
    syncAlbums: AsIf = False  # noqa: N815 - named likewise
    syncStacks: AsIf = False  # noqa: N815 - named likewise


class Begin(Model):
    """Let writing begin."""

    count: Annotated[
        int,
        Field(ge=0, le=MAX_FIRST, description="Begin with so many images and wait; 0: with all, for ever"),
    ] = 0
    by: Annotated[Literal["api", "apply"], Field(description="Who begins, for the record")] = "api"


class Waiting(Model):
    """How long the answer may wait."""

    wait: Annotated[int, Field(ge=0, le=int(MAX_WAIT), description="Seconds to wait for the end")] = 0


class Verbosely(Model):
    """How much is told."""

    verbose: Annotated[str, Field(description="List the checks even when all is well")] = ""


class Problem(Model):
    """An error (RFC 9457). ``line`` counts from 1, in a template that fails."""

    model_config = ConfigDict(extra="allow")

    type: Literal["about:blank"]
    title: Text
    status: int
    detail: Text
    remedy: Text = ""
    line: int | None = None

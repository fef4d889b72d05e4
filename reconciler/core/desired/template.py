"""The template of the description's block: compiled once, rendered per image, in a sandbox.

A user's template is Jinja2 with one variable for each field of ``Facts``, and gettext's two functions for the
words: ``_("Site: {name}", name=site)``. It cannot call anything else, nor import or change anything; a name
that does not exist is an error, not an empty text, so that a slip is seen at once. The same facts always give
the same block: what is drawn by chance, or names a place in memory, would be written to every asset at every
pass, and is an error too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields
from typing import TYPE_CHECKING

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.core.desired.block import Markers, enclose
from reconciler.core.desired.language import language_of
from reconciler.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.desired.facts import Facts
    from reconciler.core.desired.language import Language
    from reconciler.core.policy import DescriptionPolicy

DEFAULT_TEMPLATE = """\
{{ heading }}
{%- if title %}
{{ title }}
{%- endif %}
{%- if object_type and constellation %}
{{ _("{type} in {constellation}", type=object_type, constellation=constellation) }}
{%- elif object_type or constellation %}
{{ object_type or constellation }}
{%- endif %}
{%- if also_in_field %}
{{ _("Also in the field: {names}", names=also_in_field | join(", ")) }}{% if more_in_field %} …{% endif %}
{%- endif %}
{%- if total_integration %}

{{ _("Integration: {total}", total=total_integration) }}
{%- if frames > 1 %}, {{ ngettext("{count} frame", "{count} frames", frames) }}{% endif %}
{%- if nights > 1 %}, {{ ngettext("{count} night", "{count} nights", nights) }} ({{ night_span }})
{%- elif nights %}, {{ night_span }}{% endif %}
{%- for row in integration %}
· {% if row.filter %}{{ row.filter }}: {% endif %}{{ row.subs }} ({{ row.total }})
{%- if row.details %}, {{ row.details }}{% endif %}
{%- endfor %}
{%- elif nights %}

{{ _("Nights: {span}", span=night_span) }}
{%- endif %}
{%- for line in night_lines %}
· {{ line }}
{%- endfor %}
{%- if moon %}
{{ _("Moon: {percent} lit", percent=moon) }}
{%- endif %}
{%- if telescopes or optics or cameras or mounts or guiding or filters or accessories or software %}
{# an empty line between the parts #}
{%- if telescopes %}
{{ _("Telescope: {names}", names=telescopes | join(", ")) }}{% if optics %} ({{ optics }}){% endif %}
{%- elif optics %}
{{ _("Optics: {optics}", optics=optics) }}
{%- endif %}
{%- if cameras %}
{{ _("Camera: {names}", names=cameras | join(", ")) }}
{%- endif %}
{%- if mounts %}
{{ _("Mount: {names}", names=mounts | join(", ")) }}
{%- endif %}
{%- if guiding %}
{{ _("Guiding: {names}", names=guiding | join(", ")) }}
{%- endif %}
{%- if filters %}
{{ _("Filters: {names}", names=filters | join(", ")) }}
{%- endif %}
{%- if accessories %}
{{ _("Accessories: {names}", names=accessories | join(", ")) }}
{%- endif %}
{%- if software %}
{{ _("Software: {names}", names=software | join(", ")) }}
{%- endif %}
{%- endif %}
{%- if ra or field or rotation or site %}
{# an empty line between the parts #}
{%- if ra %}
{{ _("Centre: RA {ra}, Dec {dec} (J2000)", ra=ra, dec=dec) }}
{%- endif %}
{%- if field %}
{%- set angle = _("position angle {angle}", angle=rotation) if rotation %}
{{ _("Field: {field}", field=[field, pixel_scale, angle] | select | join(", ")) }}
{%- elif rotation %}
{{ _("Position angle: {angle}", angle=rotation) }}
{%- endif %}
{%- if site %}
{{ _("Site: {name}", name=site) }}
{%- endif %}
{%- endif %}
"""

MAX_RENDERED = 100_000
"""Characters a template may produce; more is a template gone wrong."""

_LONGEST_REASON, _LONGEST_HEADING = 300, 80
"""Characters of a message: an exception may quote all of a text that was made to be long."""

_UNREADABLE = "the template cannot be read"
_BY_CHANCE = "lipsum", "random"  # of Jinja2's globals, and of its filters
_IN_MEMORY = re.compile(r"<[^<>]+ at 0x[0-9a-f]+>")

# What an expression in a sandboxed template can raise.
_FAILURES = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


class BlockTemplate:
    """A compiled template.

    Raises:
        TemplateError: when compiled or rendered, with file and line.
    """

    def __init__(self, policy: DescriptionPolicy) -> None:
        self.markers = Markers(policy.opening, policy.closing)
        self.name = policy.template_name
        source = source_of(policy)
        if not source.strip():
            raise TemplateError(
                "the template is empty, which would remove the block from every description",
                source=self.name,
                line=1,
                remedy="To have no block in Immich, switch the description off. Nothing was written.",
            )
        self.digest = digest_of(policy)
        environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            keep_trailing_newline=False,
            finalize=_shown,
        )
        for name in _BY_CHANCE:
            environment.globals.pop(name, None)
            environment.filters.pop(name, None)
        environment.globals.update(_words_of(language_of(policy.language)))
        try:
            self._template = environment.from_string(source)
        except (jinja2.TemplateSyntaxError, SyntaxError, *_FAILURES) as error:
            # Python's own SyntaxError: nested too deeply. Its line is one of the code that Jinja2 made.
            message = error.message if isinstance(error, jinja2.TemplateError) else str(error)
            raise TemplateError(
                _reason(error) if isinstance(error, MemoryError) else _cut(message or _UNREADABLE),
                source=self.name,
                line=error.lineno if isinstance(error, jinja2.TemplateSyntaxError) else None,
                remedy="Mend the template. Nothing was written.",
            ) from error

    def render(self, facts: Facts) -> str:
        """Return the block, marker lines included; ``""`` when the template renders nothing."""
        values = {entry.name: getattr(facts, entry.name) for entry in fields(facts)}
        text = ""
        try:
            for piece in self._template.generate(values):
                text += piece
                if len(text) > MAX_RENDERED:  # now, not at the end of loops within loops
                    break
        except _FAILURES as error:
            raise TemplateError(
                f"{_reason(error)} ({while_rendering(facts)})",
                source=self.name,
                line=_line_of(error),
                remedy="Mend that line of the template. Nothing was written.",
            ) from error
        found = _IN_MEMORY.search(text)
        if found and found.group() not in str(values):  # a title may read like that
            raise TemplateError(
                f"{_cut(found.group())} is no text ({while_rendering(facts)})",
                source=self.name,
                line=None,
                remedy="Mend the template: a method needs its (), map() a join(). Nothing was written.",
            )
        if len(text) > MAX_RENDERED:
            raise TemplateError(
                f"it renders more than {MAX_RENDERED} characters ({while_rendering(facts)})",
                source=self.name,
                line=None,
                remedy="Shorten the template. Nothing was written.",
            )
        return enclose(text, self.markers)

    def lines(self) -> list[tuple[int, int]]:
        """Return pairs: a line of the template, and one of the Python code that Jinja2 made of it."""
        return list(self._template.debug_info)


def source_of(policy: DescriptionPolicy) -> str:
    """Return the template's text."""
    return DEFAULT_TEMPLATE if policy.template is None else policy.template


def digest_of(policy: DescriptionPolicy) -> str:
    """Name the template's text and its language: two that differ in either have two."""
    text = f"{policy.language}\n{source_of(policy)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _words_of(language: Language) -> dict[str, Callable[..., str]]:
    """Return what a template may call: gettext's two, of which the values are texts and nothing else."""

    def gettext(text: str, **values: object) -> str:
        return language.say(text, **_texts(values))

    def ngettext(one: str, many: str, count: int, **values: object) -> str:
        return language.say_many(one, many, int(count), **_texts(values))

    return {"_": gettext, "ngettext": ngettext}


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(_shown(value)) for name, value in values.items()}


def while_rendering(facts: Facts) -> str:
    """Say for which image a template failed."""
    return f"while rendering “{_cut(facts.heading, _LONGEST_HEADING)}”"


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "it takes more memory than a template may have"
    return _cut(f"{type(error).__name__}: {error}")


def _cut(text: str, length: int = _LONGEST_REASON) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def _shown(value: object) -> object:
    """Let through what an expression may put into the text: ``{{ title.upper }}`` lacks its brackets."""
    if value is None or isinstance(value, str | int | float | tuple | list | dict | jinja2.Undefined):
        return value
    raise TypeError(f"{type(value).__name__} is no text")


def _line_of(error: BaseException) -> int | None:
    """Find the template's own line: Jinja2 gives its frames the template's line numbers."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line

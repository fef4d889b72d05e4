"""The page of the API, from the document that describes it."""

from __future__ import annotations

import json
from typing import Any, Final

from page_text import code, made, table

from reconciler.web.api.openapi import document

Json = dict[str, Any]
_OPENING: Final = """\
# API

What the daemon answers on its port (`http://127.0.0.1:8287`). The same as an OpenAPI document, for programs, is at
`/api/v1/openapi.json`; it and this page are made from the handlers.

* **Who may ask.** With a token configured, every request but those to `/livez`, `/readyz` and the description needs it:
  `Authorization: Bearer TOKEN`. Without one, whoever reaches the port may ask; a request that changes something then has to name
  the daemon's own address, as in `Origin: http://127.0.0.1:8287`, so that no page of another site can send it.
* **By which name.** An IP address, `localhost`, or a name in `[status] allowed_hosts`; else the answer is 421.
* **Long work.** What starts a run answers 202 at once, with the run's address in `location`; `?wait=SECONDS` waits for its end.
* **What goes wrong** is told as [problem details](https://www.rfc-editor.org/rfc/rfc9457), with a remedy where there is one.
* **Moments** are ISO 8601 with their time zone. A `null` says that something is not there, or not known yet.
"""
_METHODS: Final = ("get", "put", "post", "patch", "delete")


def api_page() -> str:
    """Return the page."""
    described = document()
    parts = [made("`make reference`"), _OPENING, "\n## Requests\n"]
    for path, operations in described["paths"].items():
        parts += [_operation(path, method, operations[method]) for method in _METHODS if method in operations]
    parts.append("\n## Models\n")
    for name, schema in sorted(described["components"]["schemas"].items(), key=lambda one: _short(one[0])):
        parts.append(_model(name, schema))
    return "".join(parts)


def _operation(path: str, method: str, operation: Json) -> str:
    text = f"\n### {method.upper()} {path}\n\n{operation['summary']}.\n"
    if said := operation.get("description"):
        text += f"\n{said}\n"
    rows = [
        (code(one["name"]), f"{_type(one['schema'])}{_limits(one['schema'])}", _said(one))
        for one in operation.get("parameters", [])
    ]
    if rows:
        text += "\n" + _meaning("parameter", rows)
    if body := operation.get("requestBody"):
        text += f"\nTakes {_content(body['content'])}.\n"
    answers = [
        (code(status), answer.get("description", ""), _content(answer.get("content", {})))
        for status, answer in operation["responses"].items()
        if status != "default"
    ]
    return text + "\n" + table(("answer", "when", "holds"), answers)


def _said(one: Json) -> str:
    words = one.get("description") or one["schema"].get("description") or ""
    default = one["schema"].get("default")
    if default in (None, "", [], {}):
        return words
    return f"{words} (default {code(json.dumps(default))})".strip()


def _content(content: Json) -> str:
    return " or ".join(
        _type(kind["schema"]) if kind.get("schema") and media.endswith("json") else code(media)
        for media, kind in content.items()
    )


def _model(name: str, schema: Json) -> str:
    text = f"\n### {_short(name)}\n\n"
    if said := schema.get("description"):
        text += f"{said}\n\n"
    rows = [
        (code(field), f"{_type(kind)}{_limits(kind)}", _said({"schema": kind}))
        for field, kind in schema.get("properties", {}).items()
    ]
    return text + _meaning("field", rows)


def _meaning(name: str, rows: list[tuple[str, str, str]]) -> str:
    """Return the table of what is given, with what it means where that is said of any."""
    if any(said for *_, said in rows):
        return table((name, "is", "means"), rows)
    return table((name, "is"), [row[:2] for row in rows])


def _type(schema: Json) -> str:  # noqa: PLR0911 - one line for each form there is
    """Say what a value is: ``Run`` as a link, ``text``, ``list of numbers``."""
    if ref := schema.get("$ref"):
        name = _short(ref.rpartition("/")[2])
        return f"[{name}](#{name.lower().replace(' ', '-')})"
    if several := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(one) for one in several))
    if values := schema.get("enum"):
        return ", ".join(code(str(value)) for value in values if value != "")
    if "const" in schema:
        return code(str(schema["const"]))
    kind = schema.get("type", "any value")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(more := schema.get("additionalProperties"), dict):
        return f"object of {_type(more)}"
    if schema.get("format") == "date-time":
        return "moment"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)


def _limits(schema: Json) -> str:
    words = ""
    for bound, word in (("minimum", "from"), ("maximum", "to")):
        if (value := schema.get(bound)) is not None:
            words += f" {word} {value:g}" if value < 1e6 else ""
    if (most := schema.get("maxLength")) is not None:
        words += f" of at most {most} characters"
    return words


def _short(name: str) -> str:
    """Return a model's name without the module that tells two of one name apart."""
    module, _, short = name.rpartition("__")
    return f"{short} of {module.rpartition('__')[2]}" if module else name

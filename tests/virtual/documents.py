"""The published OpenAPI documents of Immich: which operation a request is, and what may stand in it and its answer.

They lie beside the repository, where there are any, and are no part of it.
"""

from __future__ import annotations

import json
import re

import jsonschema

NEAREST = {
    "1.144.1": "immich-1.144.1.json",
    "2.7.5": "immich-2.7.5.json",
    "3.1.0": "immich-3.0.0-dev.json",
    "3.2.0": "immich-3.3.5-reconstructed.json",
}
"""The documents that come nearest. The last was made anew from a generated client, and is good for paths and the
members of each schema; which schema is sent and comes back is as in 2.7.5."""
_FORM = "immich-2.7.5.json"


def plain(schema):
    """Turn OpenAPI 3.0's ``nullable`` into JSON Schema."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    turned = {key: plain(value) for key, value in schema.items() if key not in {"nullable", "example"}}
    return {"anyOf": [turned, {"type": "null"}]} if schema.get("nullable") else turned


def read(file):
    return json.loads(file.read_text(encoding="utf-8"))


class Document:
    """One of them.

    Args:
        folder: where they are.
        version: of Immich.
    """

    def __init__(self, folder, version):
        self._whole = read(folder / NEAREST[version])
        self._components = plain(self._whole["components"])
        self._form = None
        if "openapi" not in self._whole:
            form, schemas = read(folder / _FORM), self._components["schemas"]
            spelled = {name.lower(): name for name in schemas}
            self._form = form["paths"]
            for name in form["components"]["schemas"].keys() - schemas.keys():
                if name.lower() in spelled:
                    schemas[name] = schemas[spelled[name.lower()]]
        self._validators = {}

    def operation(self, method, path):
        """Give the template of a path, and its operation; ``PATCH`` stands in none, and is what PUT is."""
        method = "put" if method == "PATCH" else method.lower()
        paths = self._whole["paths"]
        for template in [path] if method in paths.get(path, {}) else paths:
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if method in paths[template] and re.fullmatch(pattern, path):
                return template, (self._form or paths)[template][method]
        raise AssertionError(f"{method} {path} is in no document")

    def asked(self, operation):
        """Give the schema of what is sent, and the names of its members."""
        schema = _of(operation["requestBody"])
        described = self._components["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema, set(described["properties"])

    def answered(self, operation, status):
        """Give the schema of an answer; ``None``: it is empty."""
        return _of(operation["responses"][str(status)])

    def check(self, schema, value, where):
        """Hold a value against a schema."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**plain(schema), "components": self._components}
            self._validators[key] = jsonschema.Draft202012Validator(whole)
        errors = [error.message[:200] for error in self._validators[key].iter_errors(value)]
        assert not errors, (where, errors[:3])


def _of(described):
    content = described.get("content", {})
    return next(iter(content.values()))["schema"] if content else None

"""A stand-in of Skymmich's API: serves a catalogue's database as Skymmich 0.9.2 does, unkindness included.

What it answers is compared with what a real one answered in ``test_standin``. Not part of it: pictures, plate
solving, the import.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isnan
from urllib.parse import parse_qs, urlsplit

IMAGES = "astrophotography_images"
MASK = "••••"
_NAMES = {"total_integration_hours": "totalIntegration"}
_TIMES = {
    "capture_date",
    "created_at",
    "updated_at",
    "submitted_at",
    "completed_at",
    "date",
    "acquisition_date",
}
_JSON = {"tags", "specifications", "result", "settings"}


class SqliteData:
    """The tables of a SQLite file, as drizzle gives them."""

    kind = "sqlite"

    def __init__(self, path):
        self.path = path

    def rows(self, table, where="", *values):
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [
                self.row(dict(row)) for row in connection.execute(f"SELECT * FROM {table} {where}", values)
            ]

    def row(self, row):
        return {camel(name): self.value(name, value) for name, value in row.items()}

    @staticmethod
    def value(name, value):
        if name in _TIMES:
            return moment(datetime.fromtimestamp(value, UTC)) if isinstance(value, int | float) else None
        if name in _JSON and value is not None:
            return json.loads(value)
        if name in {"plate_solved", "acknowledged"} and value is not None:
            return value in (1, "1", "true")
        if isinstance(value, float):
            return None if isnan(value) else int(value) if value.is_integer() else value
        return value

    def stamp(self):
        stat = self.path.stat()
        saved = moment(datetime.fromtimestamp(stat.st_mtime_ns // 1_000_000 / 1000, UTC))
        return {"type": "sqlite", "path": str(self.path), "sizeBytes": stat.st_size, "lastModified": saved}


class AsPostgres(SqliteData):
    """The same file, served as if it were a PostgreSQL: without a stamp, and in any order."""

    kind = "postgresql"

    def __init__(self, path):
        super().__init__(path)
        self.chance = random.Random(1)

    def rows(self, table, where="", *values):
        found = super().rows(table, where, *values)
        self.chance.shuffle(found)
        return found

    def stamp(self):
        return {"type": "postgresql"}


class PostgresData:
    """The tables of a PostgreSQL database."""

    kind = "postgresql"

    def __init__(self, address):
        self.address = address
        self.chance = random.Random(1)

    def rows(self, table, where="", *values):
        import psycopg
        from psycopg.rows import dict_row

        query = f"SELECT * FROM {table} {where.replace('?', '%s')}"
        with psycopg.connect(self.address, row_factory=dict_row) as connection:
            found = [self.row(row) for row in connection.execute(query, values)]
        self.chance.shuffle(found)
        return found

    def row(self, row):
        return {camel(name): self.value(value) for name, value in row.items()}

    @staticmethod
    def value(value):
        if isinstance(value, datetime):
            return moment(value)
        if isinstance(value, Decimal | float):
            return None if isnan(value) else int(value) if float(value).is_integer() else float(value)
        return value

    def stamp(self):
        return {"type": "postgresql"}


class Standin:
    """A running one.

    ``faults``: route (a regular expression) → what is answered instead: ``(status, body)``,
    ``(status, body, headers)``, or a callable that makes it of the body.
    """

    def __init__(self, data):
        self.data = data
        self.faults = {}
        self.requests = Counter()
        self.sent = 0
        self.now = time.time
        self.saved_settings = None
        self.kept = None
        """A dictionary: each answer is made once, while nobody changes the data."""
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()

    @property
    def total(self):
        return sum(self.requests.values())

    def answer(self, method, target, body=None):
        """Return status, body and headers."""
        route, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        try:
            found = self.route(method, route, query, body)
        except sqlite3.OperationalError:  # a release without this table has no such route either
            found = 404, {"message": "Not found"}
        for pattern, fault in self.faults.items():
            if re.fullmatch(pattern, target) or re.fullmatch(pattern, route):
                return fault(found) if callable(fault) else fault
        return found

    def content(self, method, target, body):
        """Return the same with the body as bytes."""
        if self.kept is not None and target in self.kept:
            return self.kept[target]
        status, answer, *more = self.answer(method, target, body)
        found = (status, answer if isinstance(answer, bytes) else dumped(answer), *more)
        if self.kept is not None:
            self.kept[target] = found
        return found

    def route(self, method, route, query, body):
        if method == "POST" and route == "/api/admin/settings":
            return self.save(json.loads(body))
        if found := re.fullmatch(r"/api/images/(\d+)(?:/(equipment|acquisitions))?", route):
            return self.image(int(found[1]), found[2])
        rows = self.data.rows
        answers = {
            "/api/images": lambda: self.images(*query.get("equipmentId", ())),
            "/api/equipment": lambda: rows("equipment"),
            "/api/locations": lambda: rows("locations"),
            "/api/plate-solving/jobs": lambda: rows("plate_solving_jobs"),
            "/api/admin/settings": self.settings,
            "/api/admin/database": self.data.stamp,
            "/api/catalog/status": lambda: {"count": len(rows("catalog_objects")), "commitSha": None},
            "/api/catalog/browse": lambda: self.browse(int(query["page"][0]), int(query["limit"][0])),
        }
        return (200, answers[route]()) if route in answers else (404, {"message": "Not found"})

    def images(self, piece=None):
        if piece is None:
            return self.data.rows(IMAGES)
        where = "WHERE id IN (SELECT image_id FROM image_equipment WHERE equipment_id = ?)"
        return self.data.rows(IMAGES, where, int(piece))

    def image(self, image_id, what):
        rows = self.data.rows
        image = rows(IMAGES, "WHERE id = ?", image_id)
        if what == "acquisitions":
            return 200, rows("image_acquisition", "WHERE image_id = ?", image_id)
        if not image:
            return 404, {"message": "Image not found"}
        if what is None:
            return 200, image[0]
        links = rows("image_equipment", "WHERE image_id = ?", image_id)
        linked = {link["equipmentId"]: link for link in reversed(links)}
        extra = ("settings", "notes")
        return 200, [
            piece | {name: linked[piece["id"]][name] or None for name in extra}
            for piece in rows("equipment")
            if piece["id"] in linked
        ]

    def browse(self, page, limit):
        found = sorted(self.data.rows("catalog_objects"), key=lambda row: row["name"])
        start = (page - 1) * limit
        return {
            "items": found[start : start + limit], "total": len(found), "page": page, "pageSize": limit,
        }  # fmt: skip

    def settings(self):
        if self.saved_settings is None:
            kept = {row["key"]: row["value"] for row in self.data.rows("admin_settings")}
            self.saved_settings = {
                name: json.loads(value) if isinstance(value, str) else value
                for name, value in kept.items()
                if not name.startswith("catalog_")
            }
            self.saved_settings.setdefault("immich", {"host": "", "apiKey": "", "metadataSyncEnabled": False})
        return {
            name: value | {"apiKey": masked(value["apiKey"])} if "apiKey" in value else value
            for name, value in self.saved_settings.items()
        }

    def save(self, body):
        self.settings()
        for name, value in body.items():
            if str(value.get("apiKey", "")).startswith(MASK):
                value["apiKey"] = self.saved_settings[name]["apiKey"]
            self.saved_settings[name] = value
        return 200, {"message": "Settings saved successfully"}

    @contextmanager
    def counted(self, method, target):
        with self._lock:
            self.requests[method + " " + re.sub(r"\d+", "N", target)] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def serving(data):
    """Serve a catalogue's data as long as the context lasts; gives the ``Standin``, with its ``url``."""
    standin = Standin(data)
    kind = type("Handler", (_Handler,), {"standin": standin})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    standin.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5
    standin: Standin

    def do_GET(self):
        self.reply(None)

    def do_POST(self):
        self.reply(self.rfile.read(int(self.headers["content-length"])))

    def reply(self, body):
        with self.standin.counted(self.command, self.path):
            status, content, *more = self.standin.content(self.command, self.path, body)
            headers = {"content-type": "application/json"} | (more[0] if more else {})
            self.send_response_only(status)
            self.send_header(
                "date", format_datetime(datetime.fromtimestamp(self.standin.now(), UTC), usegmt=True)
            )
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked has gone
                self.wfile.write(content)
            self.standin.sent += len(content)

    def log_message(self, *_):
        pass


def dumped(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # As JavaScript does: half a character leaves as an escape.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode()


def camel(name):
    head, *rest = name.split("_")
    return _NAMES.get(name) or head + "".join(part.capitalize() for part in rest)


def masked(key):
    return "" if not key else MASK if len(key) <= 4 else MASK + key[-4:]


def moment(value):
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"

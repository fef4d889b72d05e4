"""Kinds of values that need more than a type: addresses, numbers that are no switches, times of day.

Each rule's ``ValueError`` is a clause that finishes the sentence "… is not usable: …".
"""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from reconciler.config.words import Address, SecretHeaders, SecretLines
from reconciler.core.notices import Quiet

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 9110
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]+")
_OWN_HEADERS: Final = frozenset(
    {"x-api-key", "host", "content-type", "content-length", "transfer-encoding", "connection", "accept"}
    | {"accept-encoding", "cache-control", "cookie", "expect", "te", "trailer", "upgrade"}
)
_SERVERS: Final = frozenset({"postgres", "postgresql"})
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _no_switch(value: object) -> object:
    """Refuse true and false where a number is due: Python would take them as 1 and 0."""
    return str(value).lower() if isinstance(value, bool) else value


def _web_address(address: Address) -> Address | None:
    text = address.get_secret_value().strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("it must be a web address, such as http://immich.lan:2283")
    return Address(text)


def _catalogue_address(address: Address) -> Address | None:
    text = address.get_secret_value().strip()
    scheme, colon, _ = text.partition("://")
    if not colon and re.match(r"(postgres(ql)?|https?):", text, re.IGNORECASE):
        raise ValueError("a slash is missing: an address begins with postgresql:// or http://")
    if colon and not re.fullmatch(r"sqlite|file|https?|postgres(ql(\+\w+)?)?", scheme.lower()):
        raise ValueError(
            "it must be the path of a SQLite file, or an address that begins with sqlite:///, "
            "postgresql:// or http://"
        )
    return _web_address(address) if scheme.lower() in {"http", "https"} else Address(text) if text else None


def _store_address(address: Address) -> Address:
    text = address.get_secret_value().strip()
    scheme, colon, rest = text.partition("://")
    is_file = scheme == "sqlite" and rest.startswith("/") and rest not in {"/", "/:memory:"}
    if is_file and re.search(r"(^|/)postgres(ql)?:", rest, re.IGNORECASE):
        # A slash was forgotten: a new store in a folder that is named by the password is not what was meant.
        raise ValueError("it looks like the address of a database: that begins with postgresql://")
    if not is_file and not (colon and scheme.lower() in _SERVERS):
        raise ValueError(
            "it must be the path of a SQLite file, sqlite:////absolute/path, or postgresql://user@host/database"
        )
    return Address(text)


def _installation_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", text) is None:
        raise ValueError(
            "it must be a name of letters, digits, dots, dashes and underscores, at most 63 of them"
        )
    return text


def _request_headers(headers: SecretHeaders) -> SecretHeaders | None:
    seen = set()
    for name, value in headers.each():
        if not _HEADER_NAME.fullmatch(name):
            # Whatever it is, it may be the secret itself.
            raise ValueError("each line must be the name of a header, a colon, and its value")
        if name.lower() in _OWN_HEADERS:
            raise ValueError(f"{name} is set by this program itself")
        if name.lower() in seen:
            raise ValueError(f"{name} is in it twice")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} is empty, or has characters that no header can carry")
        seen.add(name.lower())
    return headers if seen else None


def _cron(text: str) -> str:
    fields = text.lower().split()
    names: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
        ("minute", 0, 59, ()),
        ("hour", 0, 23, ()),
        ("day", 1, 31, ()),
        ("month", 1, 12, _MONTHS),
        ("weekday", 0, 6, _DAYS),
    )
    if len(fields) != len(names):
        raise ValueError('it must be five fields: minute hour day month weekday, such as "17 4 * * *"')
    for field, (name, low, high, words) in zip(fields, names, strict=True):
        for item in field.split(","):
            if not _cron_item(item, low, high, words):
                what = "mon … sun" if name == "weekday" else f"{low} … {high}"
                raise ValueError(f'its {name} is "{item}"; it must be *, */n, or of {what} (a, a-b, a,b)')
    return " ".join(fields)


def _cron_item(item: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    """Return whether one item of a cron field is sound.

    Weekdays go by name only: 0 is Sunday to cron, and Monday to the scheduler.
    """
    body, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 1 <= int(step) <= high - low):
        return False
    if body == "*":
        return True
    ends = body.split("-")
    if words and all(end in words for end in ends):
        values = [words.index(end) for end in ends]
    elif words != _DAYS and all(end.isascii() and end.isdigit() for end in ends):
        values = [int(end) for end in ends]
        if not all(low <= value <= high for value in values):
            return False
    else:
        return False
    if slash and (len(values) != 2 or words):
        return False
    return len(values) == 1 or (len(values) == 2 and values[0] <= values[1])


def _notice_addresses(found: SecretLines) -> SecretLines | None:
    several = found.each()
    for number, one in enumerate(several, 1):
        if not re.match(r"[A-Za-z0-9]+://.", one):
            raise ValueError(
                f"its address {number} is none (it is not shown): one looks like ntfy://topic or "
                "mailtos://user:password@example.org"
            )
    return found if several else None


def _quiet_hours(text: str) -> str:
    Quiet.parse(text)
    return text.strip()


NoticeAddresses = Annotated[SecretLines, AfterValidator(_notice_addresses)]
QuietHours = Annotated[str, AfterValidator(_quiet_hours)]
WebAddress = Annotated[Address, AfterValidator(_web_address)]
RequestHeaders = Annotated[SecretHeaders, AfterValidator(_request_headers)]
InstallationName = Annotated[str, AfterValidator(_installation_name)]
StoreAddress = Annotated[Address, AfterValidator(_store_address)]
CatalogueAddress = Annotated[Address, AfterValidator(_catalogue_address)]
CronLine = Annotated[str, AfterValidator(_cron)]
Count = Annotated[int, BeforeValidator(_no_switch)]
Number = Annotated[float, BeforeValidator(_no_switch), Field(allow_inf_nan=False)]

"""Plans read from files."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from onnxpad.errors import UsageError, expect
from onnxpad.modes import parse_mode
from onnxpad.plan import SCHEMA, Plan
from onnxpad.text import printable

LARGEST_PLAN = 16 * 2**20  # bytes


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan that ``Plan.to_json`` wrote.

    Raises:
        UsageError: unreadable, too large, or not a plan; says where in the file.
    """
    from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

    class Entry(BaseModel):
        model_config = ConfigDict(extra="forbid")
        site: str
        mode: str
        place: Literal["site", "hoisted", "halo"] = "site"
        at: str = ""
        pixels: int = Field(default=0, ge=0)
        means: list[FiniteFloat] = []

    expect(path, (str, os.PathLike), "a plan", "a path")
    path = Path(path)
    shown = printable(str(path))
    try:
        if path.stat().st_size > LARGEST_PLAN:
            raise UsageError(f"{shown}: larger than a plan can be ({LARGEST_PLAN} bytes)")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, a zero byte in the name
        raise UsageError(f"{shown}: the plan cannot be read: {error}") from None
    try:
        document = json.loads(text)
        if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
            raise UsageError(f'{shown}: not a plan; expected "schema": "{SCHEMA}"')
        listed = document.get("sites", [])
        if not isinstance(listed, list):
            raise UsageError(f'{shown}: "sites" is not a list')
        entries = [Entry.model_validate(e) for e in listed]
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{shown}: not JSON: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise UsageError(f"{shown}: a site's {where!r}: {first['msg']}") from None
    times = Counter(e.site for e in entries)
    if twice := next((site for site, count in times.items() if count > 1), None):
        raise UsageError(f"{shown}: it names the site {printable(twice)!r} twice")
    halos = [(e.site, parse_mode(e.mode), e.pixels) for e in entries if e.place == "halo"]
    if halos and len(entries) > 1:
        raise UsageError(f"{shown}: a plan is one halo or a list of sites, not both")
    if lost := next((e.site for e in entries if (e.place == "hoisted") != bool(e.at)), None):
        raise UsageError(
            f'{shown}: the site {printable(lost)!r}: "place": "hoisted" and "at", the tensor to '
            "pad, go together"
        )
    modes = tuple((e.site, parse_mode(e.mode)) for e in entries if e.place != "halo")
    places = tuple((e.site, e.at) for e in entries if e.at)
    means = tuple((e.site, tuple(e.means)) for e in entries if e.means)
    return Plan(modes, halos[0] if halos else None, means, places)

"""A study as JSON: everything but the arrays, which are for files (--save DIR)."""

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from onnxpad.study import Chart, ModelStudy, Picture, Study, Table

SCHEMA = "onnxpad.study/1"
SCHEMA_ALL = "onnxpad.studies/1"


def dumps(study: Study) -> str:
    """The text, keys in a fixed order; ends in a newline. Numbers that are not finite are null."""
    return _text({"schema": SCHEMA, **_study(study)})


def dumps_all(studies: Sequence[Study]) -> str:
    """The same for several studies."""
    return _text({"schema": SCHEMA_ALL, "studies": [_study(study) for study in studies]})


def _text(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _study(study: Study) -> dict[str, Any]:
    return {
        "study": study.name,
        "title": study.title,
        "about": study.about,
        "models": [_model(one) for one in study.models],
    }


def _model(one: ModelStudy) -> dict[str, Any]:
    return {
        "model": one.model,
        "absent": one.absent or None,
        "exit_code": one.exit_code,
        "on": list(one.on),
        "said": list(one.said),
        "tables": [_table(table) for table in one.tables],
        "charts": [_chart(chart) for chart in one.charts],
        "pictures": [_picture(picture) for picture in one.pictures],
        "arrays": {name: list(array.shape) for name, array in one.arrays.items()},
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "key": table.key,
        "title": table.title,
        "heads": list(table.heads),
        "rows": [[_number(value) for value in row] for row in table.rows],
        "notes": list(table.notes),
    }


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "key": chart.key,
        "title": chart.title,
        "x": chart.x,
        "y": chart.y,
        "series": [
            {"name": s.name, "x": [_number(v) for v in s.xs], "y": [_number(v) for v in s.ys]}
            for s in chart.series
        ],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    values = picture.values.astype(np.float64)
    finite = values[np.isfinite(values)]
    return {
        "key": picture.key,
        "title": picture.title,
        "shape": list(picture.values.shape),
        "unit": picture.unit,
        "lowest": float(finite.min()) if finite.size else None,
        "highest": float(finite.max()) if finite.size else None,
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value

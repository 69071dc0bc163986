"""A comparison as JSON, for other programs. The schema has its own version.

Every key is always there. What could not be measured is null, with the reason under the key that
begins with `no_`. All that differs from run to run (times, engine, provider) stands in `run`;
the rest is the same for the same models, samples and engine.
"""

import json
from dataclasses import asdict
from math import isfinite
from typing import Any

from onnxpad.comparison import Comparison, OutputComparison

SCHEMA = "onnxpad.comparison/1"


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data. Numbers that JSON does not have (infinity) become null."""
    samples = asdict(comparison.samples)
    return {
        "schema": SCHEMA,
        "original": comparison.original,
        "candidate": comparison.candidate,
        "identical": comparison.identical,
        "outputs": [_output(output) for output in comparison.outputs],
        "samples": _plain(samples),
        "warnings": list(comparison.warnings),
        "run": _plain(
            asdict(comparison.run) | {"latency": _latency(comparison)},
        ),
    }


def dumps(comparison: Comparison) -> str:
    """The same as text: ASCII only, so no name in it can confuse a terminal; ends in a newline."""
    return json.dumps(as_dict(comparison), indent=2, allow_nan=False) + "\n"


def _output(output: OutputComparison) -> dict[str, Any]:
    found, rings, agreed = output.difference, output.rings, output.agreement
    return {
        "name": output.name,
        "dtype": output.dtype,
        "shape": list(output.shape),
        "identical": output.identical,
        "uncompared": output.uncompared,
        "difference": _plain(
            asdict(found)
            | {
                "relative_max": found.relative_max,
                "relative_rms": found.relative_rms,
            }
        ),
        "rings": None
        if rings is None
        else _plain(
            {"axes": output.spatial_axes}
            | asdict(rings)
            | {"relative": rings.relative, "depth": rings.depth}
        ),
        "no_rings": output.no_rings or None,
        "scores": output.scores,
        "agreement": None if agreed is None else _plain(asdict(agreed) | {"share": agreed.share}),
        "no_agreement": output.no_agreement or None,
    }


def _latency(comparison: Comparison) -> dict[str, Any]:
    measured = comparison.run.latency
    return asdict(measured) | {"within_noise": measured.within_noise}


def _plain(value: Any) -> Any:
    """Tuples as lists, numbers that are not finite as None, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value

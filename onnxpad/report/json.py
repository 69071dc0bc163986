"""A comparison as JSON, for other programs. comparison.schema.json beside this file describes it.

Every key is always there. What could not be measured is null, with the reason under the key that
begins with `no_`. All that differs from run to run (times, engine, provider, and the quantities
and limits that come of them) stands in `run`; the rest is the same for the same models, samples
and engine. Mean maps and pictures are left to the page: they are for eyes.
"""

import json
from dataclasses import asdict
from fractions import Fraction
from math import isfinite
from typing import Any

from onnxpad.budget import Judged
from onnxpad.comparison import Border, Comparison, Layers, OutputComparison, Tiles
from onnxpad.joining.quantities import quantities
from onnxpad.measure.constant_response import ConstantResponse
from onnxpad.measure.context import ContextError
from onnxpad.measure.mean_map import MeanMap
from onnxpad.measure.tiles import Seams
from onnxpad.tasks.result import TaskResult

SCHEMA = "onnxpad.comparison/2"
# Budget quantities that differ from run to run.
_RUN_QUANTITIES = ("latency", "memory")


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data. Numbers that JSON does not have (infinity) become null."""
    verdict, run = comparison.verdict, comparison.run
    timed = [j for j in comparison.judged if j.limit.name in _RUN_QUANTITIES]
    measured = {name: asdict(one) for name, one in quantities(comparison).items()}
    document = {
        "schema": SCHEMA,
        "original": comparison.original,
        "candidate": comparison.candidate,
        "identical": comparison.identical,
        "verdict": verdict and {"word": verdict.word, "reasons": verdict.reasons},
        "budget": [judged_as_dict(j) for j in comparison.judged if j not in timed],
        "quantities": {k: v for k, v in measured.items() if k not in _RUN_QUANTITIES},
        "task": comparison.task and _task(comparison.task),
        "no_task": comparison.no_task or None,
        "border": comparison.border and _border(comparison.border),
        "no_border": comparison.no_border or None,
        "layers": comparison.layers and _layers(comparison.layers),
        "no_layers": comparison.no_layers or None,
        "tiles": comparison.tiles and _tiles(comparison.tiles),
        "no_tiles": comparison.no_tiles or None,
        "outputs": [_output(output) for output in comparison.outputs],
        "sites": [
            {"site": site, "original": before, "candidate": after}
            for site, before, after in comparison.sites
        ],
        "samples": asdict(comparison.samples),
        "warnings": comparison.warnings,
        "run": asdict(run)
        | {
            "latency": asdict(run.latency) | {"within_noise": run.latency.within_noise},
            "budget": [judged_as_dict(j) for j in timed],
            "quantities": {k: v for k, v in measured.items() if k in _RUN_QUANTITIES},
        },
    }
    found = plain(document)
    assert isinstance(found, dict)
    return found


def dumps(comparison: Comparison) -> str:
    """The same as text: ASCII only, so no name in it can confuse a terminal; ends in a newline."""
    return json.dumps(as_dict(comparison), indent=2, allow_nan=False) + "\n"


def judged_as_dict(one: Judged) -> dict[str, Any]:
    """One limit of a budget."""
    return {
        "limit": str(one.limit),
        "quantity": one.limit.name,
        "sign": one.limit.sign,
        "bound": one.limit.bound,
        "warn": one.limit.warn,
        "outcome": one.outcome,
        "found": one.found and asdict(one.found),
    }


def _task(found: TaskResult) -> dict[str, Any]:
    return {
        "task": found.task,
        "labelled": found.labelled,
        "samples": found.samples,
        "metrics": [
            asdict(m) | {"unit": m.info.unit, "higher_is_better": m.info.higher_is_better,
                         "within_floor": m.within_floor}
            for m in found.metrics
        ],
        "parts": [asdict(p) | {"delta": p.delta} for p in found.parts],
        "flips": found.flips and asdict(found.flips) | {"p": found.flips.p},
        "notes": found.notes,
    }  # fmt: skip


def _border(found: Border) -> dict[str, Any]:
    return {
        "crop": found.crop,
        "large": found.large,
        "images": found.images,
        "skipped": found.skipped,
        "mixed": found.mixed,
        "real": found.real,
        "outputs": [
            {
                "name": one.name,
                "original": _context(one.original),
                "candidate": _context(one.candidate),
                "overlap": [{"pixels": px} | _context(error) for px, error in one.overlap],
            }
            for one in found.outputs
        ],
    }


def _context(error: ContextError) -> dict[str, Any]:
    return asdict(error) | {"total": error.total, "floor": error.floor}


def _layers(found: Layers) -> dict[str, Any]:
    constant, results = found.constant, found.results
    return {
        "constant": constant
        and {
            "first_sees_zero": constant.first_sees_zero,
            "layers": [
                {"original": _response(ours), "candidate": theirs and _response(theirs)}
                for ours, theirs in zip(constant.original, constant.candidate, strict=True)
            ],
        },
        "mean_maps": results
        and [
            {"original": _mean_map(ours), "candidate": _mean_map(theirs)}
            for ours, theirs in zip(results.original, results.candidate, strict=True)
        ],
        "drift": results and [asdict(d) for d in results.drifts],
        "unpaired": results and results.unpaired,
    }


def _response(found: ConstantResponse) -> dict[str, Any]:
    extra = {"relative": found.relative, "clean": found.clean, "widths_px": found.widths_px}
    numbers = asdict(found)
    del numbers["deviation"]  # a map is for pictures and arrays
    return numbers | extra


def _mean_map(found: MeanMap) -> dict[str, Any]:
    return {
        "layer": found.layer,
        "op": found.op,
        "images": found.images,
        "size": found.values.shape,
        "stride": found.stride,
        "lines": [asdict(line) | {"artifact": line.artifact} for line in found.lines],
        "unjudged": found.unjudged or None,
        "nonfinite": found.nonfinite,
    }


def _tiles(found: Tiles) -> dict[str, Any]:
    return {
        "tile": found.tile,
        "overlap": found.overlap,
        "images": found.images,
        "outputs": [
            {
                "name": s.name,
                "original": _seams(s.original),
                "candidate": _seams(s.candidate),
                "halo": s.halo and _seams(s.halo),
            }
            for s in found.outputs
        ],
        "halo": found.halo and asdict(found.halo),
        "no_halo": found.no_halo or None,
        "discard": [
            {"error": error, "pixels": px, "cost": cost} for error, px, cost in found.discard
        ],
    }


def _seams(found: Seams) -> dict[str, Any]:
    return asdict(found) | {"visibility": found.visibility}


def _output(output: OutputComparison) -> dict[str, Any]:
    found, rings, agreed = output.difference, output.rings, output.agreement
    return {
        "name": output.name,
        "dtype": output.dtype,
        "shape": output.shape,
        "identical": output.identical,
        "uncompared": output.uncompared,
        "difference": asdict(found)
        | {"relative_max": found.relative_max, "relative_rms": found.relative_rms},
        "rings": rings
        and {"axes": output.spatial_axes}
        | asdict(rings)
        | {"relative": rings.relative, "depth": rings.depth},
        "no_rings": output.no_rings or None,
        "scores": output.scores,
        "agreement": agreed and asdict(agreed) | {"share": agreed.share},
        "no_agreement": output.no_agreement or None,
    }


def plain(value: Any) -> Any:
    """Tuples as lists, fractions as numbers, what is not finite as None, all the way down."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Fraction):
        return float(value)
    return None if isinstance(value, float) and not isfinite(value) else value

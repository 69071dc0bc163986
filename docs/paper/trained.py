"""R5 and R9 to R14, and R3 once more: what only trained networks show."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from claim import NO, PARTLY, SAMPLES, SHOWN, YES, Result, keep, number, rows

from onnxpad import rewrite
from onnxpad.joining.request import Request
from onnxpad.studies.each import request
from onnxpad.studies.kernels import kernels
from onnxpad.studies.maps import maps
from onnxpad.studies.modes import modes
from onnxpad.studies.sizes import sizes
from onnxpad.studies.sweep import Asked, sweep

DIGITS = SAMPLES / "digits_torch_torchscript.onnx"
VARIANTS = ("zero", "reflect", "zero_even", "reflect_even")
LIGHTS = [SAMPLES / f"lights_{name}.onnx" for name in VARIANTS]


def trained_size() -> Iterator[str]:
    """A network that was trained at an uneven size, fed at an even one."""
    asked = request(DIGITS, data=str(SAMPLES / "digits"), labels="folders", preprocess="unit",
                    samples=100)  # fmt: skip
    own, *even = rows(sizes([DIGITS], [asked]), "sizes")
    first = even[0]
    yield (
        f"a trained network does not gain by being fed at an even size: `{DIGITS.stem}`, trained "
        f"at {own['size']}, has top-1 {number(own['top-1'])} there and {number(first['top-1'])} "
        f"at {first['size']} (difference {number(first['Δ top-1'])}, 95 % interval "
        f"{number(first['low'])} to {number(first['high'])}, 100 images)"
    )


def r5() -> Iterator[Result]:
    """Mean kernels."""
    models = [path for path in LIGHTS[:3:2] if path.exists()]
    if len(models) < 2:
        return
    study = kernels(models)
    found = []
    for one in study.models:
        found += [f"`{Path(one.model).stem}`: {text}" for text in one.said[:2]]
    yield Result(
        "R5", "mean kernels are asymmetric around down-sampling layers at uneven sizes",
        "onnxpad study kernels zero.onnx zero_even.onnx", tuple(found),
        YES if "have more asymmetric" in study.models[0].said[1] else NO,
    )  # fmt: skip


def r9(folder: Path) -> Result:
    """Line artifacts of a trained network, and of the same with copies in place of zeros."""
    mirrored = folder / f"{DIGITS.stem}.reflect.onnx"
    mirrored.write_bytes(rewrite(DIGITS, "reflect").model.SerializeToString())
    study = maps([DIGITS, mirrored], [_scenes(DIGITS), _scenes(mirrored)])
    told = [f"`{Path(one.model).stem}`: {one.said[0]}" for one in study.models]
    lines = [{str(row["layer"]) for row in rows(one, "lines")} for one in study.models]
    return Result(
        "R9", "horizontal and vertical lines stand out in mean feature maps",
        "onnxpad study maps model.onnx model.reflect.onnx",
        (*told, ("on 64 generated scenes, which look the same everywhere, through a small trained "
         "classifier")),
        YES if len(lines[0]) > len(lines[1]) else PARTLY if lines[0] else NO,
    )  # fmt: skip


def _scenes(path: Path, seed: int = 0) -> Request:
    return request(path, preprocess="unit", samples=64, seed=seed)


def r10() -> Result:
    """Mean maps of a trained network, over two sets of images."""
    studies = [maps([DIGITS], [_scenes(DIGITS, seed)]) for seed in (0, 1)]
    one, other = (
        {p.key: p.values for p in study.models[0].pictures if p.key.startswith("mean ")}
        for study in studies
    )
    alike = [float(np.corrcoef(one[key].ravel(), other[key].ravel())[0, 1]) for key in one]
    return Result(
        "R10", "feature maps averaged over channels and images show consistent patterns",
        "onnxpad study maps model.onnx --data images/ --save figures/",
        ((f"correlation of the mean maps of {len(one)} layers over 64 generated scenes with those "
         f"over 64 others: {', '.join(number(r, '.2f') for r in alike)}; shown is the second"),),
        YES if min(alike) > 0.9 else PARTLY if max(alike) > 0.9 else NO,
        (keep(studies[0], list(one)[1], "mean-map.png"),),
    )  # fmt: skip


def r11_r13() -> Iterator[Result]:
    """The traffic-light detectors."""
    models = [path for path in LIGHTS if path.exists()]
    if len(models) < len(LIGHTS):
        return
    asked = [request(m, data=str(SAMPLES / "roads"), preprocess="unit", samples=8) for m in models]
    study = sweep(models, Asked(SAMPLES / "traffic_light_dim.png"), asked)
    names = [Path(one.model).stem for one in study.models]
    values = [
        {str(row["what"]): row["value"] for row in rows(one, "sweep")} for one in study.models
    ]

    def told(what: str, form: str) -> str:
        return ", ".join(
            f"`{n}` {number(v.get(what), form)}" for n, v in zip(names, values, strict=True)
        )

    blind = {n: float(v["blind share"] or 0) for n, v in zip(names, values, strict=True)}
    drop = {n: float(v["border drop"] or 0) for n, v in zip(names, values, strict=True)}
    where = "a dim generated light on 8 generated roads, every 5 px; one training run each"
    strips = [t for t in study.models[0].said if "blind strip" in t]
    picture = next(p.key for p in study.models[0].pictures)
    command = "onnxpad study sweep zero.onnx reflect.onnx --stimulus light.png"
    yield Result(
        "R11", "pasted everywhere, a traffic light is missed in strips", command,
        (f"{where}; share of blind places: {told('blind share', '.2%')}",
         f"score at the border below that elsewhere by: {told('border drop', '.1%')}",
         *(f"`{names[0]}`: {text}" for text in strips)),
        NO if not strips else YES if blind["lights_zero"] >= 0.05 else PARTLY,
        (keep(study, picture, "sweep.png"),),
    )  # fmt: skip
    worst = [float(v["worst 1-px change"] or 0) for v in values[::2]]
    yield Result(
        "R12", "a light that moves by a few pixels is missed", command,
        (f"largest change of the score over one pixel: {told('worst 1-px change', '.3f')}",
         "reproduced would be a change of 0.5 or more in a detector with zeros"),
        YES if max(worst) >= 0.5 else PARTLY,
    )  # fmt: skip
    better = blind["lights_reflect"] < blind["lights_zero"]
    better = better and drop["lights_reflect"] < drop["lights_zero"]
    verdict = "better" if better else "not better"
    yield Result(
        "R13", "mirror padding improves the detector of small objects", command,
        ((f"trained with mirror padding it is {verdict} than with zeros by blind share "
         f"({blind['lights_reflect']:.2%} and {blind['lights_zero']:.2%}) and border drop "
         f"({drop['lights_reflect']:.1%} and {drop['lights_zero']:.1%})"),
         "one pair of small networks on generated scenes: no claim about others"),
        PARTLY if better else NO,
    )  # fmt: skip


def r14() -> Result:
    """All modes on one trained network."""
    asked = request(DIGITS, data=str(SAMPLES / "digits"), labels="folders", preprocess="unit",
                    samples=100)  # fmt: skip
    found = rows(modes([DIGITS], requests=[asked]), "modes")
    told = tuple(
        f"{row['padding']}: corner {number(row['corner'])}, constant response "
        f"{number(row['rms'], '.2g')}, context error {number(row['context'], '.2f')}×, top-1 "
        f"{number(row['top1'], '.2f')}"
        for row in found
    )
    return Result(
        "R14", "an overview of zero, circular, symmetric, reflect, replicate and partial padding",
        "onnxpad study modes model.onnx --data val/ --labels folders",
        (*told, ("“?”: not measured or not there; replacing the zeros of a network trained with "
         "them costs accuracy in every mode, though most of them lower the border error")),
        SHOWN,
    )  # fmt: skip

from fractions import Fraction
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import onnxpad
from onnxpad.measure.context import (
    NEGLIGIBLE,
    ORIGINAL,
    ContextError,
    ContextSums,
    Sums,
    discard_cost,
    merged,
    results,
)
from onnxpad.measure.context_run import Contender, context_sums
from onnxpad.measure.crop import cut, place_crop, positions
from onnxpad.probe.anatomy import Map
from onnxpad.probe.feeding import Feeding
from onnxpad.probe.probe import Probe, open_probe, pair_outputs
from tests.measure.nets import CPU, chain, noise, probe

Array = np.ndarray[Any, Any]
ONE = (Fraction(1), Fraction(1))
IDENTITY = Map("y", (2, 3), ONE, (1, 1, 16, 16))


def border(amount: dict[int, float]) -> Any:
    """A model that adds these amounts to the rings of its input, and nothing else."""

    def run(x: Array) -> tuple[Array, ...]:
        y = x.astype(np.float64)
        for ring, value in amount.items():
            mask = np.zeros(x.shape[2:], bool)
            mask[ring : mask.shape[0] - ring, ring : mask.shape[1] - ring] = True
            mask[ring + 1 : mask.shape[0] - ring - 1, ring + 1 : mask.shape[1] - ring - 1] = False
            y[..., mask] += value
        return (y,)

    return run


def run_all(
    images: list[Array],
    original: Any,
    contenders: dict[str, Contender],
    maps: tuple[Map, ...] = (IDENTITY,),
    *,
    crop: int = 16,
    stride: tuple[int, int] = (1, 1),
    margin: int = 1,
    rings: int | None = None,
) -> dict[str, tuple[ContextError, ...]]:
    sums: Sums = {}
    for image in images:
        place = place_crop(image.shape, (2, 3), (crop, crop), stride, margin)
        assert place is not None
        sums = merged(sums, context_sums(image, place, maps, original, contenders, rings))
    return results(sums, maps)


# known profiles


def test_a_known_border_gives_the_known_profile() -> None:
    images = noise(4, 48)
    found = run_all(
        images, border({0: 0.3, 2: 0.1}), {"half": Contender(border({0: 0.15, 2: 0.05}))}
    )
    original, half = found[ORIGINAL][0], found["half"][0]
    variance = np.mean([im[:, :, 16:32, 16:32].astype(float).var() for im in images])
    assert original.variance == pytest.approx(variance)
    assert len(original.error) == 8
    want = [0.09 / variance, 0, 0.01 / variance, 0, 0, 0, 0, 0]
    assert original.error == pytest.approx(want)
    assert original.counts == tuple(4 * 4 * (15 - 2 * d) for d in range(8))
    assert original.floor == 0
    assert original.ratio is None
    assert half.ratio is not None
    assert half.ratio.value == pytest.approx(0.25)
    assert half.ratio.low == pytest.approx(0.25)
    assert half.ratio.high == pytest.approx(0.25)
    assert original.depth() == 3
    assert original.discard() == 3
    assert original.discard(0.02 / variance) == 1
    assert original.discard(1 / variance) == 0
    assert half.images == 4


def test_an_error_everywhere_leaves_nothing_to_keep() -> None:
    found = run_all(noise(2, 40), border(dict.fromkeys(range(8), 0.2)), {})
    assert found[ORIGINAL][0].discard(1e-3) is None
    assert found[ORIGINAL][0].floor == pytest.approx(found[ORIGINAL][0].error[0])


def test_one_image_has_no_interval() -> None:
    found = run_all(noise(1, 40), border({0: 0.2}), {"c": Contender(border({0: 0.1}))})
    ratio = found["c"][0].ratio
    assert ratio is not None
    assert (ratio.value, ratio.low) == (pytest.approx(0.25), None)


def test_an_interval_that_holds_the_truth() -> None:
    rng = np.random.default_rng(0)

    def candidate(x: Array) -> tuple[Array, ...]:
        return tuple(border({0: 0.1 * (1 + 0.3 * rng.standard_normal())})(x))

    ratio = run_all(noise(30, 24), border({0: 0.1}), {"c": Contender(candidate)})["c"][0].ratio
    assert ratio is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low < 1 + 0.09 < ratio.high
    assert ratio.high - ratio.low < 0.6


def test_flat_images_are_counted_and_nothing_is_divided() -> None:
    flat = np.full((1, 1, 40, 40), 0.5, np.float32)
    found = run_all([flat], border({0: 0.3}), {"c": Contender(border({}))})
    assert found[ORIGINAL][0].error == ()
    assert found[ORIGINAL][0].total is None
    assert found[ORIGINAL][0].discard() is None
    assert found[ORIGINAL][0].flat == 1
    both = run_all([flat, *noise(1, 40)], border({0: 0.3}), {})
    assert both[ORIGINAL][0].flat == 1
    assert both[ORIGINAL][0].images == 2


def test_nan_is_left_out_and_counted() -> None:
    def broken(x: Array) -> tuple[Array, ...]:
        (y,) = border({0: 0.1})(x)
        y[..., 0, 0] = nan
        return (y,)

    found = run_all(noise(2, 40), border({0: 0.1}), {"c": Contender(broken)})
    assert found["c"][0].nonfinite == 2
    assert found["c"][0].error == pytest.approx(found[ORIGINAL][0].error)


def test_maps_of_another_size_are_counted() -> None:
    contenders = {
        "small": Contender(lambda x: (x[:, :, 1:-1, 1:-1],)),
        "none": Contender(lambda _: (None,)),
    }
    found = run_all(noise(2, 40), border({0: 0.1}), contenders)
    assert [found[k][0].uncompared for k in contenders] == [2, 2]
    assert found["none"][0].images == 0
    assert found["none"][0].ratio is None


def test_batches_and_merging_change_nothing() -> None:
    images = noise(4, 40)
    contenders = {"c": Contender(border({0: 0.1, 1: 0.2}))}
    one = run_all(images, border({0: 0.3}), contenders)
    together = run_all([np.concatenate(images)], border({0: 0.3}), contenders)
    for name in one:
        assert together[name][0].error == pytest.approx(one[name][0].error)
        assert together[name][0].images == 4
    ratios = one["c"][0].ratio, together["c"][0].ratio
    assert ratios[0] is not None
    assert ratios[1] is not None
    assert ratios[0].high == pytest.approx(ratios[1].high)
    assert ContextSums() + ContextSums() == ContextSums()


def test_cost_of_discarding() -> None:
    assert discard_cost(128, 0) == 1
    assert discard_cost(128, 32) == 4
    assert discard_cost(128, 32, axes=1) == 2
    assert discard_cost(128, 64) is None


# real nets


def of(net: Probe, images: list[Array], **contenders: Contender) -> dict[str, ContextError]:
    maps = net.anatomy.outputs
    found = run_all(
        images, net.runner(maps), contenders, maps, crop=32, stride=net.anatomy.stride,  # type: ignore[arg-type]  # two axes
        margin=16,
    )  # fmt: skip
    return {name: errors[0] for name, errors in found.items()}


@pytest.mark.parametrize("stride", [1, 2])
def test_a_net_without_padding_has_no_error(stride: int) -> None:
    net = probe(chain(2, pad=0, stride=stride))
    (found,) = of(net, noise(3, 96)).values()
    assert found.total == pytest.approx(0, abs=1e-9)
    assert found.discard() == 0
    assert found.depth() == 0


@pytest.mark.parametrize("layers", [1, 3, 6])
def test_a_chain_spoils_at_most_one_pixel_a_layer(layers: int) -> None:
    net = probe(chain(layers))
    (found,) = of(net, noise(2, 96)).values()
    assert 1 <= found.depth() <= layers
    assert found.discard() is not None
    assert found.discard(1e-12) in range(1, layers + 1)
    assert max(found.error[layers:]) < 1e-12


def test_distances_are_input_pixels() -> None:
    net = probe(chain(2, stride=2))
    (found,) = of(net, noise(2, 96)).values()
    assert found.stride == (4, 4)
    assert found.discard(1e-12) == 4 * found.depth(1e-12)


def test_real_context_heals_what_it_covers() -> None:
    net = probe(chain(3))
    maps = net.anatomy.outputs
    grown = {f"k{k}": Contender(net.some(maps), (k, k)) for k in (1, 2, 3)}
    found = of(net, noise(2, 96), **grown)
    totals = [found[name].total or 0.0 for name in (ORIGINAL, "k1", "k2", "k3")]
    assert totals == sorted(totals, reverse=True)
    assert totals[1] < 0.7 * totals[0]
    assert totals[3] == pytest.approx(0, abs=1e-12)


def test_a_rewritten_model_is_held_against_the_same_reference() -> None:
    original = chain(3, bias=3.0)
    a, b = probe(original), probe(onnxpad.rewrite(original, "edge").model)
    pairs = [p[1] if p else None for p in pair_outputs(a.anatomy, b.anatomy)]
    found = of(a, noise(3, 96), edge=Contender(b.some(pairs)))
    assert found["edge"].variance == found[ORIGINAL].variance
    # all biases are positive, and so zeros are far from anything the layers see inside
    assert found["edge"].ratio is not None
    assert found["edge"].ratio.value < 0.5


# real models and images, by the zoo's recipe


def photographs(folder: Path, count: int, kind: str) -> list[Array]:
    """Centres of 256 pixels, scaled to 0..1: RGB NHWC, or Y of YCbCr NCHW."""
    found: list[Array] = []
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as image:
            left, top = (n // 2 - 128 for n in image.size)
            if min(left, top) < 0:
                continue
            centre = image.convert("RGB").crop((left, top, left + 256, top + 256))
        if kind == "rgb":
            found.append(np.asarray(centre, np.float32)[None] / 255)
        else:
            found.append(np.asarray(centre.convert("YCbCr"), np.float32)[None, None, ..., 0] / 255)
        if len(found) == count:
            break
    return found


def padded_input(net: Probe, axes: tuple[int, int]) -> Any:
    """Pad the image by 4 px of edge, run, and cut what that added off the maps."""
    maps = net.anatomy.outputs
    run = net.runner(maps)

    def halo(x: Array) -> tuple[Array, ...]:
        pads = [(4, 4) if a in axes else (0, 0) for a in range(x.ndim)]
        made = run(np.pad(x, pads, mode="edge"))
        found = []
        for one, value in zip(maps, made, strict=True):
            begin = positions((4, 4), one.stride)
            size = [value.shape[a] - 2 * b for a, b in zip(one.axes, begin, strict=True)]
            found.append(cut(value, one.axes, begin, size))
        return tuple(found)

    return halo


UPSCALERS = {
    "keras_upscalerjs_rdn_x2_dynHW": ("input", "rgb", (1, 2)),
    "espcn_x3_core_from_ortext": ("_ppp5_expanded", "y", (2, 3)),
}


def upscaled(zoo: Path, name: str, images: str) -> dict[str, ContextError]:
    source, kind, axes = UPSCALERS[name]
    path = zoo / "models" / f"{name}.onnx"
    pictures = photographs(zoo / "images" / images, 12, kind)
    assert len(pictures) == 12
    fed = Feeding(source, axes, None, {source: pictures[0]})
    fed = Feeding(source, axes, None, fed.sized((64, 64)))
    a = open_probe(path, fed, provider=CPU)
    b = open_probe(onnxpad.rewrite(path, "edge").model, fed, provider=CPU)
    c = open_probe(onnxpad.rewrite(path, "edge", halo=4).model, fed, provider=CPU)
    maps = a.anatomy.outputs
    assert a.anatomy.stride == (1, 1)

    def counterparts(net: Probe) -> Contender:
        pairs = pair_outputs(a.anatomy, net.anatomy)
        return Contender(net.some([p[1] if p else None for p in pairs]))

    contenders = {
        "edge": counterparts(b),
        "halo": counterparts(c),
        "halo from outside": Contender(padded_input(a, axes)),
        "real": Contender(a.some(maps), (4, 4)),
    }
    run, sums = a.runner(maps), {}
    for picture in pictures:
        crop = place_crop(picture.shape, axes, (128, 128), (1, 1))
        assert crop is not None
        assert crop.large == (256, 256)
        sums = merged(sums, context_sums(picture, crop, maps, run, contenders, rings=24))
    return {name: errors[0] for name, errors in results(sums, maps).items()}


def ratio(error: ContextError) -> float:
    assert error.ratio is not None
    return error.ratio.value


@pytest.mark.zoo
@pytest.mark.parametrize("name", UPSCALERS)
def test_upscalers(zoo: Path, name: str) -> None:
    found = upscaled(zoo, name, "imagenet250")
    assert 1.6 <= ratio(found["edge"]) <= 3.0
    assert ratio(found["halo"]) <= 0.6
    assert ratio(found["halo"]) == pytest.approx(ratio(found["halo from outside"]), rel=1e-3)
    assert ratio(found["real"]) <= 0.05
    assert found["edge"].ratio is not None
    assert found["edge"].ratio.low is not None
    assert found["edge"].ratio.low > 1
    # nothing changes deep inside
    assert max(e.depth() for e in found.values()) < 24
    assert found["halo"].error[-1] <= NEGLIGIBLE


@pytest.mark.zoo
@pytest.mark.parametrize("name", UPSCALERS)
def test_upscalers_on_other_photographs(zoo: Path, name: str) -> None:
    # How bad edge is depends on the photographs. On the first 12 by name of coco64 it is 2.15 for
    # espcn and 1.45 for rdn_x2, on all 62 that are large enough 2.02 and 1.56; on the first 12 of
    # imagenet250, above, 2.35 and 2.36. Here rdn_x2 misses the range of 1.6 to 3.0. What does not
    # depend on the photographs: edge at every layer is worse, a halo and real context are better.
    found = upscaled(zoo, name, "coco64/images")
    assert ratio(found["edge"]) == pytest.approx(
        {"keras_upscalerjs_rdn_x2_dynHW": 1.45, "espcn_x3_core_from_ortext": 2.15}[name], abs=0.05
    )
    assert ratio(found["halo"]) <= 0.6
    assert ratio(found["real"]) <= 0.05

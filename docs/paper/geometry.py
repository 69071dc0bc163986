"""R1 to R4, R6 to R8: what follows from shapes, and from random kernels."""

from pathlib import Path

import chains as nets
from claim import NO, PARTLY, SAMPLES, YES, Result, keep, number, rows

from onnxpad import find_sites, rewrite
from onnxpad.model import load_model
from onnxpad.studies.each import request
from onnxpad.studies.foveation import foveation
from onnxpad.studies.maps import maps
from onnxpad.studies.position import position
from onnxpad.studies.sizes import sizes
from onnxpad.subject import subject


def r1(folder: Path) -> Result:
    """Padding sites, and the position that can be read with and without zeros."""
    told = []
    for name in ("digits_torch_torchscript", "digits_keras"):
        sites = [s for s in find_sites(SAMPLES / f"{name}.onnx") if s.conv]
        uneven = sum(any(a.begin != a.end for a in s.axes) for s in sites)
        told.append(f"`{name}`: {len(sites)} convolutions pad, {uneven} of them with begin ≠ end")
    zero = random_chain(folder)
    wrap = folder / "random.wrap.onnx"
    wrap.write_bytes(rewrite(zero, "wrap").model.SerializeToString())
    study = position([zero, wrap], [request(p, samples=24) for p in (zero, wrap)])
    last = [float(rows(one, "layers")[-1]["R²"] or 0) for one in study.models]
    told.append(
        "how well the position can be read from layer 6 of a random net on stationary noise: R² "
        f"{number(last[0], '.2f')} with zeros, {number(last[1], '.2f')} with wrap in their place"
    )
    return Result(
        "R1", "zero padding is the source of spatial bias",
        "onnxpad sites model.onnx; onnxpad study position model.onnx model.wrap.onnx", tuple(told),
        YES if last[0] > 0.1 and abs(last[1]) <= 0.05 else NO,
    )  # fmt: skip


def random_chain(folder: Path) -> Path:
    """Six 3×3 convolutions with random kernels and biases."""
    return nets.chain(folder / "random.onnx", [nets.CONV] * 6, 64, 8)


def r2(folder: Path) -> Result:
    """Uneven padding."""
    resnet = sizes([nets.chain(folder / "resnet18.onnx", nets.RESNET18, 224)])
    at = rows(resnet, "layers")
    read = [str(row["at 224×224"]) for row in at]
    left = sum(int(text[0]) > int(text[2]) for text in read)
    return Result(
        "R2", "in stride-2 layers padding is consumed at the left and top only",
        "onnxpad study sizes resnet18.onnx --near 224",
        ((f"ResNet-18 at 224: in {left} of {len(read)} strided ops more is read at the begin than "
         f"at the end (begin+end: {', '.join(read)}); at 225 in none"),),
        YES if left == len(read) else NO, (keep(resnet, "uneven", "sizes-resnet18.png"),),
    )  # fmt: skip


def r3(folder: Path) -> Result:
    """The sizes without uneven padding."""
    told = []
    for name, layers, near in (
        ("ResNet-18", nets.RESNET18, 224), ("MobileNet V1", nets.MOBILENET_V1, 224),
        ("VGG-19", nets.VGG19, 225), ("DenseNet", nets.DENSENET, 224),
        ("ConvNeXt", nets.CONVNEXT, 225), ("YOLOv8", nets.YOLOV8, 640),
    ):  # fmt: skip
        own, *even = rows(sizes([nets.chain(folder / "net.onnx", layers, near)]), "sizes")
        shown = ", ".join(str(row["size"]).partition("×")[0] for row in even)
        told.append(f"{name}: {own['uneven ops']} uneven at {near}; even and running: {shown}")
    return Result(
        "R3", "sizes a·2^d + 1 are even; ImageNet networks trained at 225 gain 0.4 % on average",
        "onnxpad study sizes model.onnx --near 224 --data val/ --labels folders",
        (*told, "no network was trained at two sizes on ImageNet here: the gain is not tried"),
        PARTLY,
    )  # fmt: skip


def r4(folder: Path) -> Result:
    """Foveation."""
    vgg = foveation([nets.chain(folder / "vgg19.onnx", nets.VGG19, 512)], None,
                    ("zero", "reflect", "symmetric", "partial", "wrap"))  # fmt: skip
    at = {str(row["padding"]): row for row in rows(vgg, "ratios")}
    halves = [
        rows(foveation([nets.chain(folder / "r.onnx", nets.RESNET18, n)], None, ()), "ratios")[0]
        for n in (224, 225)
    ]
    zero = at["as it is"]
    found = (
        (
            f"VGG-19 at 512, zero: corner {number(zero['corner'])} and edge "
            f"{number(zero['edge'])} of the centre"
        ),
        (
            f"highest over centre: reflect {number(at['reflect']['highest'])} (paper 1.208), "
            f"partial {number(at['partial']['highest'])} (paper 1.125)"
        ),
        (
            f"symmetric and wrap: {number(at['symmetric']['within 1 %'], '.0%')} and "
            f"{number(at['wrap']['within 1 %'], '.0%')} of the pixels count as much as the centre"
        ),
        (
            f"ResNet-18, left over right half: {number(halves[0]['left/right'])} at 224, "
            f"{number(halves[1]['left/right'], '.4f')} at 225"
        ),
    )
    return Result(
        "R4", "zero padding and none count the border less; symmetric and circular are uniform",
        "onnxpad study foveation vgg19.onnx --size 512x512", found, YES,
        (keep(vgg, "as-it-is", "foveation-zero.png"),
         keep(vgg, "reflect", "foveation-reflect.png")),
    )  # fmt: skip


def r6(folder: Path) -> Result:
    """Reach."""
    shares = []
    for size in (127, 224, 512):
        known = subject(load_model(nets.chain(folder / "v.onnx", nets.VGG19, size)))
        shares.append((size, known.reach.finals[0].map.share))
    told = ", ".join(f"{share:.0%} at {size}" for size, share in shares)
    return Result(
        "R6", "with small inputs no clean centre is left (VGG-19 at 127)",
        "onnxpad audit vgg19.onnx --size 127x127",
        (f"share of the last map of VGG-19 that padding can reach: {told}",),
        YES if shares[0][1] == 1 > shares[-1][1] else NO,
    )  # fmt: skip


def r7(folder: Path) -> Result:
    """Constant response."""
    path = random_chain(folder)
    study = maps([path], [request(path, samples=4)])
    at = rows(study, "zeros")
    corners = rows(study, "zeros-corners")[-1]
    widths = [number(row["left px"], "g") for row in at]
    four = [number(corners[k]) for k in ("top left", "top right", "bottom left", "bottom right")]
    return Result(
        "R7", "zeros in: no artifact after layer 1, 1 px after conv 2, wider with depth; the four "
        "corners differ",
        "onnxpad study maps model.onnx",
        (f"six 3×3 layers with random kernels: {', '.join(widths)} px wide after layers 1 to 6",
         f"corners of layer 6, largest deviation: {', '.join(four)} of the interior"),
        YES if widths == list("012345") and len(set(four)) == 4 else NO,
        (keep(study, "zeros_conv6", "constant-response.png"),),
    )  # fmt: skip


def r8(folder: Path) -> Result:
    """Constant response with copies in place of zeros."""
    path = random_chain(folder)
    largest = {}
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        out = folder / f"random.{mode}.onnx"
        out.write_bytes(rewrite(path, mode).model.SerializeToString())
        found = maps([out], [request(out, samples=4)])
        largest[mode] = max(
            float(row["largest"] or 0) for key in ("zeros", "mean-colour")
            for row in rows(found, key)
        )  # fmt: skip
    told = ", ".join(f"{mode} {value:.1e}" for mode, value in largest.items())
    return Result(
        "R8", "mirror padding removes the artifacts",
        "onnxpad rewrite model.onnx --mode reflect -o model.reflect.onnx; "
        "onnxpad study maps model.onnx model.reflect.onnx",
        ((f"largest deviation from the interior in any layer, relative to it: {told}; 0: none "
         "beyond the rounding of float32"),),
        YES if max(largest.values()) <= 1e-6 else NO,
    )  # fmt: skip

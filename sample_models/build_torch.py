"""Build the PyTorch samples: four classifiers trained on digits and an upscaler.

Needs the packages of tests/frameworks/requirements-torch.txt and scikit-learn. Run from anywhere:

    python sample_models/build_torch.py [name ...]

| file | exporter | opset | padding |
|---|---|---|---|
| digits_torch_dynamo | torch.export | 18 | pads of Conv; residual |
| digits_torch_torchscript | TorchScript | 13 | TF-SAME by Pad nodes with computed pads; depthwise |
| digits_torch_reflect | torch.export | 18 | trained with reflect: Pad nodes with mode reflect |
| digits_torch_circular | TorchScript | 11 | trained with circular: Slice and Concat |
| upscale2x_torch | torch.export | 18 | pads of Conv; free height and width |
"""

import sys
from collections.abc import Callable
from pathlib import Path

import digits
import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).parent
EPOCHS = 12


def conv_bn(inputs: int, outputs: int, kernel: int = 3, **options: object) -> nn.Sequential:
    """Convolution and batch normalisation; exporters fold them into one Conv."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, bias=False, **options),  # type: ignore[arg-type]
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = conv_bn(inputs, outputs, stride=stride, padding=1)
        self.second = conv_bn(outputs, outputs, padding=1)
        self.short = conv_bn(inputs, outputs, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, outputs, H/stride, W/stride)."""
        inner = self.second(functional.relu(self.first(x)))
        return functional.relu(inner + self.short(x))


class ResidualNet(nn.Module):
    """A small residual classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(1, 12, padding=1)
        self.blocks = nn.Sequential(Residual(12, 16, 2), Residual(16, 32, 2), Residual(32, 32, 1))
        self.head = nn.Linear(32, 10)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1, 32, 32) in 0..1 to (N, 10) scores."""
        x = self.blocks(functional.relu(self.stem(image)))
        return self.head(x.mean((2, 3)))


class SamePad(nn.Module):
    """A convolution with TensorFlow's SAME padding, computed from the size of its input."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__()
        self.body = conv_bn(inputs, outputs, kernel, stride=stride, groups=groups)
        self.kernel, self.stride = kernel, stride

    def _total(self, size: int) -> int:
        steps = (size + self.stride - 1) // self.stride - 1
        return max(steps * self.stride + self.kernel - size, 0)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, outputs, ceil(H / stride), ceil(W / stride))."""
        high, wide = self._total(x.shape[2]), self._total(x.shape[3])
        pads = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        return self.body(functional.pad(x, pads))


class DepthwiseNet(nn.Module):
    """A small depthwise-separable classifier whose padding stands in Pad nodes of its own."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [SamePad(1, 16, 3, 2), nn.ReLU6()]
        for inputs, outputs, kernel, stride in ((16, 24, 3, 1), (24, 40, 5, 2), (40, 64, 3, 1)):
            layers += [SamePad(inputs, inputs, kernel, stride, groups=inputs), nn.ReLU6()]
            layers += [conv_bn(inputs, outputs, 1), nn.ReLU6()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1, 32, 32) in 0..1 to (N, 10) scores."""
        return self.head(self.body(image).mean((2, 3)))


class PlainNet(nn.Module):
    """Four convolutions with a padding mode of their own, and a head that knows positions."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        sizes = ((1, 12, 5, 2), (12, 16, 3, 1), (16, 24, 3, 2), (24, 24, 3, 1))
        layers: list[nn.Module] = []
        for inputs, outputs, kernel, stride in sizes:
            options = {"stride": stride, "padding": kernel // 2, "padding_mode": mode}
            layers += [conv_bn(inputs, outputs, kernel, **options), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(24 * 4 * 4, 10)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1, 32, 32) in 0..1 to (N, 10) scores."""
        return self.head(self.body(image))


class Upscaler(nn.Module):
    """Twice the size: bilinear plus what a few convolutions add."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 24, 5, padding=2), nn.ReLU(),
            nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
            nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
            nn.Conv2d(24, 12, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in 0..1 to (N, 3, 2H, 2W)."""
        plain = functional.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
        return plain + self.body(image)


def train_classifier(net: nn.Module, data: digits.Digits) -> None:
    """Cross-entropy and Adam, in place, the same on every run."""
    images = torch.from_numpy(data.train)[:, None]
    labels = torch.from_numpy(data.train_labels)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    rng = np.random.default_rng(0)
    net.train()
    for _ in range(EPOCHS):
        for rows in digits.batches(len(images), 32, rng):
            chosen = torch.from_numpy(rows)
            loss = functional.cross_entropy(net(images[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    net.eval()


def photos() -> list[Tensor]:
    """The two photographs that come with scikit-learn, each (3, H, W) in 0..1."""
    from sklearn.datasets import load_sample_images

    pictures = [np.array(i) for i in load_sample_images().images]
    return [torch.from_numpy(i).permute(2, 0, 1).float() / 255 for i in pictures]


def halve(x: Tensor) -> Tensor:
    """(N, 3, 2H, 2W) to (N, 3, H, W), smoothed first."""
    return functional.interpolate(x, scale_factor=0.5, mode="bicubic", antialias=True)


def train_upscaler(net: nn.Module) -> None:
    """Least absolute error on crops of the left two thirds of both photographs."""
    kept = [p[:, :, : p.shape[2] * 2 // 3] for p in photos()]
    rng = np.random.default_rng(0)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 1500)
    net.train()
    for _ in range(1500):
        crops = []
        for photo in [kept[i] for i in rng.integers(0, 2, 8)]:
            y = int(rng.integers(0, photo.shape[1] - 64))
            x = int(rng.integers(0, photo.shape[2] - 64))
            crops.append(photo[:, y : y + 64, x : x + 64])
        large = torch.stack(crops)
        loss = functional.l1_loss(net(halve(large)), large)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.eval()


def psnr(upscale: Callable[[Tensor], Tensor]) -> float:
    """Decibels on the right third of both photographs, which training never saw."""
    errors = []
    for photo in photos():
        large = photo[None, :, :, -208:]
        large = large[:, :, : large.shape[2] // 2 * 2]
        errors.append(float(((upscale(halve(large)) - large) ** 2).mean()))
    return float(-10 * np.log10(np.mean(errors)))


def export(net: nn.Module, path: Path, *, opset: int, dynamo: bool, example: Tensor) -> None:
    """Write one ONNX file with a free batch size, and free height and width for pictures."""
    axes = {0: "batch"} if example.shape[1] == 1 else {0: "batch", 2: "height", 3: "width"}
    names = {"input_names": ["image"], "output_names": ["scores" if len(axes) == 1 else "large"]}
    if dynamo:
        shapes = dict.fromkeys(axes, torch.export.Dim.DYNAMIC)
        program = torch.onnx.export(
            net, (example,), dynamo=True, opset_version=opset, dynamic_shapes=(shapes,),
            verbose=False, **names,
        )  # fmt: skip
        _drop_traces(program.model_proto, path)
    else:
        free = {"image": axes, names["output_names"][0]: axes}
        torch.onnx.export(
            net, (example,), path, dynamo=False, opset_version=opset, dynamic_axes=free, **names
        )


def _drop_traces(model: onnx.ModelProto, path: Path) -> None:
    """Save without the stack traces, which name folders of the machine that exported."""
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if not p.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)


CLASSIFIERS: dict[str, tuple[Callable[[], nn.Module], int, bool]] = {
    "digits_torch_dynamo": (ResidualNet, 18, True),
    "digits_torch_torchscript": (DepthwiseNet, 13, False),
    "digits_torch_reflect": (lambda: PlainNet("reflect"), 18, True),
    "digits_torch_circular": (lambda: PlainNet("circular"), 11, False),
}


def build_classifier(name: str, data: digits.Digits) -> None:
    """Train, export and measure one classifier."""
    make, opset, dynamo = CLASSIFIERS[name]
    torch.manual_seed(0)
    net = make()
    train_classifier(net, data)
    path = HERE / f"{name}.onnx"
    export(net, path, opset=opset, dynamo=dynamo, example=torch.rand(2, 1, 32, 32))
    with torch.no_grad():
        own = digits.accuracy(lambda x: net(torch.from_numpy(x)[:, None]).numpy(), data)
    print(f"{name}: accuracy {own:.3f}, exported {digits.onnx_accuracy(path, data):.3f}")


def build_upscaler() -> None:
    """Train, export and measure the upscaler."""
    torch.manual_seed(0)
    net = Upscaler()
    train_upscaler(net)
    path = HERE / "upscale2x_torch.onnx"
    export(net, path, opset=18, dynamo=True, example=torch.rand(2, 3, 24, 32))
    with torch.no_grad():
        print(f"upscale2x_torch: PSNR {psnr(net):.2f} dB, bicubic alone {psnr(_bicubic):.2f} dB")


def _bicubic(image: Tensor) -> Tensor:
    return functional.interpolate(image, scale_factor=2, mode="bicubic")


def main() -> None:
    """Build what is named, or everything."""
    torch.set_num_threads(1)
    wanted = sys.argv[1:] or [*CLASSIFIERS, "upscale2x_torch"]
    data = digits.load()
    for name in wanted:
        if name in CLASSIFIERS:
            build_classifier(name, data)
        else:
            build_upscaler()


if __name__ == "__main__":
    main()

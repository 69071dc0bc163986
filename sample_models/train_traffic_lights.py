"""Train the traffic-light detectors: the same network with zeros and with mirror padding.

Needs the packages of tests/frameworks/requirements-torch.txt. Run from anywhere:

    python sample_models/train_traffic_lights.py [--seeds 0 1 2] [--steps 1200] [--to FOLDER] [name ...]

| file | input | padding | strided convolutions |
|---|---|---|---|
| lights_zero | 128×192 | zeros | one row and column unread in all three: uneven |
| lights_reflect | 128×192 | mirror (reflect) | the same |
| lights_zero_even | 129×193 | zeros | even |
| lights_reflect_even | 129×193 | mirror | even |

Every scene of a seed is shown to all of them, in the same order, half of them flipped left to
right: whatever differs between left and right in a network was not in its scenes.
"""  # noqa: E501  (the command is one line)

import argparse
from pathlib import Path

import numpy as np
import onnx
import road_scenes
import torch
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).parent
STRIDE = 8
BATCH = 16
TEST_SCENES = 320
VARIANTS: dict[str, tuple[str, tuple[int, int]]] = {
    "lights_zero": ("zeros", (128, 192)),
    "lights_reflect": ("reflect", (128, 192)),
    "lights_zero_even": ("zeros", (129, 193)),
    "lights_reflect_even": ("reflect", (129, 193)),
}
# Scenes of training, of testing and of the pictures come from separate streams of numbers.
TEST_STREAM, PICTURE_STREAM = 10_000, 30_000


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int, mode: str) -> nn.Sequential:
    """Convolution and batch normalisation; the exporter folds them into one Conv."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, padding_mode=mode),
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, mode: str) -> None:
        super().__init__()
        self.first = conv_bn(inputs, outputs, 3, stride, mode)
        self.second = conv_bn(outputs, outputs, 3, 1, mode)
        same = stride == 1 and inputs == outputs
        self.short = nn.Identity() if same else conv_bn(inputs, outputs, 1, stride, "zeros")

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H/stride, W/stride), rounded up."""
        inner = self.second(functional.relu(self.first(x)))
        return functional.relu(inner + self.short(x))


class Detector(nn.Module):
    """A small fully convolutional detector: for each cell of 8×8 pixels a score and a box."""

    def __init__(self, mode: str, size: tuple[int, int]) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(3, 16, 3, 2, mode), nn.ReLU(),
            Residual(16, 24, 2, mode),
            Residual(24, 48, 2, mode),
            Residual(48, 48, 1, mode),
            Residual(48, 48, 1, mode),
        )  # fmt: skip
        self.head = nn.Conv2d(48, 5, 1)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([-3.0, 0.5, 0.5, 0.5, 0.5]))
        self.register_buffer("centres", centres(size))

    def maps(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in 0..1 to (N, cells, 5): a logit; left, top, right, bottom in cells."""
        return self.head(self.body(image)).flatten(2).transpose(1, 2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (N, cells, 4) as corners in pixels, and scores (N, cells, 1) in 0..1."""
        found = self.maps(image)
        sides = found[..., 1:] * STRIDE
        low, high = self.centres - sides[..., :2], self.centres + sides[..., 2:]
        return torch.cat([low, high], 2), torch.sigmoid(found[..., :1])


def centres(size: tuple[int, int]) -> Tensor:
    """The pixel (x, y) in the middle of each cell's receptive field, (cells, 2)."""
    rows, columns = (-(-side // STRIDE) for side in size)
    ys, xs = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([xs.flatten(), ys.flatten()], 1) * STRIDE + 0.5


def batch(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Tensor, list[Tensor]]:
    """Pictures (BATCH, 3, H, W) in 0..1 and the boxes of each."""
    pictures, boxes = [], []
    for _ in range(BATCH):
        picture, found = road_scenes.scene(rng)
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
            found = np.stack(
                [
                    road_scenes.WIDTH - found[:, 2], found[:, 1],
                    road_scenes.WIDTH - found[:, 0], found[:, 3],
                ],
                axis=1,
            )  # fmt: skip
        pictures.append(picture[: size[0], : size[1]].astype(np.float32) / 255)
        boxes.append(torch.from_numpy(found).float())
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.contiguous(), boxes


def loss_of(found: Tensor, boxes: list[Tensor], grid: Tensor) -> Tensor:
    """Focal loss of the scores around each light, and absolute error of the best cells' sides.

    The loss of X. Zhou et al., "Objects as points", arXiv 1904.07850: a cell at distance d from
    a light's centre has the target exp(−d²/2σ²), σ = 4 pixels; the cell nearest to it has 1.
    """
    heat = torch.zeros(found.shape[:2])
    sides = found.new_zeros(())
    count = 0
    for row, lights in enumerate(boxes):
        for light in lights:
            middle = (light[:2] + light[2:]) / 2
            squares = ((grid - middle) ** 2).sum(1)
            heat[row] = torch.maximum(heat[row], torch.exp(-squares / (2 * 4.0**2)))
            best = int(squares.argmin())
            heat[row, best] = 1
            wanted = torch.cat([grid[best] - light[:2], light[2:] - grid[best]]) / STRIDE
            sides = sides + (found[row, best, 1:] - wanted).abs().sum()
            count += 1
    logit = found[..., 0]
    score = torch.sigmoid(logit)
    hit = heat == 1
    positive = (1 - score[hit]) ** 2 * functional.logsigmoid(logit[hit])
    negative = (1 - heat[~hit]) ** 4 * score[~hit] ** 2 * functional.logsigmoid(-logit[~hit])
    return -(positive.sum() + negative.sum() - sides) / max(count, 1)


def train(net: Detector, seed: int, steps: int, size: tuple[int, int]) -> None:
    """In place, the same on every run of one machine."""
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    net.train()
    for step in range(steps):
        pictures, boxes = batch(rng, size)
        loss = loss_of(net.maps(pictures), boxes, net.centres)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"  step {step}: loss {loss.item():.3f}", flush=True)
    net.eval()


def tested(net: Detector, size: tuple[int, int]) -> str:
    """Recall and precision on scenes never trained on: score ≥ 0.5, centre inside the light."""
    rng = np.random.default_rng(TEST_STREAM)
    hits = lights = claims = right = 0
    with torch.no_grad():
        for _ in range(TEST_SCENES // BATCH):
            pictures, boxes = batch(rng, size)
            corners, scores = net(pictures)
            for row, wanted in enumerate(boxes):
                kept = corners[row][scores[row, :, 0] >= 0.5]
                middle = (kept[:, None, :2] + kept[:, None, 2:]) / 2
                inside = ((middle >= wanted[:, :2]) & (middle <= wanted[:, 2:])).all(2)
                hits += int(inside.any(0).sum())
                right += int(inside.any(1).sum())
                lights, claims = lights + len(wanted), claims + len(kept)
    return f"recall {hits / lights:.3f} of {lights} lights, precision {right / max(claims, 1):.3f}"


def export(net: Detector, path: Path, size: tuple[int, int]) -> None:
    """One ONNX file with a free batch size and no trace of the machine that wrote it."""
    free = {name: {0: "batch"} for name in ("image", "boxes", "scores")}
    torch.onnx.export(
        net, (torch.rand(2, 3, *size),), path, dynamo=False, opset_version=17,
        input_names=["image"], output_names=["boxes", "scores"], dynamic_axes=free,
    )  # fmt: skip
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def pictures(folder: Path) -> None:
    """A bright and a dim light to paste, and eight roads without lights to paste them on."""
    from PIL import Image

    for name, dim, case in (("traffic_light", 1.0, 28.0), ("traffic_light_dim", 0.45, 45.0)):
        patch = np.clip(road_scenes.light(8, 19, "red", dim, case), 0, 255)
        Image.fromarray(patch.round().astype(np.uint8)).save(folder / f"{name}.png")
    (folder / "roads").mkdir(exist_ok=True)
    for number in range(8):
        road, _ = road_scenes.scene(np.random.default_rng(PICTURE_STREAM + number), lights=0)
        Image.fromarray(road).save(folder / "roads" / f"{number}.png")


def main() -> None:
    """Train what is named, or everything; more seeds than one get their number as a suffix."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", choices=[[], *VARIANTS], metavar="name")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--to", type=Path, default=HERE)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.to.mkdir(parents=True, exist_ok=True)
    pictures(asked.to)
    for seed in asked.seeds:
        for name in asked.names or VARIANTS:
            mode, size = VARIANTS[name]
            torch.manual_seed(seed)
            net = Detector(mode, size)
            train(net, seed, asked.steps, size)
            path = asked.to / (f"{name}.onnx" if seed == 0 else f"{name}_{seed}.onnx")
            export(net, path, size)
            print(f"{path.name}: {tested(net, size)}", flush=True)


if __name__ == "__main__":
    main()

"""The pictures behind the sample classifiers: scikit-learn's digits as dark ink on white paper.

White paper matters: on a black ground zero padding would invent what is there anyway, and a
sample about padding would show nothing. Every picture is 32x32 and rounded to 8 bits, so that the
PNG files, the .npz file and the arrays used in training hold the same values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).parent
SIZE = 32
TEST_IMAGES = 360
PER_CLASS = 10


@dataclass(frozen=True)
class Digits:
    """Pictures (N, 32, 32) float32 in 0..1 and labels (N,) int64, for training and held out."""

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def load() -> Digits:
    """Read the digits. The last 360 are held out: other writers than most of the first 1437."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.stack([_picture(image) for image in data.images])
    labels = data.target.astype(np.int64)
    return Digits(
        images[:-TEST_IMAGES], labels[:-TEST_IMAGES], images[-TEST_IMAGES:], labels[-TEST_IMAGES:]
    )


def _picture(image: NDArray[np.float64]) -> NDArray[np.float32]:
    """One 8x8 scan with ink 0..16 as 32x32 paper in 0..1."""
    paper = Image.fromarray(np.uint8(np.round(255 - image * (255 / 16))))
    large = paper.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(large, np.float32) / np.float32(255)


def batches(count: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The indices of one epoch in random order, in whole batches; what is left over is dropped."""
    order = rng.permutation(count)
    return [order[i : i + size] for i in range(0, count - size + 1, size)]


def accuracy(run: Callable[[NDArray[np.float32]], NDArray[np.float32]], digits: Digits) -> float:
    """The share of held-out pictures (N, 32, 32) whose largest score is that of their label."""
    scores = run(digits.test)
    return float(np.mean(scores.argmax(axis=1) == digits.test_labels))


def onnx_accuracy(path: Path, digits: Digits) -> float:
    """The accuracy of an exported classifier in ONNX Runtime, one picture at a time."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    picture = session.get_inputs()[0]
    shape = (1, SIZE, SIZE, 1) if picture.shape[-1] == 1 else (1, 1, SIZE, SIZE)

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        feeds = ({picture.name: image.reshape(shape)} for image in images)
        return np.concatenate([session.run(None, feed)[0] for feed in feeds])

    return accuracy(run, digits)


def main() -> None:
    """Write the held-out pictures: 10 of each class as PNG, all of them as .npz with labels."""
    digits = load()
    np.savez_compressed(HERE / "digits_test.npz", image=digits.test[:, None])
    np.save(HERE / "digits_test_labels.npy", digits.test_labels)
    for label in range(10):
        folder = HERE / "digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = digits.test[digits.test_labels == label][:PER_CLASS]
        for number, image in enumerate(chosen):
            picture = Image.fromarray(np.uint8(np.round(image * 255)))
            picture.save(folder / f"{number:02d}.png", optimize=True)


if __name__ == "__main__":
    main()

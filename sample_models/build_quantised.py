"""Build digits_quantised_qdq: the residual classifier, quantised statically, per channel.

Needs onnx, onnxruntime, sympy and scikit-learn, and digits_torch_dynamo.onnx beside this file:

    python sample_models/build_quantised.py
"""

from collections.abc import Iterator
from pathlib import Path

import digits
import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

HERE = Path(__file__).parent
SOURCE = HERE / "digits_torch_dynamo.onnx"
OUT = HERE / "digits_quantised_qdq.onnx"
CALIBRATION_IMAGES = 200


class Pictures(CalibrationDataReader):
    """Training pictures one at a time, in the form the quantiser asks for."""

    def __init__(self, images: NDArray[np.float32]) -> None:
        self._feeds: Iterator[dict[str, NDArray[np.float32]]] = (
            {"image": image[None, None]} for image in images
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next feed, None at the end."""
        return next(self._feeds, None)


def main() -> None:
    """Quantise and measure."""
    data = digits.load()
    quantize_static(
        SOURCE,
        OUT,
        Pictures(data.train[:CALIBRATION_IMAGES]),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    print(f"{OUT.stem}: exported {digits.onnx_accuracy(OUT, data):.3f}")


if __name__ == "__main__":
    main()

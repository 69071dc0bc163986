"""Build digits_keras: a Keras classifier in channels-last order with SAME padding.

Needs the packages of tests/frameworks/requirements-keras.txt and scikit-learn:

    python sample_models/build_keras.py
"""

from pathlib import Path

import digits
import keras
import numpy as np
import onnx
import tf2onnx
from keras import layers
from numpy.typing import NDArray

HERE = Path(__file__).parent
OUT = HERE / "digits_keras.onnx"
OPSET = 15
EPOCHS = 20


def network() -> keras.Model:
    """(N, 32, 32, 1) in 0..1 to (N, 10) scores. Stride 2 on even sizes pads at the end alone."""
    image = keras.Input((digits.SIZE, digits.SIZE, 1), name="image")
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(image)
    for filters, stride in ((24, 1), (32, 2), (48, 2)):
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same")(x)
        x = layers.Conv2D(filters, 1)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    x = layers.ZeroPadding2D(1)(x)
    x = layers.Conv2D(48, 3, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, name="scores")(x), name="digits_keras")


def main() -> None:
    """Train, export and measure."""
    keras.utils.set_random_seed(0)
    data = digits.load()
    model = network()
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * (len(data.train) // 32))
    model.compile(
        keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.fit(data.train[..., None], data.train_labels, batch_size=32, epochs=EPOCHS, verbose=0)
    proto, _ = tf2onnx.convert.from_keras(model, opset=OPSET)
    onnx.save(proto, OUT)

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(model.predict(images[..., None], verbose=0))

    own, exported = digits.accuracy(run, data), digits.onnx_accuracy(OUT, data)
    print(f"{OUT.stem}: accuracy {own:.3f}, exported {exported:.3f}")


if __name__ == "__main__":
    main()

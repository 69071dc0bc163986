"""Build digits_jax: a classifier in plain JAX, channels last, with SAME padding.

Needs the packages of tests/frameworks/requirements-jax.txt and scikit-learn:

    python sample_models/build_jax.py
"""

from pathlib import Path

import digits
import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax
from jax import Array, lax
from jax2onnx import to_onnx
from numpy.typing import NDArray

HERE = Path(__file__).parent
OUT = HERE / "digits_jax.onnx"
OPSET = 17
EPOCHS = 25
# kernel, input and output channels, stride, dilation
LAYERS = ((3, 1, 12, 2, 1), (3, 12, 24, 1, 1), (4, 24, 32, 2, 1), (3, 32, 32, 1, 2))

Parameters = dict[str, Array]


def initial() -> Parameters:
    """He-normal kernels, zero biases."""
    rng = np.random.default_rng(0)
    values: Parameters = {}
    for index, (kernel, inputs, outputs, _, _) in enumerate(LAYERS):
        shape = (kernel, kernel, inputs, outputs)
        scale = np.sqrt(2 / (kernel * kernel * inputs))
        values[f"kernel{index}"] = jnp.asarray(rng.normal(0, scale, shape), jnp.float32)
        values[f"bias{index}"] = jnp.zeros(outputs, jnp.float32)
    values["dense"] = jnp.asarray(rng.normal(0, 0.2, (32, 10)), jnp.float32)
    return values


def scores(values: Parameters, x: Array) -> Array:
    """(N, 32, 32, 1) in 0..1 to (N, 10)."""
    for index, (_, _, _, stride, dilation) in enumerate(LAYERS):
        x = lax.conv_general_dilated(
            x,
            values[f"kernel{index}"],
            (stride, stride),
            "SAME",
            rhs_dilation=(dilation, dilation),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        x = jax.nn.relu(x + values[f"bias{index}"])
    return x.mean((1, 2)) @ values["dense"]


def loss(values: Parameters, x: Array, labels: Array) -> Array:
    """Mean cross-entropy."""
    return optax.softmax_cross_entropy_with_integer_labels(scores(values, x), labels).mean()


def train(data: digits.Digits) -> Parameters:
    """Adam with a falling rate, the same on every run."""
    values = initial()
    optimiser = optax.adam(optax.cosine_decay_schedule(4e-3, EPOCHS * (len(data.train) // 32)))
    state = optimiser.init(values)

    @jax.jit
    def step(
        values: Parameters, state: optax.OptState, x: Array, labels: Array
    ) -> tuple[Parameters, optax.OptState]:
        gradient = jax.grad(loss)(values, x, labels)
        change, state = optimiser.update(gradient, state)
        return optax.apply_updates(values, change), state

    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for rows in digits.batches(len(data.train), 32, rng):
            x, labels = data.train[rows][..., None], data.train_labels[rows]
            values, state = step(values, state, jnp.asarray(x), jnp.asarray(labels))
    return values


def main() -> None:
    """Train, export and measure."""
    data = digits.load()
    values = train(data)
    proto = to_onnx(
        lambda image: scores(values, image),
        [("B", digits.SIZE, digits.SIZE, 1)],
        opset=OPSET,
        model_name="digits_jax",
    )
    onnx.save(proto, OUT)

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(scores(values, jnp.asarray(images[..., None])))

    own, exported = digits.accuracy(run, data), digits.onnx_accuracy(OUT, data)
    print(f"{OUT.stem}: accuracy {own:.3f}, exported {exported:.3f}")


if __name__ == "__main__":
    main()

"""Mutated models: success or one OnnxpadError, nothing else.

Bounded and repeatable: every case is a seed. ONNXPAD_FUZZ sets how many mutations a model gets.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

import onnxpad
from onnxpad.errors import OnnxpadError
from tests.conftest import zoo_models
from tests.features import FEATURES, FILES

ROUNDS = int(os.environ.get("ONNXPAD_FUZZ", "40"))
MODES = ("edge", "reflect", "symmetric", "wrap", "linear", "partial", "zero", "constant:0.5")

# Those with the most structure: subgraphs, functions, computed pads, quantisation, odd forms.
SUBJECTS = (
    "auto_pad_dynamic_size_strided",
    "circular_slice_concat",
    "computed_weights",
    "deform_conv",
    "function_overloads",
    "function_pads_default",
    "function_with_if",
    "ir3_inputs",
    "loop_body",
    "max_pool_ceil",
    "nested_if",
    "node_metadata_props",
    "pad_attributes_opset7",
    "pad_axes_negative",
    "pad_from_constant_of_shape",
    "pad_from_shape_arithmetic",
    "pad_through_reshape",
    "qdq_with_pad",
    "qlinear_conv",
    "quantization_annotation",
    "scan_body",
    "space_to_batch",
    "sparse_initializer",
    "training_info",
    "typed_tensor_data",
)

SMALL_ZOO = [path for path in zoo_models() if path.stat().st_size < 300_000]

# Varints that sizes, enums and offsets dislike: 0, −1, 2⁶³−1, −2⁶³, 2³¹, and small ones.
NUMBERS = (
    b"\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x80\x80\x80\x80\x08",
    b"\x01",
    b"\x7f",
)


def _mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four small damages: bits, bytes, cuts, copies, numbers that sizes dislike."""
    mutant = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(mutant)))
        size = int(rng.integers(1, 16))
        match int(rng.integers(0, 6)):
            case 0:
                mutant[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                mutant[at] = int(rng.integers(0, 256))
            case 2:
                del mutant[at : at + size]
            case 3:
                mutant[at:at] = mutant[at : at + size]
            case 4:
                mutant[at : at + 1] = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
            case _:
                mutant[at : at + size] = rng.bytes(size)
        mutant = mutant or bytearray(b"\x08")
    return bytes(mutant)


def _mutate_parsed(model: ModelProto, rng: np.random.Generator) -> bytes:
    """Damage that survives parsing: attributes, names and dimensions take each other's values."""
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    for _ in range(int(rng.integers(1, 4))):
        node = nodes[int(rng.integers(0, len(nodes)))]
        other = nodes[int(rng.integers(0, len(nodes)))]
        match int(rng.integers(0, 8)):
            case 0 if node.input and other.output:
                node.input[int(rng.integers(0, len(node.input)))] = other.output[0]
            case 1 if node.input:
                del node.input[-1]
            case 2 if node.attribute:
                del node.attribute[int(rng.integers(0, len(node.attribute)))]
            case 3 if node.attribute:
                attribute = node.attribute[int(rng.integers(0, len(node.attribute)))]
                attribute.ints.append(int(rng.integers(-(2**62), 2**62)))
            case 4 if node.attribute:
                attribute = node.attribute[int(rng.integers(0, len(node.attribute)))]
                attribute.type = int(rng.integers(0, 15))
            case 5:
                node.op_type = other.op_type
            case 6 if model.graph.initializer:
                tensor = model.graph.initializer[int(rng.integers(0, len(model.graph.initializer)))]
                tensor.dims.append(int(rng.integers(-2, 2**40)))
            case _:
                node.output[0] = other.output[0]
    return bytes(model.SerializeToString())


def _try(path: Path, rng: np.random.Generator) -> bool:
    """Find sites and rewrite; whether both went through. Anything but OnnxpadError escapes."""
    out = path.with_name("out.onnx")
    mode = MODES[int(rng.integers(0, len(MODES)))]
    try:
        onnxpad.find_sites(path)
        result = onnxpad.rewrite(path, mode=mode, pools=bool(rng.integers(0, 2)))
        result.save(out)
    except OnnxpadError as error:
        told = str(error)
        assert told, "an error without words"
        assert "\n" not in told, f"more than one line: {told!r}"
        assert not out.exists()
        return False
    assert out.exists()
    out.unlink()
    return True


def _fuzz(name: str, original: bytes, folder: Path, rounds: int) -> None:
    path = folder / "mutant.onnx"
    parsed = 0
    for seed in range(rounds):
        rng = np.random.default_rng([seed, *name.encode()])
        if seed % 2:
            mutant = _mutate_parsed(ModelProto.FromString(original), rng)
        else:
            mutant = _mutate(original, rng)
        path.write_bytes(mutant)
        try:
            parsed += _try(path, rng)
        except Exception as error:
            error.add_note(f"{name}, seed {seed}: the mutant is at {path}")
            raise
    assert parsed or rounds < 20, "no mutant was accepted: the damage is too coarse to prove much"


@pytest.mark.filterwarnings("default")  # a mutant may well make numpy warn of an overflow
@pytest.mark.parametrize("name", SUBJECTS)
def test_mutated_models(name: str, tmp_path: Path) -> None:
    _fuzz(name, FEATURES[name]().SerializeToString(), tmp_path, ROUNDS)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", FILES)
def test_mutated_models_with_files(name: str, tmp_path: Path) -> None:
    original = FILES[name](tmp_path).read_bytes()
    _fuzz(name, original, tmp_path, ROUNDS)


@pytest.mark.zoo
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", SMALL_ZOO, ids=lambda path: path.stem)
def test_mutated_real_models(path: Path, tmp_path: Path) -> None:
    _fuzz(path.name, path.read_bytes(), tmp_path, rounds=6)

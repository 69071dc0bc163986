import pytest

from onnxpad.data.layout import Dim
from onnxpad.data.plan import InputPlan, main_input, plans
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo


def first(*inputs: TensorInfo) -> tuple[InputPlan, ...]:
    return next(plans(inputs))


def info(name: str, shape: tuple[Dim, ...], dtype: str = "float32") -> TensorInfo:
    return TensorInfo(name, dtype, shape)


@pytest.mark.parametrize(
    ("tensor", "role", "shape"),
    [
        (info("x", (1, 3, 224, 224)), "scene", (1, 3, 224, 224)),
        (info("x", ("N", 3, "H", "W")), "scene", (1, 3, 224, 224)),
        (info("x", (None, None, None, 3)), "scene", (1, 224, 224, 3)),
        (info("x", (None, None, None, None)), "scene", (1, 3, 224, 224)),
        (info("x", ("?", 3, "?", "?")), "scene", (1, 3, 224, 224)),
        (info("x", ("N", 3, 48, None)), "scene", (1, 3, 48, 224)),
        (info("x", (4, 3, 32, 32)), "scene", (4, 3, 32, 32)),
        (info("x", (1, 28, 28, 1), "uint8"), "scene", (1, 28, 28, 1)),
        (info("x", (28, 28, 3), "uint8"), "scene", (28, 28, 3)),
        (info("x", (1, 3, 8, 8), "int32"), "scene", (1, 3, 8, 8)),
        (info("x", ("N", 1, "D", "H", "W")), "scene", (1, 1, 32, 32, 32)),
        (info("x", (None, None)), "signal", (1, 16000)),
        (info("x", (None, 1, None)), "signal", (1, 1, 16000)),
        (info("x", (None,)), "signal", (16000,)),
        (info("ids", ("N", "T"), "int64"), "tokens", (1, 16)),
        (info("attention_mask", ("N", "T"), "int64"), "ones", (1, 16)),
        (info("flag", (), "bool"), "ones", ()),
        (info("training_mode", (), "bool"), "off", ()),
        (info("sr", (), "int64"), "rate", ()),
        (info("sample_rate", (1,), "int64"), "rate", (1,)),
        (info("lengths", ("N",), "int64"), "length", (1,)),
        (info("scale", ()), "ones", ()),
    ],
)
def test_one_input(tensor: TensorInfo, role: str, shape: tuple[int, ...]) -> None:
    (plan,) = first(tensor)
    assert (plan.role, plan.shape) == (role, shape)


@pytest.mark.parametrize("name", ["state", "hidden", "h0", "c_0", "past_key_values.0", "cache"])
def test_states_beside_data_are_states(name: str) -> None:
    data, state = first(info("input", (None, None)), info(name, (2, None, 128)))
    assert (data.role, state.role, state.shape) == ("signal", "state", (2, 1, 128))


def test_a_lone_state_is_the_data() -> None:
    assert first(info("hidden_states", (1, 77, 768)))[0].role == "signal"


def test_one_symbol_has_one_size() -> None:
    mask, picture = first(info("mask", ("N", "H", "W")), info("x", ("N", 3, "H", "W")))
    assert picture.shape == (1, 3, 224, 224)
    assert mask.shape == (1, 224, 224)


def test_known_shapes_decide() -> None:
    inputs = (info("x", ("N", 3, "H", "W")), info("mask", ("N", "H", "W")))
    every = list(plans(inputs, {"x": (1, 3, 40, 50)}))
    assert [tuple(p.shape for p in choice) for choice in every] == [((1, 3, 40, 50), (1, 40, 50))]


def test_choices_differ_and_are_few() -> None:
    every = list(plans((info("x", (None, None, None, None)),)))
    shapes = [choice[0].shape for choice in every]
    assert shapes[:2] == [(1, 3, 224, 224), (1, 3, 256, 256)]
    assert (1, 1, 224, 224) in shapes
    assert len(set(shapes)) == len(shapes) <= 15
    assert len(list(plans((info("x", (1, 3, 8, 8)),)))) == 1


def test_free_frames_of_a_streaming_model_are_among_the_choices() -> None:
    shapes = [choice[0].shape for choice in plans((info("input", (None, None)),))]
    assert shapes[:2] == [(1, 16000), (1, 512)]


def test_sizes_are_bounded_before_anything_is_made() -> None:
    with pytest.raises(DataError, match="too large"):
        first(info("\x1bx", (1, 3, 2**20, 2**20)))


def test_main_input() -> None:
    audio, picture = info("a", (None, None)), info("x", (1, 3, 8, 8))
    found = main_input(first(audio, picture))
    assert found is not None
    assert found.info is picture
    assert main_input(first(info("ids", (1, 4), "int64"))) is None

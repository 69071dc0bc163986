import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnxpad.errors import ModelError, RunError, UsageError
from onnxpad.runtime import Provider, TensorInfo, choose_provider, open_session, version
from tests.data.graphs import FLOAT, conv, model, saved

CPU = Provider("cpu", "CPU")


def cuda_works() -> bool:
    return choose_provider("auto").name == "cuda"


def test_reading_the_module_loads_no_engine() -> None:
    code = (
        "import sys, onnxpad.runtime, onnxpad.comparing, onnxpad.report.json\n"
        "print([m for m in ('onnxruntime', 'PIL', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_declared_tensors(tmp_path: Path) -> None:
    proto = model(
        [helper.make_node("Identity", ["a"], ["b"]), helper.make_node("Identity", ["s"], ["t"])],
        [("a", TensorProto.FLOAT16, ["N", None, 3]), ("s", TensorProto.STRING, [1])],
        [("b", TensorProto.FLOAT16, ["N", None, 3]), ("t", TensorProto.STRING, [1])],
    )
    session = open_session(saved(proto, tmp_path / "m.onnx"), provider=CPU)
    assert session.inputs[0] == TensorInfo("a", "float16", ("N", None, 3))
    assert session.inputs[0].numeric
    assert session.inputs[1] == TensorInfo("s", "tensor(string)", (1,))
    assert not session.inputs[1].numeric


def test_runs_the_convolution(tmp_path: Path) -> None:
    path = conv(tmp_path / "m.onnx", shape=(1, 1, 5, 5), channels=1)
    kernel = onnx.numpy_helper.to_array(onnx.load(path).graph.initializer[0])[0, 0]
    x = np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)
    y = open_session(path, provider=CPU).run({"x": x})["y"]
    padded = np.pad(x[0, 0], 1)
    want = [[(padded[i : i + 3, j : j + 3] * kernel).sum() for j in range(5)] for i in range(5)]
    np.testing.assert_allclose(y[0, 0], want, rtol=1e-5, atol=1e-5)


def test_two_sessions_give_equal_bits_even_with_random_operators(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["r"]),
        helper.make_node("Add", ["x", "r"], ["y"]),
    ]
    proto = model(nodes, [("x", FLOAT, [1, 64])], [("y", FLOAT, [1, 64])])
    path = saved(proto, tmp_path / "m.onnx")
    x = np.zeros((1, 64), np.float32)
    first, second = (open_session(path, provider=CPU).run({"x": x})["y"] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_external_data_is_found_beside_the_file(tmp_path: Path) -> None:
    proto = onnx.load(conv(tmp_path / "m.onnx"))
    target = tmp_path / "sub" / "external.onnx"
    target.parent.mkdir()
    onnx.save_model(
        proto, target, save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    x = {"x": np.ones((1, 3, 16, 16), np.float32)}
    ours = open_session(tmp_path / "m.onnx", provider=CPU).run(x)["y"]
    np.testing.assert_array_equal(open_session(target, provider=CPU).run(x)["y"], ours)


def test_optimised_graph_is_written(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Identity", ["x"], ["i"]),
        helper.make_node("Relu", ["i"], ["y"]),
    ]
    proto = model(nodes, [("x", FLOAT, [4])], [("y", FLOAT, [4])])
    source, target = saved(proto, tmp_path / "m.onnx"), tmp_path / "optimised.onnx"
    open_session(source, provider=CPU, optimised_to=target)
    assert [n.op_type for n in onnx.load(target).graph.node] == ["Relu"]


def test_only_numeric_outputs_are_fetched(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Identity", ["x"], ["y"]),
        helper.make_node("SequenceConstruct", ["x", "x"], ["s"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, [2])],
        [
            helper.make_tensor_value_info("y", FLOAT, [2]),
            helper.make_tensor_sequence_value_info("s", FLOAT, None),
        ],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = open_session(saved(proto, tmp_path / "m.onnx"), provider=CPU)
    assert [o.numeric for o in session.outputs] == [True, False]
    assert list(session.run({"x": np.zeros(2, np.float32)})) == ["y"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot load bad.onnx"),
        (b"not a model at all", "Protobuf parsing failed"),
        (helper.make_model(helper.make_graph([], "g", [], []), opset_imports=[]), "opset"),
    ],
)
def test_files_that_do_not_load(
    tmp_path: Path, content: bytes | onnx.ModelProto, words: str
) -> None:
    path = tmp_path / "bad.onnx"
    if isinstance(content, onnx.ModelProto):
        del content.opset_import[:]
        content = content.SerializeToString()
    path.write_bytes(content)
    with pytest.raises(RunError, match=words) as caught:
        open_session(path, provider=CPU)
    assert "onnxruntime_src" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: there is no such file"):
        open_session(tmp_path / "gone.onnx", provider=CPU)


def test_custom_operators_are_named(tmp_path: Path) -> None:
    node = helper.make_node("DecodeImage", ["x"], ["y"], domain="com.example")
    proto = model([node], [("x", FLOAT, [1])], [("y", FLOAT, [1])], domains=["com.example"])
    with pytest.raises(RunError, match=r"needs the operator com\.example:DecodeImage") as caught:
        open_session(saved(proto, tmp_path / "m.onnx"), provider=CPU)
    assert caught.value.exit_code == 4


def test_messages_of_a_hostile_model_are_one_safe_bounded_line(tmp_path: Path) -> None:
    name = "\x1b[31mred\n\u202e" + "x" * 5000
    node = helper.make_node("Reshape", ["x", "to"], ["y"], name=name)
    proto = model(
        [node],
        [("x", FLOAT, ["N"]), ("to", TensorProto.INT64, [1])],
        [("y", FLOAT, None)],  # type: ignore[list-item]  # of unknown rank
    )
    session = open_session(saved(proto, tmp_path / "m.onnx"), provider=CPU)
    with pytest.raises(RunError) as caught:
        session.run({"x": np.zeros(3, np.float32), "to": np.array([2])})
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith("m.onnx fails to run: ")
    assert len(message) < 400


def test_wrong_feeds(tmp_path: Path) -> None:
    session = open_session(conv(tmp_path / "m.onnx"), provider=CPU, label="the candidate")
    with pytest.raises(RunError, match=r"the candidate fails to run: .*x"):
        session.run({})
    with pytest.raises(RunError, match="data type"):
        session.run({"x": np.zeros((1, 3, 16, 16))})


def test_unknown_words() -> None:
    with pytest.raises(UsageError, match="auto, cpu, cuda"):
        choose_provider("tpu")


def test_threads_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        open_session(conv(tmp_path / "m.onnx"), provider=CPU, threads=0)


def test_cpu_as_asked() -> None:
    assert choose_provider("cpu").name == "cpu"


def test_auto_says_which_and_why_in_one_line() -> None:
    chosen = choose_provider("auto")
    assert chosen.name in ("cpu", "cuda")
    assert chosen.note.upper().startswith(chosen.name.upper())
    assert chosen.note.isprintable()


def test_cuda_that_is_not_there() -> None:
    if cuda_works():
        pytest.skip("CUDA works here")
    with pytest.raises(RunError, match=r"CUDA provider cannot be used: .*--provider cpu") as caught:
        choose_provider("cuda")
    assert caught.value.exit_code == 4


def test_cuda_runs_where_it_works(tmp_path: Path) -> None:
    if not cuda_works():
        pytest.skip("no CUDA here")
    path = conv(tmp_path / "m.onnx")
    x = {"x": np.random.default_rng(0).random((1, 3, 16, 16), np.float32)}
    there = open_session(path, provider=choose_provider("cuda")).run(x)["y"]
    here = open_session(path, provider=CPU).run(x)["y"]
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-5)


def test_choosing_a_provider_is_silent() -> None:
    code = "from onnxpad.runtime import choose_provider; choose_provider('auto')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == b""
    assert done.stderr == b""


def test_choosing_a_provider_without_any_stderr() -> None:
    code = "import os; os.close(2); from onnxpad.runtime import choose_provider; choose_provider()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_version() -> None:
    assert version()[0].isdigit()


@pytest.mark.zoo
def test_rejected_models_get_a_sentence(zoo: Path) -> None:
    with pytest.raises(RunError, match="opset"):
        open_session(zoo / "rejected" / "super_resolution_tutorial.onnx", provider=CPU)
    with pytest.raises(RunError, match=r"com\.microsoft\.extensions:DecodeImage"):
        open_session(zoo / "rejected" / "superres_prepost_op18_ortext.onnx", provider=CPU)

"""ONNX Runtime: sessions, and the provider they run on. The only module that imports it.

It is imported inside functions, so that reading this module (for its records) stays light.
Everything ONNX Runtime refuses leaves here as a RunError of one sentence.
"""

import contextlib
import ctypes
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxpad.errors import ModelError, RunError, UsageError
from onnxpad.text import one_line, printable

Array = NDArray[Any]

PROVIDERS = ("auto", "cpu", "cuda")

# ONNX Runtime's words for element types, and numpy's.
_DTYPES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
}
# TF32 would round convolutions to 10 bits, and a search for the fastest algorithm may choose
# differently for two equal models: both would show differences that no padding made.
_CUDA_OPTIONS = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
_SILENT = 4
_SEED = 0


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One input or output as a session declares it.

    Attributes:
        name: the model's own, untrusted.
        dtype: numpy's name of the element type; ONNX Runtime's type in full when it has none.
        shape: sizes; a symbol's name or None where a dimension is free.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]

    @property
    def numeric(self) -> bool:
        """Whether numpy can hold it as numbers (no strings, sequences, maps, bfloat16)."""
        return self.dtype in _DTYPES.values()


@dataclass(frozen=True, slots=True)
class Provider:
    """Where sessions run.

    Attributes:
        name: "cpu" or "cuda".
        note: one line for the user: which, and why.
    """

    name: str
    note: str


class Session:
    """A model ready to run. Inputs and outputs are as declared; `label` names it in errors."""

    def __init__(self, session: Any, label: str) -> None:
        self._session = session
        self.label = label
        self.inputs = tuple(_info(value) for value in session.get_inputs())
        self.outputs = tuple(_info(value) for value in session.get_outputs())

    def run(
        self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """Named outputs (all numeric ones by default) for named inputs. Raises RunError."""
        names = [o.name for o in self.outputs if o.numeric] if outputs is None else list(outputs)
        try:
            values = self._session.run(names, dict(feeds))
        except _refusals() as error:
            raise RunError(f"{self.label} fails to run: {_reason(error)}") from None
        return dict(zip(names, values, strict=True))


def choose_provider(asked: str = "auto") -> Provider:
    """The provider for `asked` (auto, cpu, cuda).

    Raises UsageError for another word, RunError for cuda where CUDA does not work.
    """
    if asked not in PROVIDERS:
        raise UsageError(f"unknown provider {asked!r}: choose one of {', '.join(PROVIDERS)}")
    if asked == "cpu":
        return Provider("cpu", "CPU, as asked")
    obstacle = _cuda_obstacle()
    if obstacle is None:
        return Provider("cuda", "CUDA, as asked" if asked == "cuda" else "CUDA: it works here")
    if asked == "cuda":
        raise RunError(f"the CUDA provider cannot be used: {obstacle}; try --provider cpu")
    return Provider("cpu", f"CPU: {obstacle}")


def open_session(
    path: Path,
    *,
    provider: Provider,
    threads: int | None = None,
    label: str | None = None,
    optimised_to: Path | None = None,
) -> Session:
    """A session on the model file at `path`, its external data beside it.

    Args:
        provider: from choose_provider.
        threads: threads inside an operator; None leaves it to ONNX Runtime.
        label: what errors call the model; its file name by default.
        optimised_to: where ONNX Runtime writes the graph it really runs, for a look at it.

    Raises:
        ModelError: there is no such file. RunError: ONNX Runtime refuses the model.
    """
    label = printable(path.name) if label is None else label
    if threads is not None and threads < 1:
        raise UsageError(f"threads must be at least 1, not {threads}")
    if not path.is_file():
        raise ModelError(f"{label}: there is no such file")
    options = _options(threads)
    if optimised_to is not None:
        options.optimized_model_filepath = str(optimised_to)
    return Session(_create(str(path), options, provider.name, label), label)


def open_bytes(
    data: bytes,
    *,
    provider: Provider,
    label: str,
    threads: int | None = None,
    folder: Path | None = None,
    optimise: bool = True,
) -> Session:
    """A session on a model in memory, its external data in `folder`. Raises RunError."""
    options = _options(threads)
    if not optimise:  # every node runs as it is written, under its own name
        options.graph_optimization_level = _ort().GraphOptimizationLevel.ORT_DISABLE_ALL
    if folder is not None:
        options.add_session_config_entry(_WEIGHTS_FOLDER, str(folder.resolve()))
    return Session(_create(data, options, provider.name, label), label)


def version() -> str:
    """ONNX Runtime's version."""
    return str(_ort().__version__)


def _create(source: str | bytes, options: Any, provider: str, label: str) -> Any:
    """ONNX Runtime's own session. Raises RunError."""
    ort = _ort()
    chain: list[Any] = ["CPUExecutionProvider"]
    if provider == "cuda":
        chain.insert(0, ("CUDAExecutionProvider", _CUDA_OPTIONS))
    # Random operators without a seed of their own draw from this one: two sessions, same numbers.
    ort.set_seed(_SEED)
    try:
        return ort.InferenceSession(source, options, providers=chain)
    except _refusals() as error:
        raise RunError(f"ONNX Runtime cannot load {label}: {_reason(error)}") from None


def _options(threads: int | None) -> Any:
    options = _ort().SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Two sessions take turns: the waiting threads of one must not slow the other.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def _info(value: Any) -> TensorInfo:
    shape = tuple(
        d if isinstance(d, int) and d >= 0 else d if isinstance(d, str) and d else None
        for d in value.shape or ()
    )
    return TensorInfo(str(value.name), _DTYPES.get(value.type, str(value.type)), shape)


@cache
def _ort() -> Any:
    with _quiet():
        import onnxruntime
    onnxruntime.set_default_logger_severity(_SILENT)
    return onnxruntime


@cache
def _refusals() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: its own exceptions share no root below Exception."""
    _ort()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception))
    return (*own, RuntimeError, ValueError, TypeError, MemoryError, UnicodeError, OSError)


@cache
def _cuda_obstacle() -> str | None:
    """Why CUDA cannot be used, None where a session really ran on it."""
    if "CUDAExecutionProvider" not in _ort().get_available_providers():
        return "this build of ONNX Runtime has no CUDA provider"
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return f"no NVIDIA driver ({driver}) found"
    try:
        with _quiet():
            # CUDA's libraries may come from pip packages, which no loader path names.
            _ort().preload_dlls()
            session = _create(_tiny_model(), _options(1), "cuda", "the test model")
            if "CUDAExecutionProvider" not in session.get_providers():
                return "ONNX Runtime cannot load its CUDA libraries (CUDA, cuDNN)"
            Session(session, "the test model").run({"x": np.ones((1, 1, 4, 4), np.float32)})
    except (RunError, OSError) as error:
        return one_line(str(error), 160)
    return None


def _tiny_model() -> bytes:
    """One convolution: the least that shows whether cuDNN works."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 2, 2])],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 3, 3], [1.0] * 9)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what native code writes to stderr, and Python code prints, away from the user.

    Loading providers writes there from C++, before and below any log level.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        try:
            kept = os.dup(2)
        except OSError:  # there is no stderr to keep quiet
            yield
            return
        stack.callback(os.close, kept)
        stack.callback(os.dup2, kept, 2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        os.dup2(nowhere, 2)
        yield


def _reason(error: Exception) -> str:
    """ONNX Runtime's message without its own source paths and error codes, in one safe line."""
    text = str(error)
    missing = re.search(r"([\w.:-]{1,120})\(-?\d+\) is not a registered function/op", text)
    if missing:
        return (
            f"it needs the operator {printable(missing[1])}, which ONNX Runtime does not have "
            "(libraries of custom operators are not loaded)"
        )
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = re.sub(r"Load model from .{0,4096}? failed:\s*", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r"/onnxruntime_src/\S+:\d+ [^\n]{0,600}\)(?: const)? (?=\S)", "", text)
    text = re.sub(r"Non-zero status code returned while running ", "", text)
    return one_line(text).rstrip(".") or type(error).__name__

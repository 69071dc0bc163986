"""The only user of onnx's checker, which prints to stdout what nobody asked for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import onnx
from onnx import ModelProto

from onnxpad.text import one_line


def fault(model: ModelProto | Path) -> str:
    """What onnx's checker finds wrong with a model, in one line; "" if nothing.

    Args:
        model: a path checks external data too, and models of any size.
    """
    try:
        with _stdout_to_stderr():
            onnx.checker.check_model(model if isinstance(model, ModelProto) else str(model))
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        return one_line(str(error)) or type(error).__name__
    return ""


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Let native code that prints to stdout print to stderr: stdout may carry JSON."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is no stdout
        yield
        return
    try:
        with suppress(OSError):  # there is no stderr
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)

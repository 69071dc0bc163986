"""The formats of reports: name → function from a result to text, loaded when it is called."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison
    from onnxpad.report.batch import Batch
    from onnxpad.report.rewriting import Summary

    Result = Comparison | Summary | Batch


def _json(result: "Result") -> str:
    from onnxpad.report import batch, json, rewriting

    if isinstance(result, rewriting.Summary):
        return rewriting.as_json(result)
    return batch.as_json(result) if isinstance(result, batch.Batch) else json.dumps(result)


def _markdown(result: "Result") -> str:
    from onnxpad.report import markdown

    return markdown.dumps(result)


def _html(result: "Result") -> str:
    from onnxpad.report import html

    return html.dumps(result)


FORMATS: dict[str, Callable[["Result"], str]] = {"json": _json, "md": _markdown, "html": _html}

"""The formats of studies: name → function from a study to text, loaded when it is called."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxpad.study import Study


def _json(study: "Study") -> str:
    from onnxpad.report import study_json

    return study_json.dumps(study)


def _markdown(study: "Study") -> str:
    from onnxpad.report import study_markdown

    return study_markdown.dumps(study)


def _html(study: "Study") -> str:
    from onnxpad.report import study_html

    return study_html.dumps(study)


FORMATS: dict[str, Callable[["Study"], str]] = {"json": _json, "md": _markdown, "html": _html}


def _all_json(studies: "Sequence[Study]") -> str:
    from onnxpad.report import study_json

    return study_json.dumps_all(studies)


def _all_markdown(studies: "Sequence[Study]") -> str:
    from onnxpad.report import study_markdown

    return study_markdown.dumps_all(studies)


def _all_html(studies: "Sequence[Study]") -> str:
    from onnxpad.report import study_html

    return study_html.dumps_all(studies)


OF_SEVERAL: dict[str, Callable[["Sequence[Study]"], str]] = {
    "json": _all_json,
    "md": _all_markdown,
    "html": _all_html,
}

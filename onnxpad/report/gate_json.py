"""A gate as JSON, for other programs."""

import json
from typing import Any

from onnxpad.gating import Gate, Gated
from onnxpad.report.json import judged_as_dict, plain

SCHEMA = "onnxpad.gate/1"


def dumps(gate: Gate) -> str:
    """The gate as text: ASCII only; ends in a newline. What is not finite is null."""
    document = {
        "schema": SCHEMA,
        "exit_code": gate.exit_code,
        "strict": gate.strict,
        "files": [
            {
                "file": file.path,
                "error": file.error or None,
                "exit_code": file.exit_code,
                "results": [_result(gate, result) for result in file.results],
            }
            for file in gate.files
        ],
    }
    return json.dumps(plain(document), indent=2, allow_nan=False) + "\n"


def _result(gate: Gate, result: Gated) -> dict[str, Any]:
    saved = result.result
    return {
        "result": saved.title,
        "model": saved.model,
        "kind": saved.kind.rpartition(" ")[2],
        "outcome": result.weight,
        "reason": saved.failed or None,
        "budget": [
            judged_as_dict(one) | {"weight": one.weight, "fails": gate.fails(one)}
            for one in result.judged
        ],
    }

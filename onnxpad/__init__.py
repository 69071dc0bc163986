"""onnxpad: see, change and measure the padding of CNNs in ONNX.

The names below are loaded when they are first used, so that ``import onnxpad`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxpad.auditing_all import audit as audit
    from onnxpad.calibration import calibrate as calibrate
    from onnxpad.comparing import compare as compare
    from onnxpad.comparison import Comparison as Comparison
    from onnxpad.errors import OnnxpadError as OnnxpadError
    from onnxpad.findings import Audit as Audit
    from onnxpad.plan import Plan as Plan
    from onnxpad.plan_file import read_plan as read_plan
    from onnxpad.records import PaddingSite as PaddingSite
    from onnxpad.rewriting import RewriteResult as RewriteResult
    from onnxpad.rewriting import rewrite as rewrite
    from onnxpad.sites import find_sites as find_sites

_HOMES = {
    "Audit": "findings",
    "Comparison": "comparison",
    "OnnxpadError": "errors",
    "PaddingSite": "records",
    "Plan": "plan",
    "RewriteResult": "rewriting",
    "audit": "auditing_all",
    "calibrate": "calibration",
    "compare": "comparing",
    "find_sites": "sites",
    "read_plan": "plan_file",
    "rewrite": "rewriting",
}

__all__ = [
    "Audit",
    "Comparison",
    "OnnxpadError",
    "PaddingSite",
    "Plan",
    "RewriteResult",
    "audit",
    "calibrate",
    "compare",
    "find_sites",
    "read_plan",
    "rewrite",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that owns it.

    Raises:
        AttributeError: no such public name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'onnxpad' has no attribute {name!r}")
    value = getattr(import_module(f"onnxpad.{_HOMES[name]}"), name)
    globals()[name] = value
    return value

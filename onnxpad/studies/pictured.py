"""Whether a model is fed pictures: studies of what the inside of pictures does need some."""

from onnxpad.data.plan import InputPlan
from onnxpad.joining.opening import Opened
from onnxpad.studies.each import DoesNotApplyError
from onnxpad.text import printable


def pictured(opened: Opened) -> InputPlan:
    """The one input that takes pictures or volumes.

    Raises DoesNotApplyError, with the reason, for signals, for several pictures, and for none.
    """
    scenes = [plan for plan in opened.filled if plan.role == "scene"]
    others = [plan for plan in opened.filled if plan.role == "signal"]
    told = ", ".join(
        f"{printable(p.info.name, 40)} ({'×'.join(map(str, p.shape))})" for p in opened.filled
    )
    if others and not scenes:
        raise DoesNotApplyError(f"its input is a signal, such as sound, and no picture: {told}")
    if not scenes:
        raise DoesNotApplyError(f"none of its inputs has two or more spatial axes: {told}")
    if len(scenes) + len(others) > 1:
        raise DoesNotApplyError(f"it takes several pictures or signals at once: {told}")
    assert scenes[0].layout is not None
    return scenes[0]

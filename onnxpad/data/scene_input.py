"""The one input of a model that takes pictures, and the size asked for it."""

from collections.abc import Mapping

from onnxpad.data.framing import Size
from onnxpad.data.plan import InputPlan, plans
from onnxpad.data.sample import Plans
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo
from onnxpad.text import printable

_CHANNELS = (1, 3, 4)


def picture_input(filled: Plans) -> InputPlan:
    """The one input that takes pictures. Raises DataError."""
    scenes = [p for p in filled if p.role == "scene"]
    others = [p for p in filled if p.role == "signal"]
    told = ", ".join(f"{printable(p.info.name)} {p.shape}" for p in filled)
    if len(scenes) != 1 or others or scenes[0].layout is None:
        raise _no_pictures(told)
    plan, layout = scenes[0], scenes[0].layout
    if len(layout.spatial) != 2:
        raise _no_pictures(told)
    channels = 1 if layout.channel is None else plan.shape[layout.channel]
    if channels not in _CHANNELS:
        raise DataError(
            f"input {printable(plan.info.name)} takes {channels} channels, "
            "images have 1, 3 or 4; give the samples as .npy or .npz"
        )
    return plan


def _no_pictures(told: str) -> DataError:
    return DataError(
        f"images fit a model with one image input, this one takes {told}; "
        "give the samples as .npy or .npz"
    )


def asked_size(inputs: tuple[TensorInfo, ...], size: Size | None) -> Mapping[str, tuple[int, ...]]:
    """The shape of the picture input with the size asked for, by its name; {} without one.

    Raises DataError where the model has no such input, or another fixed size.
    """
    if size is None:
        return {}
    plan = picture_input(next(plans(inputs)))
    assert plan.layout is not None
    shape = list(plan.shape)
    for axis, wanted in zip(plan.layout.spatial, size, strict=True):
        declared = plan.info.shape[axis]
        if isinstance(declared, int) and declared != wanted:
            told = "×".join(str(plan.info.shape[a]) for a in plan.layout.spatial)
            raise DataError(
                f"size {size[0]}×{size[1]}: input {printable(plan.info.name)} is fixed to "
                f"{printable(told)} (height × width)"
            )
        shape[axis] = wanted
    return {plan.info.name: tuple(shape)}

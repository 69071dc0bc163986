"""Live PyTorch exports, rewritten, equal PyTorch with its padding switched."""

import pytest

from tests.frameworks.harness import check_truth, distance, framework, rewritten, run

torch = framework("torch")
pytestmark = pytest.mark.torch

from tests.frameworks.nets import CASES, MORE, Case  # noqa: E402 (torch has to be there first)
from tests.frameworks.torch_export import export  # noqa: E402
from tests.frameworks.torch_truth import outputs, settle, truth  # noqa: E402

torch.set_num_threads(1)

# exporter, opset, whether spatial sizes are free
CONFIGURATIONS = (
    ("torchscript", 9, False),
    ("torchscript", 11, True),
    ("torchscript", 13, False),
    ("torchscript", 17, True),
    ("torchscript", 20, False),
    ("dynamo", 18, False),
    ("dynamo", 18, True),
    ("dynamo", 21, True),
)
FEWER = (
    ("torchscript", 13, False),
    ("torchscript", 17, True),
    ("dynamo", 18, False),
    ("dynamo", 18, True),
)


def _applies(case: Case, exporter: str, opset: int, free: bool) -> bool:
    if exporter not in case.exporters or (free and not case.other):
        return False
    return exporter == "dynamo" or opset >= case.oldest


PARAMETERS = [
    pytest.param(case, *how, id=f"{case.name}-{how[0]}{how[1]}-{'free' if how[2] else 'fixed'}")
    for cases, configurations in ((CASES, CONFIGURATIONS), (MORE, FEWER))
    for case in cases
    for how in configurations
    if _applies(case, *how)
]


@pytest.mark.parametrize(("case", "exporter", "opset", "free"), PARAMETERS)
def test_rewritten_export_equals_switched_module(
    case: Case, exporter: str, opset: int, free: bool
) -> None:
    example = _input(case.shape)
    net = settle(case.make(), example)
    model = export(net, example, exporter=exporter, opset=opset, free=free)
    inputs = [example, _input(case.other)] if free else [example]
    owns = [outputs(net, x) for x in inputs]
    bases = [0.0] * len(inputs)
    if exporter not in case.unrunnable:
        bases = [
            distance(run(model, {"x": x.numpy()}), own) for x, own in zip(inputs, owns, strict=True)
        ]
        assert max(bases) <= 1e-3, "the export itself is not what PyTorch computes"
    for mode in case.modes:
        candidate, result = rewritten(model, mode, allow_noncausal=case.noncausal)
        assert not result.refused
        for x, own, base in zip(inputs, owns, bases, strict=True):
            wanted = truth(net, x, mode, pads=case.pads)
            check_truth(candidate, {"x": x.numpy()}, own, wanted, base=base)


def _input(shape: tuple[int, ...]) -> "torch.Tensor":
    """Noise away from zero, so that zeros outside the border are seen."""
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(shape, generator=generator) + 1.5

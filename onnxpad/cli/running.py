"""From the flags of a command to the request of a comparison, one for each model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxpad.comparison import Comparison
    from onnxpad.config.settings import Config, Settings
    from onnxpad.joining.request import Request


@dataclass(frozen=True, slots=True)
class Flags:
    """What was given on the command line; None where a flag was not.

    Attributes:
        given: by the key of the setting.
        tile, overlap, halo: have no place in a configuration file.
    """

    given: Mapping[str, Any]
    config: "Config"
    tile: int | None
    overlap: int
    halo: int | None = None

    @classmethod
    def read(
        cls, config: Path | None, tile: int | None, overlap: int, *, halo: int | None = None,
        **given: Any,
    ) -> "Flags":  # fmt: skip
        """The flags, and the configuration file they name or else the nearest one.

        Raises UsageError.
        """
        from onnxpad.config.files import find_config, load_config

        found = config if config is not None else find_config(Path.cwd())
        # a switch that was not given must not win over a file
        kept = {key: value for key, value in given.items() if value is not False}
        return cls(kept, load_config(found), tile, overlap, halo)

    def settings(self, model: Path) -> "Settings":
        """What is in force for a model. Raises UsageError."""
        from onnxpad.config.settings import settings_for

        return settings_for(model, self.config, self.given)

    def request(self, model: Path) -> "Request":
        """The request for a model and its counterpart. Raises UsageError."""
        from onnxpad.joining.request import Request

        return Request.of(self.settings(model), self.tile, self.overlap, self.halo)


def missed(comparison: "Comparison", request: "Request") -> bool:
    """Whether the budget, if there was one, is missed."""
    from onnxpad import budget

    return budget.missed(comparison.judged, strict=request.strict)

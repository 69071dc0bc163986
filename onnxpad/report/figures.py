"""Numbers as reports write them."""

from math import isfinite

from onnxpad.text import count as count  # noqa: PLC0414  # renderers find it here

NONE = "–"


def shape(sizes: tuple[int, ...]) -> str:
    """1×3×224×224."""
    return "×".join(map(str, sizes)) or "scalar"


def number(value: float | None) -> str:
    """Two digits that count."""
    if value is None:
        return NONE
    if not isfinite(value):
        return "NaN" if value != value else f"{value:+}".replace("inf", "∞")
    return f"{value:.2g}" if value else "0"


def brief(value: float) -> str:
    """At most five characters: 0.38, 0.012, 5e-05."""
    shown = number(value)
    return shown if len(shown) <= 5 else f"{value:.1g}"


def percent(share: float | None) -> str:
    """Two digits that count: 41%, 3.2%, 0.04%; 4e-05 below that; – where there is no share."""
    if share is None or not isfinite(share):
        return NONE
    if share == 0:
        return "0"
    value = 100 * share
    if abs(value) < 0.01:
        return f"{share:.0e}"
    return f"{value:.2g}%" if abs(value) < 99.5 else f"{value:.0f}%"


def plain(value: float | None, unit: str = "") -> str:
    """A metric: three decimals of a share, two of dB."""
    if value is None or not isfinite(value):
        return NONE if value is None else number(value)
    return f"{value:.2f}" if unit == "dB" else f"{value:.3f}"


def signed(value: float | None, unit: str = "") -> str:
    """A delta, with its sign; 0 where nothing changed."""
    if value is None or not isfinite(value):
        return plain(value, unit)
    text = f"{value:+.2f}" if unit == "dB" else f"{value:+.3f}"
    return "0" if value == 0 else text.replace("-", "−")


def interval(low: float | None, high: float | None, unit: str = "", *, sign: bool = False) -> str:
    """[low, high], – where there is none."""
    if low is None or high is None:
        return NONE
    show = signed if sign else plain
    return f"[{show(low, unit)}, {show(high, unit)}]"


def times(ratio: float | None) -> str:
    """A ratio: ×2.10."""
    if ratio is None or not isfinite(ratio):
        return NONE
    return f"×{ratio:.2f}" if ratio >= 0.1 or ratio == 0 else f"×{ratio:.2g}"


def times_interval(low: float | None, high: float | None) -> str:
    """[1.80, 2.40] of a ratio; nothing where there is none."""
    return "" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"


def p_value(p: float) -> str:
    """A p that is not a false zero."""
    return f"{p:.2g}" if p >= 1e-4 else "< 0.0001"


def pixels(value: float) -> str:
    """Pixels without needless decimals."""
    return f"{value:g}" if value < 1000 else f"{value:.0f}"

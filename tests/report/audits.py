"""Audits made by hand, as the rules would make them, for tests of reports."""

from dataclasses import replace

from onnxpad.findings import (
    Audit,
    Confidence,
    Finding,
    Location,
    Measurement,
    ModelAudit,
    RuleInfo,
    Severity,
)

# Not the registry's: a golden report must not change with the text of a rule.
UNEVEN = RuleInfo(
    "PAD101",
    "uneven-padding",
    "A strided window op uses more padding on one side than on the other.",
    Severity.WARNING,
    Confidence.HIGH,
    "Strided window ops whose last window ends before the padding does,\nso that part of it is "
    "never read.",
    "The map is shifted, layer by layer.\n\nBlind strips appear:\n\n- right\n- bottom",
    "A convolution of 3×3/2 with pads 1+1 at 224×224.",
    "Feed the nearest even size, which `onnxpad study sizes` lists,\nor export with other padding.",
)
DEEP = RuleInfo(
    "PAD301",
    "deep-zero-border",
    "Zeros that padding invents reach most of the last map.",
    Severity.NOTE,
    Confidence.MEDIUM,
    "The share of positions in the last map that padding reaches.",
    "Such positions see invented pixels.",
    "A net of 20 convolutions at 64×64.",
    "Compare with edge padding.",
)
CANNOT = RuleInfo(
    "PAD402",
    "impossible-padding",
    "A padding mode that cannot run at this size or opset.",
    Severity.ERROR,
    Confidence.HIGH,
    "Reflection of more pixels than there are.",
    "The model fails when it runs.",
    "Reflect by 4 on a map of 3.",
    "Use a larger input, or symmetric padding.",
)
RULES = (UNEVEN, DEEP, CANNOT)


def finding(
    rule: RuleInfo,
    message: str,
    *places: Location,
    advice: str = "",
    facts: dict[str, float | int | str] | None = None,
) -> Finding:
    first, *others = places or (Location(),)
    return Finding(
        rule.code, rule.name, rule.severity, rule.confidence, message, first, tuple(others),
        facts or {}, advice,
    )  # fmt: skip


def uneven(sites: int = 5) -> Finding:
    places = [
        Location(f"/layer{n}/layer{n}.0/conv1/Conv", "Conv", "pads 1+1, uses 1+0 (begin+end)")
        for n in range(1, sites + 1)
    ]
    return finding(
        UNEVEN,
        f"{sites} of {sites} strided window ops leave padding at the right and bottom unread at "
        "224×224; every one is even at 225×225",
        *places,
        advice="Feed 225×225 instead of 224×224.",
        facts={"sites": sites, "strided": 5, "nearest_even": "225×225", "share": 0.25},
    )


def deep() -> Finding:
    return finding(DEEP, "padding reaches 100% of the last map (49 of 49 positions)")


def impossible() -> Finding:
    return finding(
        CANNOT,
        "1 Pad reflects 4 px of a map of 3 px",
        Location("decoder/Pad_12", "Pad", "reflect 4+4 on 3"),
    )


def whole() -> Audit:
    """Every kind of model: an error, warnings, a measured note, clean ones, a broken one."""
    return Audit(
        (
            ModelAudit("models/broken.onnx", error="models/broken.onnx: this is no ONNX model: "
                       "the file is cut off after 12 bytes", exit_code=3),
            ModelAudit("models/decoder.onnx", (impossible(), deep()), 8, 12, (64, 64)),
            ModelAudit(
                "models/deep/espcn.onnx", (replace(deep(), measured=True),), 4, 4, None,
                suppressed=2,
                measured=(
                    Measurement("constant_response", 0.5, 0.5, 0.5, "on a constant image"),
                    Measurement("context_ne", 0.12, 0.1, 0.15, ""),
                    Measurement("line_artifacts", None, None, None, "no interior"),
                ),
            ),
            ModelAudit("models/pnet.onnx", (), 0, 4, (12, 12)),
            ModelAudit("models/resnet18.onnx", (uneven(), deep()), 20, 21, (224, 224)),
            ModelAudit("models/rnet.onnx", (), 0, 5, (24, 24)),
        ),
        RULES,
    )  # fmt: skip


def clean() -> Audit:
    return Audit((ModelAudit("models/pnet.onnx", (), 0, 4, (12, 12)),), RULES)


def empty() -> Audit:
    return Audit(())


def hostile(evil: str) -> Audit:
    """The same text wherever a model, a file or a message may bring one in."""
    place = Location(f"{evil}/{evil}", evil, evil)
    bad = finding(UNEVEN, f"about {evil}", place, place, advice=evil, facts={evil: evil})
    measured = (Measurement("context_ne", float("inf"), None, None, evil),)
    return Audit(
        (
            ModelAudit(evil, (bad,), 1, 1, measured=measured),
            ModelAudit(f"{evil}2", error=evil, exit_code=3),
            ModelAudit(f"{evil}3"),
        ),
        RULES,
        fail_on=Severity.WARNING,
        baseline=evil,
    )

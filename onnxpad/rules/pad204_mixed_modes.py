"""The convolutions of one model are padded in several modes.

What it finds
-------------
Models whose convolutions read borders of more than one mode, such as 16 zero and 1 reflect, with
their numbers; the sites of the rarer modes are listed. Pools are not counted: their own padding
is neutral.

Why it matters
--------------
Often it is deliberate (a style-transfer net reflects its input and pads zeros further in, a
spectrogram reflects its samples), and often a layer that was forgotten: the modes' artifacts add
up, and one layer of zeros is enough to bring back what the others avoid.

Example
-------
A ResNet generator with ReflectionPad2d in its first and last layer and padding=1 in its blocks.

What to do
----------
Look at whether the listed sites are meant. `onnxpad rewrite --from MODE --mode OTHER` changes one
mode, `--only GLOB` one site, and the comparison it prints says what that does.
"""

from collections import Counter
from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """One finding, with the sites of all modes but the commonest."""
    sites = [site for site in subject.survey.sites if site.conv]
    counts = Counter(str(site.mode) for site in sites)
    if len(counts) < 2:
        return
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    common = ordered[0][0]
    places = [
        Location(site.identity, site.op, str(site.mode))
        for site in sites
        if str(site.mode) != common
    ]
    *listed, last = (f"{number} {mode}" for mode, number in ordered)
    message = f"convolutions are padded in {len(counts)} modes: {', '.join(listed)} and {last}"
    yield RULE.finding(message, places, dict(ordered))


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)

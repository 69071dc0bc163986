"""A 1-D convolution is padded at its begin alone, so that it reads only the past.

What it finds
-------------
Convolutions along one axis with d (k - 1) padded elements at the begin and none at the end, as
WaveNet-like and streaming models have, with the sites under one finding.

Why it matters
--------------
The model may rely on never reading ahead: it may be run sample by sample. Modes that mirror or
wrap would fill the begin with samples from the future.

Example
-------
A Conv with kernel 3, dilation 4 and pads [8, 0] on a waveform.

What to do
----------
Nothing is wrong with it. `onnxpad rewrite` refuses modes that read ahead at these sites unless
--allow-noncausal is given; zero, edge and constant keep them causal.
"""

from collections.abc import Iterator

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.modes import KINDS
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.text import count


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all causal sites."""
    sites = [site for site in subject.survey.sites if site.causal]
    if not sites:
        return
    places = [
        Location(
            site.identity, site.op, "pads " + ", ".join(f"{a.begin}+{a.end}" for a in site.axes)
        )
        for site in sites
    ]
    ahead = [kind.name for kind in KINDS if kind.reads_far]
    message = (
        f"causal padding (begin only, the whole receptive field) at {count(len(sites), 'site')}: "
        f"{', '.join(ahead)} would read the future there"
    )
    yield RULE.finding(message, places, {"sites": len(sites)})


RULE = rule(__name__, Severity.NOTE, Confidence.HIGH, check)

"""The rules of an audit, one file each; the file's stem is the rule's code and name.

To add one: write ``padNNN_some_name.py`` with a docstring in the sections of ``rule.SECTIONS`` and
``RULE = rule(__name__, severity, confidence, check)``, enter it below, and give it a test in
``tests/rules`` with a model where it fires and several where it must not.
"""

from onnxpad.rules import pad102_one_sided_padding
from onnxpad.rules.rule import Rule

RULES: tuple[Rule, ...] = (pad102_one_sided_padding.RULE,)

"""The rules of an audit, one file each; the file's stem is the rule's code and name.

To add one: write ``padNNN_some_name.py`` with a docstring in the sections of ``rule.SECTIONS`` and
``RULE = rule(__name__, severity, confidence, check)``, enter it below, and give it a test in
``tests/rules`` with a model where it fires and several where it must not.
"""

from onnxpad.rules import (
    pad101_uneven_padding,
    pad102_one_sided_padding,
    pad103_size_dependent_auto_pad,
    pad104_padding_exceeds_map,
    pad110_even_sizes,
    pad201_zero_not_neutral,
    pad202_quantised_fill,
    pad203_counted_average_pool,
    pad204_mixed_modes,
    pad205_zero_pad_lost_in_maxpool,
    pad301_deep_zero_border,
    pad401_pad_blocks_fusion,
    pad402_impossible_padding,
    pad403_causal_padding,
    pad411_target_cuda,
    pad412_target_tensorrt,
    pad413_target_openvino,
    pad414_target_coreml,
    pad501_checkerboard_upsampling,
    pad502_checkerboard_downsampling,
    pad503_global_operators,
    pad504_asymmetric_kernels,
    pad901_constant_response,
    pad902_line_artifacts,
    pad903_context_error,
)
from onnxpad.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    pad101_uneven_padding.RULE,
    pad102_one_sided_padding.RULE,
    pad103_size_dependent_auto_pad.RULE,
    pad104_padding_exceeds_map.RULE,
    pad110_even_sizes.RULE,
    pad201_zero_not_neutral.RULE,
    pad202_quantised_fill.RULE,
    pad203_counted_average_pool.RULE,
    pad204_mixed_modes.RULE,
    pad205_zero_pad_lost_in_maxpool.RULE,
    pad301_deep_zero_border.RULE,
    pad401_pad_blocks_fusion.RULE,
    pad402_impossible_padding.RULE,
    pad403_causal_padding.RULE,
    pad411_target_cuda.RULE,
    pad412_target_tensorrt.RULE,
    pad413_target_openvino.RULE,
    pad414_target_coreml.RULE,
    pad501_checkerboard_upsampling.RULE,
    pad502_checkerboard_downsampling.RULE,
    pad503_global_operators.RULE,
    pad504_asymmetric_kernels.RULE,
    pad901_constant_response.RULE,
    pad902_line_artifacts.RULE,
    pad903_context_error.RULE,
)

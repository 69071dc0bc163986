"""The studies: what "Mind the Pad" (arXiv 2010.02178) and its relatives show, for any model.

Each module holds one public function of its own name:

    from onnxpad.studies.foveation import foveation
    study = foveation(["resnet18.onnx", "resnet18.reflect.onnx"])

It takes models, shows them beside each other and returns an ``onnxpad.study.Study``. Where a study
does not apply to a model it says why, and goes on with the others.
"""

"""Settings: where each comes from, and which one wins.

A file named onnxpad.toml, or the table [tool.onnxpad] of a pyproject.toml, found upwards from a
folder. Keys at the top serve all models; each `[[models]]` entry serves those that `match`:

    seed = 1
    provider = "cpu"

    [[models]]
    match = "classifiers/*.onnx"        # or a list; without a slash the file's name is matched
    data = "images/val"
    labels = "csv=images/val.csv"
    preprocess = "imagenet"
    budget = "agreement>=0.98"

Paths are those of the file's folder. Where several entries match, the later one wins, key by key.
A flag wins over the environment (ONNXPAD_DATA and so on), that over an entry, that over the top.
"""

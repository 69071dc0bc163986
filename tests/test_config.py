from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from onnxpad.config.files import find_config, load_config
from onnxpad.config.settings import Config, Setting, Settings, settings_for
from onnxpad.config.values import parse_size
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.preprocess import PRESETS
from onnxpad.errors import UsageError

TEXT = """
seed = 3
provider = "cpu"
data = "images"

[[models]]
match = "nets/*.onnx"
preprocess = "imagenet"
labels = "csv=images/labels.csv"
budget = "agreement>=0.98"
size = "224x256"

[[models]]
match = ["b.onnx", "c.onnx"]
seed = 4
data = "mine:samples"
class_offset = 1
peak = 255.0
"""


def config(folder: Path, text: str = TEXT, name: str = "onnxpad.toml") -> Config:
    (folder / name).write_text(text, "utf-8")
    return load_config(folder / name)


def settings(folder: Path, model: str = "nets/a.onnx", text: str = TEXT, **more: Any) -> Settings:
    return settings_for(folder / model, config(folder, text), environment={}, **more)


# where the file is


def test_the_nearest_file_upwards(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.onnxpad]\nseed = 1\n")
    assert find_config(deep) == tmp_path / "pyproject.toml"
    (deep / "pyproject.toml").write_text("[tool.other]\n")
    assert find_config(deep) == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "onnxpad.toml").write_text("")
    assert find_config(deep) == tmp_path / "a" / "onnxpad.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.onnxpad]\n")
    assert find_config(deep) == tmp_path / "a" / "onnxpad.toml"


def test_no_file_gives_defaults(tmp_path: Path) -> None:
    found = settings_for(tmp_path / "a.onnx", load_config(None), environment={})
    assert found == Settings()
    assert all(getattr(found, f.name).origin == "default" for f in fields(found))


def test_the_table_of_a_pyproject(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.onnxpad]\nseed = 9\n[[tool.onnxpad.models]]\nmatch = "*"\n'
    found = settings_for(tmp_path / "a.onnx", config(tmp_path, text, "pyproject.toml"))
    assert found.seed == Setting(9, "pyproject.toml")


# what wins


def test_entries_serve_the_models_they_match(tmp_path: Path) -> None:
    found = settings(tmp_path)
    first = "onnxpad.toml [[models]] 1 (nets/*.onnx)"
    assert found.preprocess == Setting(PRESETS["imagenet"], first)
    assert found.labels == Setting(LabelSpec("csv", tmp_path / "images/labels.csv"), first)
    assert found.budget.value == "agreement>=0.98"
    assert found.size.value == (224, 256)
    assert found.data == Setting(str(tmp_path / "images"), "onnxpad.toml")
    assert (found.seed.value, found.class_offset.value, found.peak.value) == (3, None, None)


def test_a_name_without_a_slash_is_matched_anywhere_and_later_entries_win(tmp_path: Path) -> None:
    found = settings(tmp_path, "nets/b.onnx")
    assert found.seed == Setting(4, "onnxpad.toml [[models]] 2 (b.onnx, c.onnx)")
    assert found.data.value == "mine:samples"
    assert found.preprocess.value is PRESETS["imagenet"]
    assert (found.class_offset.value, found.peak.value) == (1, 255)
    other = settings(tmp_path, "other/a.onnx")
    assert other.preprocess == Setting(None)


def test_models_beside_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    text = '[[models]]\nmatch = "../nets/*"\nseed = 8\n'
    found = settings_for(tmp_path / "nets" / "a.onnx", config(tmp_path / "conf", text))
    assert found.seed.value == 8


def test_environment_and_flags_win(tmp_path: Path) -> None:
    environment = {
        "ONNXPAD_SEED": "5",
        "ONNXPAD_PREPROCESS": "tf",
        "ONNXPAD_STRICT": "yes",
        "ONNXPAD_DATA": "elsewhere",
        "ONNXPAD_LABELS": "folders",
        "ONNXPAD_THREADS": "",
        "ONNXPAD_ZOO": "not ours",
    }
    flags = {"preprocess": "unit", "class_offset": 0, "samples": None, "data": Path("here")}
    found = settings_for(tmp_path / "nets/a.onnx", config(tmp_path), flags, environment)
    assert found.seed == Setting(5, "environment ONNXPAD_SEED")
    assert found.preprocess == Setting(PRESETS["unit"], "flag --preprocess")
    assert found.class_offset == Setting(0, "flag --class-offset")
    assert found.strict == Setting(value=True, origin="environment ONNXPAD_STRICT")
    assert found.labels.value == LabelSpec("folders")
    assert found.data == Setting("here", "flag --data")
    assert (found.samples.origin, found.threads.origin) == ("default", "default")


def test_every_key_can_be_given_everywhere(tmp_path: Path) -> None:
    given = {
        "data": "images",
        "labels": "folders",
        "preprocess": "raw",
        "size": "3x4",
        "task": "detection",
        "output": "scores",
        "decoder": "yolox",
        "class_offset": -1,
        "classes": 21,
        "peak": 2.5,
        "score": 0.25,
        "budget": "delta<=0.01",
        "samples": 7,
        "seed": 8,
        "provider": "cpu",
        "threads": 2,
        "strict": True,
    }
    assert list(given) == [f.name for f in fields(Settings)]
    lines = [
        f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in given.items()
    ]
    top = settings(tmp_path, text="\n".join(lines))
    entry = settings(tmp_path, text='[[models]]\nmatch = "*"\n' + "\n".join(lines))
    texts = {f"ONNXPAD_{k.upper()}": str(v) for k, v in given.items()}
    outside = settings_for(tmp_path / "a.onnx", Config(), environment=texts)
    for name in given:
        value = getattr(top, name).value
        assert value is not None
        assert getattr(entry, name).value == value
        if name != "data":  # a path of the current folder there
            assert getattr(outside, name).value == value


# what is refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", r"onnxpad.toml: x is not known; expected one of data, labels, .*, models"),
        ("sed = 1", r"onnxpad.toml: sed is not known; did you mean seed\?"),
        (
            "[[models]]\nmatch='*'\nx=1",
            r"models\[1\].x is not known; expected one of .*match",
        ),
        ("[audit]\nfail-on = 'note'", r"audit.fail-on is not known; did you mean fail_on\?"),
        ("[audit]\nx = 1", r"audit.x is not known; expected one of select, .*, baseline, jobs"),
        ("[audit]\nfail_on = 'all'", r"audit.fail_on: Input should be 'error', .*, found 'all'"),
        ("[audit]\ntarget = ['cpu']", r"audit.target\[1\]: Input should be 'cuda', .*'coreml'"),
        ("[audit]\nselect = 'PAD1'", r"audit.select: Input should be a valid list, found 'PAD1'"),
        ("[audit]\njobs = 0", r"audit.jobs: Input should be greater than or equal to 1"),
        (
            "[[models]]\nmatch='*'\n[models.audit]\njobs=2",
            r"models\[1\].audit.jobs is not known; expected one of select, .*, per_node_ignores$",
        ),
        ("[[models]]\nseed=1", r"models\[1\].match.*Field required"),
        ("[[models]]\nmatch=''", r"\[\[models\]\] 1: match is empty"),
        ("[[models]]\nmatch=[]", r"\[\[models\]\] 1: match is empty"),
        ("seed = '1'", r"onnxpad.toml: seed: Input should be a valid integer, found '1'"),
        ("seed = true", r"seed: Input should be a valid integer, found True"),
        ("seed = -1", "seed: Input should be greater than or equal to 0, found -1"),
        ("samples = 0", "samples: Input should be greater than or equal to 1"),
        ("peak = nan", "peak: "),
        ("models = 3", r"models: Input should be a valid list, found 3"),
        ("preprocess = 'imagenett'", r"onnxpad.toml: preprocess: .*'imagenett' is not known"),
        ("labels = 'x'", r"onnxpad.toml: labels: labels 'x': expected folders"),
        ("size = '3'", r"onnxpad.toml: size: size '3': expected height x width"),
        (
            "[[models]]\nmatch='*'\nsize='0x3'",
            r"onnxpad.toml \[\[models\]\] 1: size: .* each 1 to 16384",
        ),
        ("seed = ", r"onnxpad.toml: this is no TOML: Invalid value .at .*"),
        ("x = " + "[" * 5000, r"onnxpad.toml: this is no TOML"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        config(tmp_path, text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone.toml: cannot be read: No such file"):
        load_config(tmp_path / "gone.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"x.toml: this is no TOML"):
        load_config(tmp_path / "x.toml")
    (tmp_path / "x.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(UsageError, match=r"x.toml: larger than 1 MiB"):
        load_config(tmp_path / "x.toml")
    (tmp_path / "pyproject.toml").write_text("[tool]\nonnxpad = 3")
    with pytest.raises(UsageError, match=r"pyproject.toml: Input should be a valid dictionary"):
        load_config(tmp_path / "pyproject.toml")
    (tmp_path / "pyproject.toml").write_text("tool = 3")
    assert load_config(tmp_path / "pyproject.toml").entries[0].values == {}


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("seed", "x", "environment ONNXPAD_SEED: expected a whole number, found 'x'"),
        ("seed", "-1", "expected a whole number of at least 0, found '-1'"),
        ("threads", "0", "expected a whole number of at least 1"),
        ("threads", "1" * 5000, "expected a whole number"),
        ("peak", "0", "environment ONNXPAD_PEAK: expected a number above 0, found '0'"),
        ("strict", "maybe", "environment ONNXPAD_STRICT: expected true or false"),
        ("preprocess", "x", "environment ONNXPAD_PREPROCESS: preprocess 'x': "),
        ("size", "1x", "environment ONNXPAD_SIZE: size '1x': expected height x width"),
    ],
)
def test_bad_environment(key: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        settings_for(Path("a.onnx"), Config(), environment={f"ONNXPAD_{key.upper()}": text})


def test_bad_flags_are_named() -> None:
    with pytest.raises(UsageError, match="flag --preprocess: preprocess 'x'"):
        settings_for(Path("a.onnx"), Config(), {"preprocess": "x"}, {})


def test_sizes() -> None:
    assert parse_size("512x896") == parse_size(" 512 × 896 ") == (512, 896)

"""A baseline passes what it accepted and nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxpad import baseline
from onnxpad.errors import UsageError, WriteError
from onnxpad.findings import Audit, Confidence, Finding, Location, ModelAudit, Severity


def finding(*places: str, code: str = "PAD101", severity: Severity = Severity.WARNING) -> Finding:
    first, *others = (Location(place, "Conv") for place in places or ("",))
    return Finding(
        code, "some-rule", severity, Confidence.HIGH, "said", first, tuple(others)
    )  # fmt: skip


def audit(*findings: Finding, model: str = "models/a.onnx") -> Audit:
    return Audit((ModelAudit(model, findings),))


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("baseline.json")


def accepted(old: Audit, new: Audit, path: Path) -> Audit:
    baseline.write(old, path)
    return baseline.apply(new, baseline.read(path))


def test_what_was_there_passes(inside: Path) -> None:
    old = audit(finding("a", "b"), finding(code="PAD301", severity=Severity.NOTE))
    assert baseline.write(old, inside) == 3
    left = baseline.apply(old, baseline.read(inside))
    assert left.models[0].findings == ()
    assert left.models[0].suppressed == 2
    assert left.baseline == "baseline.json"
    assert not replace(left, fail_on=Severity.NOTE).failed


def test_a_new_place_is_new_and_stands_alone(inside: Path) -> None:
    left = accepted(audit(finding("a", "b")), audit(finding("c", "b", "a", "d")), inside)
    (found,) = left.models[0].findings
    assert [place.identity for place in found.locations] == ["c", "d"]
    assert found.accepted == 2
    assert left.models[0].suppressed == 0


@pytest.mark.parametrize(
    "new",
    [
        audit(finding("a", code="PAD102")),
        audit(finding("a"), model="models/b.onnx"),
        audit(finding("b")),
        audit(finding("a", severity=Severity.ERROR)),
        audit(finding()),
    ],
    ids=["rule", "model", "node", "severity", "whole-model"],
)
def test_what_is_new(new: Audit, inside: Path) -> None:
    left = accepted(audit(finding("a")), new, inside)
    assert left.models == new.models


def test_what_is_not(inside: Path) -> None:
    old = audit(finding("a", "b", severity=Severity.ERROR))
    for new in (finding("a"), finding("b", "a"), finding("b", severity=Severity.NOTE)):
        assert accepted(old, audit(new), inside).models[0].findings == ()


@given(st.permutations(range(6)), st.permutations(range(3)))
def test_order_does_not_matter(places: list[int], models: list[int]) -> None:
    from tempfile import TemporaryDirectory

    def made(order: list[int], names: list[int]) -> Audit:
        found = (finding(*map(str, order)), finding("x", code="PAD205"))
        return Audit(tuple(ModelAudit(f"{n}.onnx", found) for n in names))

    with TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        baseline.write(made(list(range(6)), [0, 1, 2]), path)
        first = path.read_bytes()
        baseline.write(made(places, models), path)
        assert path.read_bytes() == first
        left = baseline.apply(made(places, models), baseline.read(path))
        assert all(model.findings == () for model in left.models)


def test_the_file_is_stable_sorted_and_a_place_a_line(inside: Path) -> None:
    baseline.write(audit(finding("b", "a")), inside)
    text = inside.read_text()
    assert json.loads(text) == {
        "schema": "onnxpad.baseline/1",
        "models": {"models/a.onnx": {"PAD101": {"warning": ["a", "b"]}}},
    }
    assert sum('"a"' in line or '"b"' in line for line in text.splitlines()) == 2


def test_models_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever folder onnxpad starts in and however the path is given."""
    (tmp_path / "models").mkdir()
    path = tmp_path / "ci" / "baseline.json"
    path.parent.mkdir()
    monkeypatch.chdir(tmp_path)
    baseline.write(audit(finding("a")), path)
    assert "../models/a.onnx" in path.read_text()
    absolute = (tmp_path / "models" / "a.onnx").as_posix()
    for folder, name in (("models", "a.onnx"), ("ci", "../models/a.onnx"), (".", absolute)):
        monkeypatch.chdir(tmp_path / folder)
        left = baseline.apply(audit(finding("a"), model=name), baseline.read(path))
        assert left.models[0].suppressed == 1


def test_a_model_that_cannot_be_audited_is_never_accepted(inside: Path) -> None:
    broken = Audit((ModelAudit("a.onnx", error="cut off", exit_code=3),))
    assert accepted(broken, broken, inside).models == broken.models


def test_earlier_counts_stay(inside: Path) -> None:
    """An ignore has left findings out before; a second baseline adds to the first."""
    old = audit(finding("a"))
    new = Audit((replace(audit(finding("a", "b")).models[0], suppressed=3),))
    assert accepted(old, new, inside).models[0].suppressed == 3
    whole = Audit((replace(old.models[0], suppressed=3),))
    assert accepted(old, whole, inside).models[0].suppressed == 4


def test_odd_names_come_back(inside: Path) -> None:
    for name in ("a\ud800b", "\x1b[31m", "a\nb", 'q"uote', "ä/🙂", ""):
        old = audit(finding(name, "other"), model=f"{name}.onnx")
        assert accepted(old, old, inside).models[0].findings == ()
        assert inside.read_bytes().isascii()


HEAD = '{"schema": "onnxpad.baseline/1", "models": '


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no baseline of onnxpad"),
        ("[]", "expected an object, found list"),
        ("{}", "expected schema 'onnxpad.baseline/1', found None"),
        ('{"schema": "onnxpad.baseline/9", "models": {}}', "onnxpad.baseline/9"),
        ('{"schema": "onnxpad.baseline/1"}', "models: expected an object, found NoneType"),
        (HEAD + '{"a": []}}', "'a': expected an object"),
        (HEAD + '{"a": {"PAD101": ["x"]}}}', "'PAD101': expected an object"),
        (HEAD + '{"a": {"PAD101": {"fatal": ["x"]}}}}', "no severity: 'fatal'"),
        (HEAD + '{"a": {"PAD101": {"note": "x"}}}}', "expected a list of names"),
        (HEAD + '{"a": {"PAD101": {"note": [1]}}}}', "expected a list of names"),
        ("[" * 100_000, "no baseline of onnxpad"),
        ('{"schema": "\\u001b[31m"}', r"\x1b[31m"),
    ],
)
def test_what_is_no_baseline_is_told_in_one_line(text: str, told: str, inside: Path) -> None:
    inside.write_text(text)
    with pytest.raises(UsageError) as caught:
        baseline.read(inside)
    assert told in str(caught.value)
    assert "baseline.json" in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.exit_code == 2


def test_no_file_no_text_too_large(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="No such file"):
        baseline.read(Path("none.json"))
    with pytest.raises(UsageError, match="directory"):
        baseline.read(Path())
    with pytest.raises(UsageError, match="cannot be read"):
        baseline.read(Path("a\0b"))
    inside.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no baseline of onnxpad"):
        baseline.read(inside)
    monkeypatch.setattr(baseline, "MOST_BYTES", 10)
    inside.write_text(" " * 11)
    with pytest.raises(UsageError, match="this is no baseline"):
        baseline.read(inside)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        baseline.write(audit(finding("a")), tmp_path / "none" / "baseline.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError):
        baseline.write(audit(finding("a")), tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]

"""Every command line of onnxpad that the documentation shows is one that onnxpad understands.

Nothing is run: the lines go through the parser of the command line, and what has a syntax of its
own (budgets, labels, preprocessing, sizes, reports) through the parser of that.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from onnxpad.budget import parse_budget
from onnxpad.cli import app
from onnxpad.config.values import parse_size
from onnxpad.data.label_spec import parse_labels
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.errors import OnnxpadError

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)((?:    .*\n)+)")
INLINE = re.compile(r"(?<!`)`onnxpad ([^`\n]+)`(?!`)")
# What stands in front of a command on its line: a prompt, a step of YAML, a shell step of Jenkins,
# a container whose program it is.
LEAD = re.compile(r"^\s*(?:\$ |- |run: |- run: |sh '|RUN |docker run .* )?(?:\S*/)?(?=onnxpad )")
PLACEHOLDER = re.compile(r"\[|…|\|")

# What the parser of the command line raises, and what onnxpad's own parsers do.
PARSER: type[Exception] = typer.BadParameter.__mro__[1]
WRONG = (PARSER, OnnxpadError)

# Of the parser's, those that say that something is missing.
UNFINISHED = {"MissingParameter", "NoArgsIsHelpError", "BadOptionUsage"}

# Options whose value has a syntax of its own.
SYNTAX = {
    "budget": parse_budget,
    "labels": parse_labels,
    "preprocess": parse_preprocess,
    "size": parse_size,
}


def _blocks(text: str) -> Iterator[str]:
    for language, block in FENCE.findall(text):
        whole = block.replace("\\\n", " ")
        if language == "console":  # what has no prompt is output
            whole = "\n".join(line for line in whole.splitlines() if line.startswith("$ "))
        yield whole
    yield from INDENTED.findall(FENCE.sub("", text))


def commands(text: str) -> list[list[str]]:
    """The arguments of each command line in a page's blocks of code."""
    found = []
    for block in _blocks(text):
        for line in block.splitlines():
            lead = LEAD.match(line)
            if lead is None:
                continue
            shown = line[lead.end() :]
            if "sh '" in lead[0]:
                shown = shown.rstrip().removesuffix("'")
            # a remark beside the command stands apart from it
            shown = re.split(r" {3,}(?![-\"'])| (?:\|\||&&|;|>) ", shown)[0]
            found.append(shlex.split(shown, comments=True)[1:])
    return found


def parse(arguments: list[str]) -> tuple[str, dict[str, object]]:
    """The command's name and the values of its options. Raises what the parser raises."""
    group = typer.main.get_command(app)
    with group.make_context("onnxpad", list(arguments)) as context:
        rest = [*context._protected_args, *context.args]
        if not rest:
            return "", {}
        name, command, left = group.resolve_command(context, rest)
        with command.make_context(name, left, parent=context) as inner:
            return name, dict(inner.params)


def check(arguments: list[str]) -> None:
    try:
        _, values = parse(arguments)
    except typer.Exit:  # --help
        return
    for name, reader in SYNTAX.items():
        value = values.get(name)
        if isinstance(value, str) and not (value.isupper() or value == "HxW"):
            reader(value)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_in_blocks(page: Path) -> None:
    for arguments in commands(page.read_text("utf-8")):
        try:
            check(arguments)
        except WRONG as error:
            message = getattr(error, "message", error)
            pytest.fail(f"{page.name} shows `onnxpad {shlex.join(arguments)}`: {message}")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_in_sentences(page: Path) -> None:
    """A sentence may name a command without all it needs, but nothing that is not there."""
    for shown in INLINE.findall(page.read_text("utf-8")):
        # a letter alone stands for a number
        arguments = [
            "1" if re.fullmatch("[A-Z]", word) else word
            for word in shlex.split(shown.replace("\\|", "|"))
        ]
        if any(PLACEHOLDER.search(word) for word in arguments):
            arguments = arguments[:1]
        try:
            check(arguments)
        except WRONG as error:
            if type(error).__name__ not in UNFINISHED:
                pytest.fail(f"{page.name} names `onnxpad {shown}`: {error}")


def test_the_readme_shows_commands() -> None:
    """The tests above have a subject."""
    found = commands((ROOT / "README.md").read_text("utf-8"))
    assert {"sites", "rewrite", "compare"} <= {arguments[0] for arguments in found}
    assert len(found) >= 8


@pytest.mark.parametrize(
    "line",
    [
        "onnxpad no-such-command model.onnx",
        "onnxpad sites model.onnx --no-such-option",
        "onnxpad sites",
        "onnxpad compare a.onnx b.onnx --budget 'agreement=>1'",
        "onnxpad compare a.onnx b.onnx --samples many",
    ],
)
@pytest.mark.parametrize(
    "block",
    ["```sh\n{}\n```", "```console\n$ {}\n```", "```yaml\n  - run: {}\n```", "text\n\n    {}\n"],
)
def test_wrong_commands_are_found(line: str, block: str) -> None:
    (arguments,) = commands(block.format(line))
    with pytest.raises(WRONG):
        check(arguments)


def _documents(page: Path) -> list[Any]:
    """The blocks of YAML, read."""
    fences = FENCE.findall(page.read_text("utf-8"))
    return [yaml.safe_load(block) for language, block in fences if language == "yaml"]


def _within(document: Any, key: str) -> Iterator[Any]:
    """Every value of a key, at any depth."""
    if isinstance(document, dict):
        yield from (value for name, value in document.items() if name == key)
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from _within(part, key)


PIPELINES = ROOT / "docs" / "pipelines.md"


def test_hooks_exist_and_take_their_arguments() -> None:
    known = {h["id"]: h for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    repos = [repo for document in _documents(PIPELINES) for repo in _within(document, "repos")]
    hooks = [hook for listed in repos for repo in listed for hook in repo["hooks"]]
    assert hooks
    for hook in hooks:
        entry = shlex.split(known[hook["id"]]["entry"])
        check([*entry[1:], *hook.get("args", known[hook["id"]].get("args", [])), "model.onnx"])


def test_inputs_of_the_action_exist() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    steps = [s for document in _documents(PIPELINES) for found in _within(document, "steps")
             for s in found]  # fmt: skip
    uses = [step for step in steps if "onnxpad@" in step.get("uses", "")]
    assert uses
    for step in uses:
        given = step["with"]
        assert set(given) <= set(action["inputs"])
        words = ["audit", "--fail-on", given["fail-on"], *given["args"].split("\n")[:-1], "--"]
        check([*words, *given["paths"].split()])


def test_the_container_runs_a_command() -> None:
    fences = FENCE.findall(PIPELINES.read_text("utf-8"))
    (dockerfile,) = [block for language, block in fences if language == "dockerfile"]
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)
    assert json.loads(entry) == ["onnxpad"]
    check(json.loads(command))
    assert re.search(r"^USER \d+$", dockerfile, re.MULTILINE), "runs as root"

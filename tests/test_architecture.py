"""Walls between the rooms, read from the imports; what is public; what the repository may hold."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "onnxpad"

# From the bottom up. A module imports from its own room and those below it, never from above.
# `onnxpad.__init__` stands above all but the command line: it hands out the public names.
ROOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("words", ("errors", "text", "geometry", "globs", "modes", "records", "findings")),
    (
        "reading",
        (
            "records",
            "files",
            "ignoring",
            "walking",
            "checking",
            "external",
            "model",
            "scopes",
            "values",
            "shapes",
            "functions",
            "outside",
            "sized",
            "cutout",
            "guarded",
            "indexing",
            "ops",
            "trace",
            "crossing",
            "least_sizes",
            "ort_layout",
        ),
    ),
    (
        "finding",
        (
            "recognise",
            "rescaling",
            "implicit",
            "phases",
            "window_sites",
            "pad_sites",
            "sites",
            "windows",
            "size_values",
            "size_state",
            "size_windows",
            "size_moves",
            "size_rules",
            "size_walk",
            "size_shapes",
            "sizes",
            "costs",
            "reach_axis",
            "reach_state",
            "reach_windows",
            "reach_ops",
            "reach",
            "kernels",
        ),
    ),
    (
        "deciding",
        (
            "targets",
            "refusals",
            "pad_costs",
            "cutting",
            "placement",
            "plan",
            "plan_file",
            "arguments",
        ),
    ),
    (
        "changing",
        (
            "builder",
            "grid",
            "grid_rules",
            "grid_walk",
            "halo",
            "neighbours",
            "compose",
            "mean_pad",
            "guards",
            "splice",
            "workshop",
            "fold",
            "partial",
            "edits",
            "hoisting",
            "applying",
            "writing",
            "rewriting",
        ),
    ),
    ("running", ("config", "jobs", "runtime", "footprint", "data", "picture", "probe")),
    (
        "judging",
        (
            "calibration",
            "even_sizes",
            "measures",
            "budget",
            "tasks",
            "measure",
            "comparison",
            "study",
            "tally",
            "verdict",
            "joining",
            "comparing",
            "pairing",
            "saved",
            "gating",
        ),
    ),
    (
        "auditing",
        (
            "subject",
            "bounds",
            "ort_fusion",
            "rules",
            "selecting",
            "auditing",
            "auditing_all",
            "measuring",
            "explaining",
            "baseline",
        ),
    ),
    ("studying", ("paths", "studies")),
    ("showing", ("report",)),
    ("public", ("",)),
    ("command line", ("cli", "__main__")),
)

# Rooms below that are not to be looked into although they are below: a runner knows nothing of
# sites and rewriting, a measure sees arrays alone, a renderer sees records.
FORBIDDEN = {
    "running": {"finding", "deciding", "changing"},
    "judging": {"changing"},
    "auditing": {"changing"},
    "showing": {"changing", "running"},
}

# Who alone may import what.
OWNERS = {
    "typer": ("onnxpad.cli",),
    "onnxruntime": ("onnxpad.runtime",),
    "jinja2": ("onnxpad.report",),
    "plotly": ("onnxpad.report",),
    "matplotlib": ("onnxpad.report",),
    "PIL": ("onnxpad.data", "onnxpad.report"),
}

# Who may not import what, whoever else does.
BARRED = {
    "onnxpad.geometry": {"onnx", "onnx_graphsurgeon", "onnxruntime", "numpy"},
    "onnxpad.modes": {"onnx", "onnx_graphsurgeon", "onnxruntime"},
    "onnxpad.report": {"onnx", "onnx_graphsurgeon", "onnxruntime"},
    "onnxpad.measure": {"onnx", "onnx_graphsurgeon", "onnxruntime", "rich"},
}

PUBLIC = {
    "Audit",
    "Comparison",
    "OnnxpadError",
    "PaddingSite",
    "Plan",
    "RewriteResult",
    "audit",
    "calibrate",
    "compare",
    "find_sites",
    "read_plan",
    "rewrite",
}

TOP_LEVEL = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "action.yml",
    "docs",
    "onnxpad",
    "pyproject.toml",
    "sample_models",
    "tests",
}

# Module names, heavy ones, that starting up must not load.
HEAVY = ("onnxruntime", "onnx_graphsurgeon", "PIL", "jinja2", "matplotlib", "plotly")

MODULE_LINES = 300
FUNCTION_LINES = 60


def _modules() -> dict[str, Path]:
    """Dotted name → file of every module of the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(name: str) -> Iterator[str]:
    """Dotted names a module imports, at its top or inside functions, own submodules resolved."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


IMPORTS = {name: frozenset(_imports(name)) for name in MODULES}


def _is_within(name: str, owner: str) -> bool:
    return name == owner or name.startswith(f"{owner}.")


def _room(module: str) -> int:
    first = module.removeprefix("onnxpad").lstrip(".").split(".")[0]
    for rank, (_, names) in enumerate(ROOMS):
        if first in names:
            return rank
    pytest.fail(f"{module} belongs to no room: enter it in ROOMS")


def _inner_imports(name: str) -> list[str]:
    return sorted(other for other in IMPORTS[name] if other in MODULES and other != name)


def test_every_module_has_a_room() -> None:
    for module in MODULES:
        _room(module)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    rank = _room(module)
    barred = FORBIDDEN.get(ROOMS[rank][0], set())
    for other in _inner_imports(module):
        room = ROOMS[_room(other)][0]
        assert _room(other) <= rank, (
            f"{module} ({ROOMS[rank][0]}) imports {other} ({room}) above it"
        )
        assert room not in barred, f"{module} ({ROOMS[rank][0]}) imports {other} ({room})"


def test_no_circles() -> None:
    # raises CycleError, whose message names the circle
    assert list(TopologicalSorter({name: _inner_imports(name) for name in MODULES}).static_order())


@pytest.mark.parametrize("library", OWNERS)
def test_single_owner(library: str) -> None:
    users = {m for m in MODULES if any(_is_within(i, library) for i in IMPORTS[m])}
    strangers = {m for m in users if not any(_is_within(m, owner) for owner in OWNERS[library])}
    assert not strangers, f"only {OWNERS[library]} may import {library}"


@pytest.mark.parametrize("module", BARRED)
def test_barred_libraries(module: str) -> None:
    within = [m for m in MODULES if _is_within(m, module)]
    assert within, f"{module} is gone: the rule about it has no subject"
    for name in within:
        roots = {other.split(".")[0] for other in IMPORTS[name]}
        assert not roots & BARRED[module], f"{name} imports {roots & BARRED[module]}"


def test_public_names() -> None:
    import onnxpad

    offered = list(onnxpad.__all__)
    assert sorted(offered) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(onnxpad, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = onnxpad.no_such_name


def _loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after ``code``."""
    report = (
        f"{code}\nimport sys; print('\\n' + ' '.join({{m.split('.')[0] for m in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.splitlines()[-1].split())


HELP = """
import sys
from onnxpad.cli import main
sys.argv = ["onnxpad", {arguments}]
try:
    code = main()
except SystemExit as end:
    code = end.code
assert not code, code
"""


@pytest.mark.parametrize(
    "code",
    [
        "import onnxpad",
        HELP.format(arguments='"--help"'),
        HELP.format(arguments='"--version"'),
        HELP.format(arguments='"rewrite", "--help"'),
        HELP.format(arguments='"sites", "--help"'),
        HELP.format(arguments='"compare", "--help"'),
        HELP.format(arguments='"audit", "--help"'),
        HELP.format(arguments='"config", "--help"'),
        HELP.format(arguments='"explain", "--help"'),
        HELP.format(arguments='"gate", "--help"'),
    ],
    ids=[
        "import",
        "help",
        "version",
        "rewrite-help",
        "sites-help",
        "compare-help",
        "audit-help",
        "config-help",
        "explain-help",
        "gate-help",
    ],
)
def test_starting_up_is_light(code: str) -> None:
    assert _loaded_after(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("module", MODULES)
def test_sizes(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= MODULE_LINES, f"{module} has {lines} lines: split it"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            # from the first statement on: the signature of a command is its table of options
            size = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
            assert size <= FUNCTION_LINES, f"{module}.{node.name} has {size} lines"


def test_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def _repository_files() -> list[Path]:
    """Files git has or would take; the working tree's leftovers are none of them."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
        cwd=ROOT,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_top_level_names() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in _repository_files()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


# Built from pieces, so that this file is not a find of its own.
REGISTRIES = [b"py" + b"pi.org", b"python" + b"hosted", b"npm" + b"js", b"deb" + b"ian.org"]
OUTSIDE = b"../" + b"shared"
ALLOWED_OUTSIDE = {ROOT / ".ci" / "run"}
# Traces of the machine a file was made on; exporters like to leave them in models.
MACHINE = re.compile(rb"/" + rb"(?:work/(?:main|venv|fwvenv|shared)|home/\w+/|Users/\w+/|root/\w)")
HOSTS = re.compile(rb"https?://([\w-]+\.[\w.-]*\w)")
# Where documentation may point.
KNOWN_HOSTS = {
    b"arxiv.org",
    b"doi.org",
    b"git-lfs.github.com",
    b"github.com",
    b"json-schema.org",
    b"json.schemastore.org",
    b"keepachangelog.com",
    b"onnx.ai",
    b"onnxruntime.ai",
    b"openreview.net",
    b"semver.org",
    b"www.apache.org",
    b"www.w3.org",
}


def test_files_name_no_registry_and_no_machine() -> None:
    for path in _repository_files():
        data = path.read_bytes()
        where = path.relative_to(ROOT)
        for host in REGISTRIES:
            assert host not in data, f"{where} names a package registry: {host.decode()}"
        assert OUTSIDE not in data or path in ALLOWED_OUTSIDE, f"{where} points outside"
        trace = MACHINE.search(data)
        assert trace is None, f"{where} names a path of one machine: {trace}"
        if path.suffix not in {".onnx", ".png", ".npz", ".npy"}:
            unknown = set(HOSTS.findall(data)) - KNOWN_HOSTS
            assert not unknown, f"{where} names hosts: {unknown}"


def test_outside_is_only_the_zoo() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pointing = [line for line in script.splitlines() if OUTSIDE.decode() in line]
    assert pointing
    assert all(f"{OUTSIDE.decode()}/zoo" in line for line in pointing)
    assert "make test" in script

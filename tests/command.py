"""The command line as a person runs it: a process of its own, with its exit code and words."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MAIN = "import sys; from onnxpad.cli import main; sys.exit(main())"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of stderr that starts with "error: "."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, f"expected one error, stderr was:\n{self.err}"
        return lines[0]


def onnxpad(
    *arguments: str | Path, cwd: Path | None = None, before: str = "", timeout: float = 120
) -> Ran:
    """Run the command; ``before`` is Python executed in its process first (limits, signals)."""
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{MAIN}", *map(str, arguments)],
        capture_output=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def assert_refused(ran: Ran, code: int, *words: str) -> None:
    """The exit code, and one clear sentence that holds the words; never a traceback."""
    assert "Traceback" not in ran.err + ran.out, ran.err
    assert "itself failed" not in ran.err, ran.err
    assert ran.code == code, f"exit code {ran.code}, expected {code}:\n{ran.err}"
    for word in words:
        assert word in ran.error, f"{word!r} is not in: {ran.error}"
    assert len(ran.error) > len("error: ") + 15, f"says too little: {ran.error}"
    assert not CONTROL.search(ran.err), f"control characters on the terminal: {ran.err!r}"


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder: name → bytes, None for what is no plain file."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def rewrite(model: Path, *arguments: str | Path, before: str = "") -> Ran:
    return onnxpad("rewrite", model, "--mode", "edge", "--no-compare", *arguments, before=before)

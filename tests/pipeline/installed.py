"""onnxpad as a program on a user's machine, and the libraries it needs without downloading them."""

import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.command import MAIN, Ran

# Of this environment, what a new one must bring itself.
OWN = ("pip", "onnxpad", "_onnxpad", "__editable__", "_virtualenv", "distutils", "setuptools")


def program(folder: Path) -> Path:
    """A folder with an executable ``onnxpad`` that is the one under test."""
    folder.mkdir(parents=True)
    script = folder / "onnxpad"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c \'{MAIN}\' "$@"\n')
    script.chmod(0o755)
    return folder


def libraries(folder: Path) -> Path:
    """A folder for PYTHONPATH with all that this environment has, but pip and onnxpad."""
    folder.mkdir(parents=True)
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(place).iterdir():
            if not entry.name.startswith(OWN) and not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
    return folder


def run(
    command: list[str | Path], folder: Path, environment: Mapping[str, str], timeout: float = 300
) -> Ran:
    """A command in a folder, with these environment variables and no others."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def skip_without_index(ran: Ran) -> None:
    """Skip the test where pip found no index to take the build's tools from."""
    told = ran.out + ran.err
    if ran.code and ("No matching distribution found" in told or "Temporary failure" in told):
        pytest.skip("needs a package index")

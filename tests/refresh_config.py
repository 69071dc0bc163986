"""The committed JSON Schema of the configuration file.

`python -m tests.refresh_config` writes it again; a test compares.
"""

import json
from pathlib import Path

from onnxpad.config.layout import json_schema

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "config.schema.json"


def text() -> str:
    """What the file must hold."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")

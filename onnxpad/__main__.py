"""``python -m onnxpad``."""

import sys

from onnxpad.cli import main

sys.exit(main())

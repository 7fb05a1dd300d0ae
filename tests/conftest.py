"""Shared by all tests: what a recording looks like without a kernel."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

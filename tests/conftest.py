"""Shared by all tests: what a recording looks like without a kernel."""

import sys
from pathlib import Path

from hypothesis import settings

#: How long an example takes says something about the machine only.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
sys.path.insert(0, str(Path(__file__).parent))

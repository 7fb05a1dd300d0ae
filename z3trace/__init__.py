"""What did a locking patch do to an allocator's latency and to its locks?"""

import os
import sys

# A distribution's package brings what the distribution lacks, for z3trace alone.
_VENDOR = os.path.join(os.path.dirname(__file__), "_vendor")  # noqa: PTH118, PTH120 - start-up
if os.path.isdir(_VENDOR):  # noqa: PTH112
    sys.path.insert(0, _VENDOR)

"""CSV and Parquet, read back by pandas."""

import io

import numpy as np
import pandas as pd
from samples import recording

from z3trace.analysis.export import tables
from z3trace.analysis.figures import frame
from z3trace.analysis.figures.recording import Digest


def test_csv_and_parquet_hold_the_same_frame() -> None:
    digests = [Digest.of(recording(label)) for label in ("before", "after", "slow")]
    text = pd.read_csv(io.StringIO(tables.csv(digests)), keep_default_na=False)
    binary = pd.read_parquet(io.BytesIO(tables.parquet(digests)))
    assert list(text.columns) == list(binary.columns) == frame.COLUMNS
    assert np.allclose(text["value"], binary["value"])
    assert set(text["side"]) == {"before", "after", "slow"}

"""Options that several verbs share."""

from pathlib import Path

import pytest

from z3trace import cli
from z3trace.commands import options


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert options.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1e9s", "nan"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        options.seconds(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--probe", "slab"], "no lock class slab; it has page, pool, stale, slots"),
        (["--probe", "page", "--locks", "none"], "needs probes on locks"),
        (["--probe", "timed+page"], "needs a timed build"),
        (["--target", "zsmalloc", "--probe", "page"], "no lock class page; it has"),
    ],
)
@pytest.mark.parametrize("verb", ["record", "ab"])
def test_probes_that_cannot_be_had_are_said_before_anything_runs(
    verb: str, words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--duration", "1s"] if verb == "record" else ["--no-timed"]
    status = cli.run([verb, "-o", str(tmp_path / "x"), *more, *words])
    error = capsys.readouterr().err
    assert status == 2, error
    assert said in error
    assert len(error.splitlines()) <= 2
    assert not list(tmp_path.iterdir())


def test_a_timed_build_takes_turns_with_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.ko").touch()
    words = ["-o", str(tmp_path / "x"), "--duration", "1s", "--timed", str(tmp_path / "x.ko")]
    assert cli.run(["record", *words]) == 2
    assert "--timed needs --reload" in capsys.readouterr().err

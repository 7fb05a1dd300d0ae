"""A figure in words."""

from z3trace.analysis.comparing.comparison import Metric
from z3trace.analysis.figures.run import Key
from z3trace.analysis.report import row
from z3trace.analysis.statistics.effect import Effect


def test_every_cell_of_a_figure() -> None:
    effect = Effect(2000, 1000, 0.5, 0.4, 0.6, 0.001, 10, 9)
    metric = Metric(
        Key("wait", "", "page", "p99", "ns"),
        effect,
        0.0123,
        "better",
        0.05,
        None,
        "lock:page",
        (0.1, 0.234),
    )
    assert row.of(metric) == row.Row(
        name="wait page",
        statistic="p99",
        before="2.00 us",
        after="1.00 us",
        change="-50.0 %",
        ratio="0.500",
        interval="[0.400, 0.600]",
        verdict="better",
        symbol="+",
        p="0.012",
        runs="10+9",
        sees="5.0%",
        way="page probes",
        share="23%",
    )


def test_what_is_unknown_is_a_dash_or_nothing() -> None:
    nan = float("nan")
    effect = Effect(nan, 5, nan, nan, nan, nan, 0, 3)
    metric = Metric(Key("wait", "", "page", "p99", "ns"), effect, nan, "only after", nan, None)
    cells = row.of(metric)
    assert (cells.before, cells.change, cells.ratio, cells.interval) == ("-", "-", "-", "-")
    assert (cells.p, cells.sees, cells.symbol) == ("", "", " ")


def test_the_instrument_s_share_in_words() -> None:
    nan = float("nan")
    effect = Effect(2000, 1000, 0.5, 0.4, 0.6, 0.001, 10, 10)

    def told(metric: str, way: str, share: tuple[float, float], seen: Effect = effect) -> str:
        key = Key(metric, "", "page", "mean", "ns")
        return row.of(Metric(key, seen, nan, "not tested", nan, None, way, share)).share

    assert told("hold", "timed", (0.101, 0.1)) == "<11%", "no more than that"
    assert told("hold", "timed", (0.0, 0.0)) == "0%"
    assert told("hold", "all", (0.2, nan)) == "?"
    assert told("contended", "all", (0.2, 0.1)) == ""
    alone = Effect(2000, nan, nan, nan, nan, nan, 10, 0)
    assert told("hold", "all", (0.2, nan), alone) == "20%"

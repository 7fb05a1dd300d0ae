"""From recordings to statements: tidy tables, statistics, plots and reports.

Runs anywhere, as anyone; never touches the kernel side of z3trace.  What a notebook
needs can be imported from here; a module is read when something of it is asked for.
"""

import importlib

#: Name -> the module that has it.
_PUBLIC = {
    "Digest": "figures.recording",
    "compare": "comparing.comparison",
    "compare_all": "comparing.comparison",
    "explained": "comparing.attribution",
    "histograms": "figures.frame",
    "per_run": "figures.frame",
    "tidy": "figures.frame",
    "trends": "comparing.trend",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"z3trace.analysis has no {name}")
    return getattr(importlib.import_module(f"z3trace.analysis.{_PUBLIC[name]}"), name)

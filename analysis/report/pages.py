"""What all pages share: templates with everything escaped, and the files beside them."""

from importlib import resources

import jinja2
from markupsafe import Markup

from z3trace.printable import visible


def text(name: str) -> str:
    """A file of this package."""
    return resources.files("z3trace.analysis.report").joinpath(name).read_text()


def _visible(value: object) -> object:
    """What a template puts in, if it is text and not markup of ours."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment() -> jinja2.Environment:
    """Autoescaping of text made visible, and an error for a name that a template has and we
    have not."""
    return jinja2.Environment(
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(text),
    )

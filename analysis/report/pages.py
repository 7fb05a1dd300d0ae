"""What all pages share: templates with everything escaped, and the files beside them."""

from importlib import resources

import jinja2


def text(name: str) -> str:
    """A file of this package."""
    return resources.files("z3trace.analysis.report").joinpath(name).read_text()


def environment() -> jinja2.Environment:
    """Autoescaping, and an error for a name that a template has and we have not."""
    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(text),
    )

"""The site of the documents ('make site'): Sphinx, and nothing from a network."""

project = "z3trace"
copyright = "2026, the z3trace developers"  # noqa: A001 - Sphinx's own name
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["requirements.txt"]
html_theme = "furo"
html_title = "z3trace"
#: Pictures and the report of the demo.
html_extra_path = ["demo"]
#: Of links to files of the repository that are no pages.
suppress_warnings = ["myst.xref_missing"]

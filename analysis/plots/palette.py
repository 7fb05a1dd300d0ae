"""Every colour there is, in plots and pages; ``report.css`` has the same, and a test says so.

Okabe and Ito, Color Universal Design (2008): told apart by the colour-blind too.
"""

BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREY = "#666666"
FAINT = "#BBBBBB"

#: The two sides of a comparison, and a lock class that a graph does not use.
BEFORE, AFTER, UNUSED = BLUE, VERMILLION, FAINT
#: An arrow of a lock order that is turned around elsewhere.
INVERTED = VERMILLION

#: Names of the page's colours -> on a light and on a dark background; good and bad are
#: Okabe and Ito's green and vermillion, with the contrast that small text needs.
PAGE = {
    "--back": ("#fff", "#16181c"),
    "--text": ("#1a1a1a", "#e6e6e6"),
    "--good": ("#00734f", "#4fd1a5"),
    "--bad": ("#b03a00", "#ff9a66"),
}

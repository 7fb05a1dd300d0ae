"""Write docs/schemas: what each verb prints with --json, as JSON Schema ('make schemas')."""

import json
from pathlib import Path
from typing import Any

import msgspec

from z3trace.analysis.checks import findings
from z3trace.analysis.report import recordingjson, reviewjson, trend
from z3trace.data import answers

DIRECTORY = Path(__file__).parent / "schemas"
_REPORT = Path(__file__).parent / "report.schema.json"

#: Verb -> the type of what it prints.
TYPES: dict[str, Any] = {
    "error": answers.Failure,
    "record": answers.Recorded,
    "doctor": answers.Doctor,
    "target-list": answers.Targets,
    "target-init": answers.Draft,
    "check": findings.Report,
    "show": recordingjson.Summary,
    "trend": trend.TrendReport,
    "export": answers.Written,
    "vm": answers.GuestEnd,
    "config": answers.Configuration | answers.Written,
    "completion": answers.Script | answers.Written,
    "kernel-fetch": answers.Fetched | answers.Offers,
    "kernel-list": answers.Kernels,
    "kernel-build": answers.Built | answers.Variants,
    "kernel-config": answers.Lacking,
    "kernel-make": answers.OwnKernel,
    "kernel-source": answers.Unpacked,
}


def _schema(kind: Any) -> dict[str, Any]:
    """The schema of a type, or of one of several that have no tag."""
    kinds = getattr(kind, "__args__", (kind,))
    made, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    top = made[0] if len(made) == 1 else {"anyOf": list(made)}
    return {**top, "$defs": definitions}


def _compared() -> tuple[dict[str, Any], dict[str, Any]]:
    """(the schema of one comparison, its definitions)."""
    schema = json.loads(_REPORT.read_text())
    schema.pop("$schema")
    return schema, schema.pop("$defs")


def _compare() -> dict[str, Any]:
    one, definitions = _compared()
    several = {
        "type": "object",
        "required": ["version", "comparisons"],
        "additionalProperties": False,
        "properties": {
            "version": one["properties"]["version"],
            "comparisons": {"type": "array", "items": {"$ref": "#/$defs/Comparison"}},
        },
    }
    reference = {"$ref": "#/$defs/Comparison"}
    return {"anyOf": [reference, several], "$defs": {**definitions, "Comparison": one}}


def _review() -> dict[str, Any]:
    one, definitions = _compared()
    check = _schema(findings.Report)
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    maybe = {
        name: {"anyOf": [{"$ref": f"#/$defs/{kind}"}, {"type": "null"}]}
        for name, kind in (
            ("before", "Report"),
            ("after", "Report"),
            ("comparison", "Comparison"),
        )
    }
    properties = {
        "version": {"const": reviewjson.VERSION},
        **dict.fromkeys(("target", "base", "commit", "reply"), text),
        **dict.fromkeys(("notes", "not_done"), texts),
        **maybe,
    }
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
        "$defs": {**definitions, **check["$defs"], "Comparison": one},
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Verb -> schema; groups and their verbs with a dash between them."""
    made = {verb: _schema(kind) for verb, kind in TYPES.items()}
    made |= {"compare": _compare(), "ab": _compare(), "review": _review()}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {verb: {**head, **schema} for verb, schema in sorted(made.items())}


def text(schema: dict[str, Any]) -> str:
    """A schema as it is written."""
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name, found in schemas().items():
        (DIRECTORY / f"{name}.json").write_text(text(found))

"""What a target's definition says for a check: contracts and conditions."""

from pathlib import Path

import pytest

from z3trace.errors import InputError
from z3trace.target import definition


def _definition(tmp_path: Path, more: str) -> str:
    path = tmp_path / "t.toml"
    text = 'name="t"\nmodule="t"\n[operations.a]\nfunctions=["f"]\n'
    path.write_text(text + more)
    return str(path)


@pytest.mark.parametrize(
    "more",
    [
        'holds = ["nothing"]\n',
        '[[conditions]]\nname="x"\nfunctions=["f"]\ntest="list-empty"\n',
        '[[conditions]]\nname="x"\nfunctions=["f"]\ntest="sometimes"\n',
        '[[conditions]]\nname="x"\nfunctions=["f"]\ntest="has-bits"\nstruct="page"\n',
        '[[conditions]]\nname="x"\nfunctions=["f"]\nstruct="page"\nmember="private"\n',
        '[[conditions]]\nname="<b>"\nfunctions=["f"]\n',
    ],
)
def test_a_bad_definition_is_refused(tmp_path: Path, more: str) -> None:
    with pytest.raises(InputError, match=r"t\.toml"):
        definition.load(_definition(tmp_path, more))


def test_the_shipped_contracts() -> None:
    assert definition.load("zsmalloc").operations["map"].holds == ["zspage"]
    first = definition.load("z3fold").conditions[0]
    assert first.name == "reclaim with an empty LRU list"

"""One series in every form in which it may be handed over: the same source, byte for byte."""

from pathlib import Path

import mails
import pytest

from z3trace.kernels import patch

#: Their names do not need git.
FORMS = sorted(mails.all_forms(mails.Sent(b"", (), b"", dict.fromkeys(mails.OPTIONS, ()))))


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> mails.Sent:
    return mails.sent(tmp_path_factory.mktemp("git") / "tree")


@pytest.mark.parametrize("form", FORMS)
def test_the_source_is_that_of_git(sent: mails.Sent, form: str, tmp_path: Path) -> None:
    files = []
    for name, content in mails.all_forms(sent)[form].items():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    source = tmp_path / "tree" / mails.SOURCE
    source.parent.mkdir(parents=True)
    source.write_text(mails.BEFORE)
    said: list[str] = []
    patches = patch.read_all(files, said.append)
    way = patch.Way(lambda each, text: said.append(f"{each.name}: {text}"))
    assert patch.apply(patches, tmp_path / "tree", mails.SOURCE, way) == []
    assert source.read_bytes() == sent.after
    assert not [line for line in said if "hunk" in line]


def test_git_reads_the_same(sent: mails.Sent, tmp_path: Path) -> None:
    """What the other forms are held against."""
    (tmp_path / mails.SOURCE).parent.mkdir()
    (tmp_path / mails.SOURCE).write_text(mails.BEFORE)
    mails.git(tmp_path, "init", "-q")
    mails.git(tmp_path, "add", "-A")
    mails.git(tmp_path, "commit", "-q", "-m", "base")
    mails.git(tmp_path, "am", "-q", data=b"".join(sent.mails))
    assert (tmp_path / mails.SOURCE).read_bytes() == sent.after

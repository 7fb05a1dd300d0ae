"""The base of a review, wherever it comes from."""

from pathlib import Path

import pytest
from mails import git

from z3trace.errors import InputError, UsageError, Z3traceError
from z3trace.kernels import base
from z3trace.kernels.layout import Kernel

SOURCE = "mm/z3fold.c"
CODE = b"int a(void)\n{\n\treturn 1;\n}\n"


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    made = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    (made.sources / "mm").mkdir(parents=True)
    (made.sources / SOURCE).write_bytes(CODE)
    return made


def _resolve(text: str, kernel: Kernel) -> base.Base:
    return base.resolve(text, kernel, SOURCE, print)


def test_the_packaged_source_is_ours(kernel: Kernel) -> None:
    found = _resolve("packaged", kernel)
    assert (found.label, found.files, found.ours) == ("stock", {SOURCE: CODE}, True)


def test_a_file_is_byte_for_byte(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "old.c").write_bytes(b"\xff\r\n")
    found = _resolve(str(tmp_path / "old.c"), kernel)
    assert (found.label, found.files, found.ours) == ("old", {SOURCE: b"\xff\r\n"}, False)


def test_a_tree_brings_the_headers_that_the_source_includes(kernel: Kernel, tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    (tree / "mm").mkdir(parents=True)
    (tree / SOURCE).write_bytes(b'#include "one.h"\n#include "none.h"\n')
    (tree / "mm/one.h").write_bytes(b'#include "two.h"\n')
    (tree / "mm/two.h").write_bytes(b"\n")
    (tree / "mm/other.h").write_bytes(b"\n")
    found = _resolve(str(tree), kernel)
    assert set(found.files) == {SOURCE, "mm/one.h", "mm/two.h"}
    assert found.label == "linux"


def test_a_header_outside_of_the_tree_is_none_of_it(kernel: Kernel, tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    (tree / "mm").mkdir(parents=True)
    (tmp_path / "secret.h").write_bytes(b"secret")
    (tree / SOURCE).write_bytes(b'#include "s.h"\n#include "../../secret.h"\n#include "sub/x.h"\n')
    (tree / "mm/sub").mkdir()
    (tree / "mm/sub/x.h").write_bytes(b"")
    (tree / "mm/s.h").symlink_to(tmp_path / "secret.h")
    assert set(_resolve(str(tree), kernel).files) == {SOURCE}


def test_a_tree_without_the_source_is_said(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no mm/z3fold\.c"):
        _resolve(str(tmp_path / "empty"), kernel)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    tree = tmp_path / "linux"
    (tree / "mm").mkdir(parents=True)
    git(tree, "init", "-q")
    for number, text in enumerate((b"one\r\n", b'#include "h.h"\n\xff\n'), 1):
        (tree / SOURCE).write_bytes(text)
        (tree / "mm/h.h").write_bytes(b"header %d\n" % number)
        git(tree, "add", "-A")
        git(tree, "-c", "core.autocrlf=false", "commit", "-q", "-m", f"change {number}")
        git(tree, "tag", f"v{number}")
    (tree / SOURCE).write_bytes(b"not committed\n")
    return tree


def test_a_revision_is_what_git_has_of_it(kernel: Kernel, repository: Path) -> None:
    first, last = _resolve(f"{repository}@v1", kernel), _resolve(f"{repository}@HEAD", kernel)
    assert first.files == {SOURCE: b"one\r\n"}
    assert last.files == {SOURCE: b'#include "h.h"\n\xff\n', "mm/h.h": b"header 2\n"}
    commit = git(repository, "rev-parse", "v1").decode().strip()
    assert first.commit == commit
    assert first.label == f"linux-{commit[:12]}"
    assert _resolve(f"{repository}@HEAD~1", kernel).files == first.files


@pytest.mark.parametrize("revision", ["v3", "--all", "-x", "v1:mm", "a b", ""])
def test_what_is_no_revision_is_said(kernel: Kernel, repository: Path, revision: str) -> None:
    with pytest.raises((InputError, UsageError), match=r"revision"):
        _resolve(f"{repository}@{revision}", kernel)


def test_a_repositorys_settings_run_nothing(kernel: Kernel, repository: Path) -> None:
    canary = repository / "canary"
    script = repository / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        git(repository, "config", name, str(script))
    git(repository, "config", "filter.x.smudge", str(script))
    (repository / ".gitattributes").write_text("*.c filter=x diff=x\n")
    git(repository, "config", "diff.x.textconv", str(script))
    _resolve(f"{repository}@v1", kernel)
    assert not canary.exists()


def test_a_directory_that_is_no_repository_is_said(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(Z3traceError, match="has no revision HEAD"):
        _resolve(f"{tmp_path / 'plain'}@HEAD", kernel)


def test_what_is_no_base_is_said_with_what_would_be_one(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match="there is no base nothing") as caught:
        _resolve("nothing", kernel)
    assert "page-lock" in caught.value.hint


def test_a_file_with_patches_is_a_variant(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "old.c").write_bytes(b"x\n")
    (tmp_path / "p.patch").write_text("")
    how = ([tmp_path / "p.patch"], 1, ())
    found = base.variant_of(str(tmp_path / "old.c"), kernel, SOURCE, print, how)
    assert (found.name, found.fuzz, found.patches) == ("old+p", 1, (tmp_path / "p.patch",))
    assert found.files == {SOURCE: b"x\n"}
    assert base.variant_of("page-lock", kernel, SOURCE, print).name == "page-lock"
    assert base.variant_of("stock", kernel, SOURCE, print).files == {}

"""How a file gets its name, whom root trusts with one, and what is read of a stranger's."""

import os
import stat
from pathlib import Path

import pytest

from z3trace import paths
from z3trace.errors import InputError, UsageError


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_file_is_written_whole_with_its_directories(tmp_path: Path) -> None:
    paths.write_atomic(tmp_path / "a/b/file", "one\n")
    paths.write_atomic(tmp_path / "a/b/file", b"two\n")
    assert (tmp_path / "a/b/file").read_bytes() == b"two\n"
    assert _names(tmp_path / "a/b") == {"file"}


def test_a_written_file_may_be_read_as_the_users_mask_says(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        paths.write_atomic(tmp_path / "file", "")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        paths.write_atomic(tmp_path / "file", "one")
    assert _names(tmp_path) == {"file"}


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "file").symlink_to(victim)
    paths.write_atomic(tmp_path / "file", "new")
    assert victim.read_text() == "mine"
    assert not (tmp_path / "file").is_symlink()


def test_a_directory_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    with paths.new_directory(tmp_path / "made") as work:
        (work / "file").write_text("one")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made/file").read_text() == "one"
    assert _names(tmp_path) == {"made"}


def test_a_directory_that_fails_is_removed_and_the_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/old").write_text("")

    def fail() -> None:
        with paths.new_directory(tmp_path / "made") as work:
            (work / "new").write_text("")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        fail()
    assert _names(tmp_path) == {"made"}
    assert _names(tmp_path / "made") == {"old"}


@pytest.mark.parametrize(("replace", "left"), [(True, "new"), (False, "old")])
def test_what_was_there_is_replaced_or_stays(tmp_path: Path, replace: bool, left: str) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/old").write_text("")
    with paths.new_directory(tmp_path / "made", replace=replace) as work:
        (work / "new").write_text("")
    assert _names(tmp_path) == {"made"}
    assert _names(tmp_path / "made") == {left}


def test_an_output_that_exists_needs_force(tmp_path: Path) -> None:
    paths.must_be_new(tmp_path / "none", force=False)
    (tmp_path / "there").write_text("")
    paths.must_be_new(tmp_path / "there", force=True)
    with pytest.raises(UsageError, match="exists"):
        paths.must_be_new(tmp_path / "there", force=False)


def test_the_cache_is_made_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "a/cache"))
    assert paths.cache() == tmp_path / "a/cache"
    assert paths.cache().is_dir()


def test_a_cache_that_cannot_be_made_says_what_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "file/cache"))
    monkeypatch.setattr(paths, "why_untrusted", lambda _: "")
    with pytest.raises(UsageError, match="cannot make the cache") as raised:
        paths.cache()
    assert "Z3TRACE_CACHE" in raised.value.hint


def test_a_directory_that_another_process_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with paths.new_directory(path, replace=False) as work:
        (work / "file").write_text("mine")
        path.mkdir()
        (path / "file").write_text("theirs")
    assert (path / "file").read_text() == "theirs"
    with paths.new_directory(path) as work:
        (work / "file").write_text("mine")
    assert (path / "file").read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["made"]


class Machine:
    """A tree below the test's directory as root sees one: *foreign* files are another
    user's, all others root's, whoever runs the test."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.foreign: set[Path] = set()
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        lstat = Path.lstat

        def owned(path: Path) -> os.stat_result:
            fields = list(lstat(path))
            mode, owner = fields[0], 4711 if path in self.foreign else 0
            if not path.is_relative_to(root):
                mode = stat.S_IFDIR | 0o755
            return os.stat_result([mode, *fields[1:4], owner, *fields[5:]])

        monkeypatch.setattr(Path, "lstat", owned)

    def directory(self, name: str, mode: int = 0o755) -> Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return path

    def file(self, name: str, mode: int = 0o644) -> Path:
        path = self.root / name
        path.write_text("")
        path.chmod(mode)
        return path

    def given_to_another(self, path: Path) -> Path:
        self.foreign.add(path)
        return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.delenv(paths.VOUCHED, raising=False)
    tmp_path.chmod(0o755)
    return Machine(tmp_path.resolve(), monkeypatch)


def test_root_runs_what_only_root_can_write(machine: Machine) -> None:
    machine.directory("cache/modules")
    assert paths.trusted(machine.file("cache/modules/a.ko")) == machine.root / "cache/modules/a.ko"
    assert paths.trusted(machine.root / "cache") == machine.root / "cache"


@pytest.mark.parametrize("name", ["home", "home/cache", "home/cache/a.ko"])
def test_root_runs_nothing_that_anybody_else_owns(machine: Machine, name: str) -> None:
    """The file, its directory, or one above: any of them lets its owner put another there."""
    machine.directory("home/cache")
    file = machine.file("home/cache/a.ko")
    machine.given_to_another(machine.root / name)
    with pytest.raises(UsageError, match=rf"does not run or load .*{name} belongs to user 4711"):
        paths.trusted(file)


@pytest.mark.parametrize("name", ["home", "home/cache", "home/cache/a.ko"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_root_runs_nothing_that_others_can_write(machine: Machine, name: str, mode: int) -> None:
    machine.directory("home/cache")
    file = machine.file("home/cache/a.ko")
    (machine.root / name).chmod(0o755 | mode)
    with pytest.raises(UsageError, match=rf"others can write .*{name}"):
        paths.trusted(file)


def test_in_a_directory_for_all_only_what_is_private_is_trusted(machine: Machine) -> None:
    machine.directory("tmp/shared")
    machine.directory("tmp", 0o1777)
    shared = machine.file("tmp/shared/a.ko")
    with pytest.raises(UsageError, match=r"shared is not private, in .*tmp"):
        paths.trusted(shared)
    machine.directory("tmp/shared", 0o700)
    assert paths.trusted(shared) == shared
    with pytest.raises(UsageError, match="all can write"):
        paths.trusted(machine.root / "tmp")


def test_a_link_is_trusted_as_its_way_and_its_end_are(machine: Machine) -> None:
    machine.directory("safe")
    machine.directory("theirs")
    machine.file("safe/a.ko")
    (machine.root / "link").symlink_to("safe")
    assert paths.trusted(machine.root / "link/a.ko")
    # By way of somebody else's directory, back to a safe one.
    (machine.root / "theirs/back").symlink_to("../safe")
    (machine.root / "around").symlink_to(machine.root / "theirs/back")
    machine.given_to_another(machine.root / "theirs")
    with pytest.raises(UsageError, match="theirs belongs to"):
        paths.trusted(machine.root / "around/a.ko")


def test_a_loop_of_links_ends(machine: Machine) -> None:
    (machine.root / "a").symlink_to("b")
    (machine.root / "b").symlink_to("a")
    with pytest.raises(UsageError, match="symbolic links"):
        paths.trusted(machine.root / "a/x")


def test_an_ordinary_users_files_are_that_users_own_business(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.directory("home", 0o777)
    file = machine.given_to_another(machine.file("home/a.ko"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.trusted(file) == file


def test_a_guests_host_vouches_for_its_files(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.directory("home")
    file = machine.given_to_another(machine.file("home/a.ko"))
    monkeypatch.setenv(paths.VOUCHED, "1")
    command_line = machine.file("cmdline")
    monkeypatch.setattr(paths, "_COMMAND_LINE", command_line)
    # On a host the variable says nothing: sudo -E hands on what a user set.
    with pytest.raises(UsageError):
        paths.trusted(file)
    command_line.write_text("console=ttyS0 Z3T_RUN=/x")
    assert paths.trusted(file) == file


def _environment(machine: Machine, monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Root with a user's environment, and root's own home below the test's directory."""
    for name in ("Z3TRACE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    machine.directory("root", 0o700)
    root = paths.pwd.struct_passwd(("root", "x", 0, 0, "", str(machine.root / "root"), "sh"))
    monkeypatch.setattr(paths.pwd, "getpwuid", lambda _: root)


def test_root_has_a_cache_of_its_own_in_a_users_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with sudo -E; nothing of root's is left in the user's home."""
    home = machine.given_to_another(machine.directory("home"))
    _environment(machine, monkeypatch, HOME=str(home))
    assert paths.cache() == machine.root / "root/.cache/z3trace"
    assert list(home.iterdir()) == []
    _environment(machine, monkeypatch, HOME=str(home), XDG_CACHE_HOME=str(home / "x"))
    assert paths.cache() == machine.root / "root/.cache/z3trace"


def test_root_is_told_that_a_named_cache_is_not_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = machine.given_to_another(machine.directory("home"))
    _environment(machine, monkeypatch, Z3TRACE_CACHE=str(home / "cache"))
    with pytest.raises(UsageError, match="home belongs to") as raised:
        paths.cache()
    assert "unset Z3TRACE_CACHE" in raised.value.hint
    assert list(home.iterdir()) == []


def test_root_may_name_a_cache_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.directory("tmp", 0o1777)
    _environment(machine, monkeypatch, Z3TRACE_CACHE=str(machine.root / "tmp/cache"))
    assert paths.cache() == machine.root / "tmp/cache"
    assert stat.S_IMODE((machine.root / "tmp/cache").stat().st_mode) == 0o700


def test_a_strangers_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert paths.read_bounded(file, 5) == b"12345"
    with pytest.raises(InputError, match="file is larger than 4 bytes"):
        paths.read_bounded(file, 4)


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    """And not waited for."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("fifo", "directory", "zero"):
        with pytest.raises(InputError, match=f"{name}: it is no regular file"):
            paths.read_bounded(tmp_path / name, 5)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("loop", "none", "none/below", "x" * 300):
        with pytest.raises(InputError, match="cannot read"):
            paths.read_bounded(tmp_path / name, 5)


def test_a_strangers_toml_is_a_table_or_an_error_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('a = "..."\n[b]\nc.d = [1]\n')
    assert paths.read_toml(file, "a thing") == {"a": "...", "b": {"c": {"d": [1]}}}
    for text in ("a = ", "a" + ".a" * 40 + " = 1", "a = " + "[" * 5000, "a = " + "1" * 5000):
        file.write_text(text)
        with pytest.raises(InputError, match=r"x\.toml is not a thing: ") as raised:
            paths.read_toml(file, "a thing")
        assert "\n" not in raised.value.message


def test_what_is_discarded_is_named(tmp_path: Path) -> None:
    """Files with names like ours are the user's, and what a link points to stays."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("check.py", "report.tex", "before.z3t.bak"):
        (out / name).write_text("kept")
    (out / "check.txt").write_text("old")
    (out / "check.json").symlink_to(elsewhere)
    os.mkfifo(out / "check.html")
    (out / "lock-order.svg").mkdir()
    paths.discard(out, ["check.txt", "check.json", "check.html", "lock-order.svg", "absent"])
    assert _names(out) == {"check.py", "report.tex", "before.z3t.bak", "lock-order.svg"}
    assert elsewhere.read_text() == "kept"


def test_a_deep_tree_is_removed(tmp_path: Path) -> None:
    """As deep as a stranger's program can make it: shutil.rmtree ends in a RecursionError."""
    top = tmp_path / "top"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    paths.remove_tree(top)
    assert not top.exists()

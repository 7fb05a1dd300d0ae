"""The box from inside: what a program in it sees, may do, and leaves behind."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from z3trace.errors import CannotTraceError, InputError, Z3traceError
from z3trace.kernels.box import Box


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def _python(home: Path, code: str, **options: object) -> str:
    """What Python says to *code* in the box."""
    made = Box(home, options.pop("readable", ()), options.pop("boxed", True))  # type: ignore[arg-type]
    return made.run(["python3", "-c", code], doing="the test", **options)  # type: ignore[arg-type]


def test_a_file_outside_is_not_there(home: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    code = (
        f"import os; print(os.listdir({str(tmp_path)!r})); print(os.path.exists({str(canary)!r}))"
    )
    assert _python(home, code) == "['home']\nFalse\n"


def test_the_users_home_is_not_there(home: Path) -> None:
    code = f"import os; print(os.path.exists({str(Path.home() / '.profile')!r}), os.path.exists('/home'), os.path.exists('/etc/passwd'))"
    assert _python(home, code) == "False False False\n"


def test_only_its_own_directory_can_be_written(home: Path, tmp_path: Path) -> None:
    (tmp_path / "read").mkdir()
    (tmp_path / "read/file").write_text("headers")
    places = ["/", "/usr", "/etc", "/dev", "/dev/shm", str(tmp_path / "read")]  # noqa: S108
    code = (
        f"print(open({str(tmp_path / 'read/file')!r}).read())\n"
        f"for place in {[*places, str(home), '/tmp']!r}:\n"  # noqa: S108
        "    try: open(place + '/new', 'w').close(); print(place)\n"
        "    except OSError: pass\n"
    )
    assert _python(home, code, readable=[tmp_path / "read"]) == f"headers\n{home}\n/tmp\n"
    assert [path.name for path in home.iterdir()] == ["new"]
    assert not Path("/tmp/new").exists()  # noqa: S108 - the box's was another


def test_nothing_listens_in_its_network(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        with pytest.raises(Z3traceError, match="refused"):
            _python(home, code)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_abstract_sockets_are_its_own(home: Path) -> None:
    name = f"\0z3t-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({name!r})"
        with pytest.raises(Z3traceError, match="refused"):
            _python(home, code)


def test_no_other_process_is_seen(home: Path) -> None:
    code = (
        "import os; print(sorted(n for n in os.listdir('/proc') if n.isdigit()))\n"
        f"try: os.kill({os.getpid()}, 0)\n"
        "except ProcessLookupError: print('none')\n"
    )
    processes, killed = _python(home, code).splitlines()
    assert len(eval(processes)) <= 3  # noqa: S307 - a list of numbers
    assert killed == "none"


def test_the_environment_is_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    words = set(Box(home).run(["env"], doing="env", environment={"MORE": "y"}).split())
    assert words >= {"MORE=y", "LC_ALL=C", "HOME=/nonexistent", f"PWD={home}"}
    assert "SECRET=x" not in words


def test_it_has_no_rights_and_gets_none(home: Path) -> None:
    status = Box(home).run(["cat", "/proc/self/status"], doing="cat")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    with pytest.raises(Z3traceError, match="unshare"):
        Box(home).run(["unshare", "--user", "true"], doing="unshare")


def test_standard_input_is_given(home: Path) -> None:
    assert Box(home).run(["cat"], doing="cat", data=b"a\nb\n") == "a\nb\n"
    assert Box(home).run(["cat"], doing="cat") == ""


def test_a_failure_is_told_with_its_last_lines(home: Path) -> None:
    with pytest.raises(Z3traceError) as raised:
        Box(home).run(["sh", "-c", "seq 30; echo why >&2; exit 3"], doing="trying")
    assert raised.value.message.startswith("trying failed with status 3:\n17\n")
    assert raised.value.message.endswith("\n30\nwhy")


def test_output_is_bounded_and_harmless(home: Path) -> None:
    text = _python(home, "print('x' * 3_000_000 + '\\x1b]0;title\\a end')")
    assert len(text) == 1 << 20
    assert text.endswith("\\x1b]0;title\\x07 end\n")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("open('f', 'wb').truncate(1 << 40)", "File too large|status -?\\d+"),
        ("print(len(bytearray(8 << 30)))", "MemoryError"),
        ("import os; [os.dup(1) for _ in range(5000)]", "Too many open files"),
        ("open('/tmp/f', 'wb').write(bytes(1 << 28)); open('/tmp/g', 'wb').write(bytes(1 << 28)); open('/tmp/h', 'w').write('x' * 99999)", "No space left"),
    ],
)  # fmt: skip
def test_what_is_too_much_fails(home: Path, code: str, said: str) -> None:
    with pytest.raises(Z3traceError, match=said):
        _python(home, code)


@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(60)"])
def test_what_takes_too_long_is_ended(home: Path, code: str, boxed: bool) -> None:
    began = time.monotonic()
    with pytest.raises(Z3traceError, match="the test (took longer than 1 s|was killed)"):
        _python(home, code, timeout=1, boxed=boxed)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("sign", ["SIGKILL", "SIGXCPU"])
def test_at_the_limit_of_the_processor_it_is_said(home: Path, sign: str, boxed: bool) -> None:
    code = f"import os, signal; os.kill(os.getpid(), signal.{sign})"
    with pytest.raises(Z3traceError, match=r"^the test was killed: it took too much time or mem"):
        _python(home, code, boxed=boxed)


@pytest.mark.parametrize("end", ["", "time.sleep(60)"])
def test_nothing_outlives_the_box(home: Path, end: str) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(2); open('late', 'w').close()\n"
        f"{end}\n"
    )
    try:
        _python(home, code, timeout=1)
    except Z3traceError as error:
        assert end, error
    time.sleep(2.5)
    assert list(home.iterdir()) == []


_FLOOD = """
import os, time
children = 0
try:
    while children < 2000:
        if os.fork() == 0: time.sleep(20); os._exit(0)
        children += 1
except BlockingIOError: pass
print(children, flush=True); os._exit(0)
"""


def test_an_ordinary_users_processes_are_bounded() -> None:
    """The kernel does not hold root to this bound: as root it is tried as nobody."""
    code = (
        "import tempfile, pathlib; from z3trace.kernels.box import Box\n"
        "with tempfile.TemporaryDirectory() as home:\n"
        f"    print(Box(pathlib.Path(home)).run(['python3', '-c', {_FLOOD!r}], doing='flood'))\n"
    )
    command = [sys.executable, "-c", code]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert 200 < int(result.stdout) < 256


@pytest.mark.parametrize(
    "code",
    [
        "os.symlink('/etc/passwd', 'l')",
        "os.symlink('nothing', 'l')",
        "os.mkdir('d'); os.symlink('.', 'd/l')",
        "os.mkfifo('f')",
        "socket.socket(socket.AF_UNIX).bind('s')",
    ],
)
def test_only_files_may_be_left(home: Path, code: str) -> None:
    with pytest.raises(InputError, match="the test leaves what is no file: '[lfs]'"):
        _python(home, f"import os, socket; {code}")


def test_few_and_small_files_may_be_left(home: Path) -> None:
    with pytest.raises(InputError, match="too many"):
        _python(home, "[open(str(n), 'w').close() for n in range(1001)]")
    with pytest.raises(InputError, match="too large"):
        _python(home, "[open('big' + str(n), 'wb').truncate(200 << 20) for n in range(3)]")


def test_what_is_left_is_looked_at_after_a_failure_too(home: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        _python(home, "import os; os.symlink('x', 'l'); raise SystemExit(1)")


def test_without_bubblewrap_nothing_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setattr("z3trace.tools._SYSTEM_DIRECTORIES", ())
    with pytest.raises(CannotTraceError) as raised:
        Box(home).run(["touch", "ran"], doing="touch")
    assert raised.value.exit_code == 4
    assert "apt-get install bubblewrap; --unboxed lets" in raised.value.hint
    assert list(home.iterdir()) == []


def test_where_the_kernel_refuses_a_box_it_is_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create a namespace' >&2; exit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(CannotTraceError, match="refuses one: No permissions to create a namespace"):
        Box(home).run(["touch", "ran"], doing="touch")
    assert list(home.iterdir()) == []


def test_a_program_that_talks_like_bubblewrap_has_only_failed(home: Path) -> None:
    with pytest.raises(Z3traceError, match="^trying failed with status 1:\nbwrap: no$") as raised:
        Box(home).run(["sh", "-c", "echo bwrap: no; exit 1"], doing="trying")
    assert type(raised.value) is Z3traceError


def test_unboxed_means_no_walls(home: Path, tmp_path: Path) -> None:
    _python(home, f"open({str(tmp_path / 'outside')!r}, 'w').close()", boxed=False)
    assert (tmp_path / "outside").exists()


def test_a_program_elsewhere_is_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "myspatch").write_text("")
    (tmp_path / "myspatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Z3traceError, match="myspatch is at .*below /usr only"):
        Box(home).run(["myspatch"], doing="x")


@pytest.mark.parametrize("boxed", [True, False])
def test_what_a_compiler_says_has_no_path_that_is_gone(tmp_path: Path, boxed: bool) -> None:
    """Its first error comes first, without the directory and without make's chatter."""
    (tmp_path / "Makefile").write_text(
        "x.o: x.c\n\t@echo '  CC [M]  x.o'\n\tgcc -c $(CURDIR)/x.c\n"
    )
    broken = "".join(f"int f{i}(void) {{ return undeclared{i}; }}\n" for i in range(40))
    (tmp_path / "x.c").write_text(broken)
    with pytest.raises(Z3traceError) as raised:
        Box(tmp_path, boxed=boxed).run(["make", "-w", "-C", tmp_path], doing="building x")
    first, *lines = raised.value.message.splitlines()
    assert first == "building x failed with status 2:"
    assert lines[0].startswith("x.c:1:")
    assert "undeclared0" in lines[0]
    assert len(lines) <= 15
    assert str(tmp_path) not in raised.value.message
    assert "directory" not in raised.value.message

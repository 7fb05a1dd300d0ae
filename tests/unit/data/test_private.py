"""What a recording that is mailed around tells of its machine."""

import pytest
from checksamples import header
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from samples import session

from z3trace.data import private
from z3trace.data.model import WorkloadResult

CMDLINE = (
    "BOOT_IMAGE=/vmlinuz-6.1 root=UUID=0a1b-2c3d ro cryptdevice=/dev/sda2:secret ip=10.1.2.3::"
    " hostname=alice-laptop mitigations=off isolcpus=2,3 nohz_full=2,3 transparent_hugepage=never"
    " systemd.unit=rescue.target user.password=hunter2 tsc=reliable zswap.enabled=1"
    " Z3T_SHARE=/home/alice/x init=/home/alice/init memory_secret=1"
)


def test_of_a_kernel_s_command_line_what_figures_depend_on_is_kept() -> None:
    assert private.parameters(CMDLINE) == (
        "mitigations=off isolcpus=2,3 nohz_full=2,3 transparent_hugepage=never tsc=reliable "
        "zswap.enabled=1 (11 left out)"
    )
    assert private.parameters("") == ""
    assert private.parameters("quiet") == "quiet"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("/home/alice/secret-project/x.patch", ".../x.patch"),
        ("--patch=/home/alice/x.patch", "--patch=.../x.patch"),
        ("zswap:dir=/srv/alice/a,mb=96", "zswap:dir=.../a,mb=96"),
        ("cat: /root/a b/c: No such file", "cat: .../a b/c: No such file"),
        ("'/home/alice b/x y' -n 3", "'.../x y' -n 3"),
        ("file:///home/alice/x", "file:///home/alice/x"),
        ("a:/home/a/x:/home/b/y", "a:.../x:.../y"),
        ("/home/alice/dir/", ".../"),
        ("(/tmp/a/b)", "(.../b)"),
    ],
)
def test_directories_of_the_host_are_left_out_of_a_text(told: str, kept: str) -> None:
    if told.startswith("file:"):
        assert private.text(told) == told, "an address is none of this host"
    else:
        assert private.text(told) == kept


@pytest.mark.parametrize(
    "told",
    [
        *("", "/", "/x", "x", "a/b/c", "build/demo", "./x/y", "../x/y", "~/x/y", "1/2", "a / b"),
        *("/usr/bin/stress-ng", "/sys/kernel/mm", "/proc/1/maps", "/dev/null", "/etc/hosts"),
        *(
            "zpool-bench:threads=2,ops=1000",
            "12 op/s and 3 GB/s",
            "</b>",
            "https://example.org/a/b",
        ),
    ],
)
def test_what_tells_of_nobody_stays(told: str) -> None:
    assert private.text(told) == told
    assert private.word(told) == told


@given(st.lists(st.from_regex(r"[a-z0-9 ._-]{1,12}", fullmatch=True), min_size=3, max_size=6))
def test_a_word_that_is_a_path_keeps_its_name_only(parts: list[str]) -> None:
    path = "/home/" + "/".join(parts)
    assert private.word(path) == f".../{parts[-1]}"
    assert private.text(private.text(path)) == private.text(path)


def test_every_text_of_an_origin_that_could_hold_one_is_looked_at() -> None:
    telling = "/home/alice/project/x"
    for made in (session("v1"), header()):
        environment = structs.replace(made.environment, command_line=f"init={telling} tsc=reliable")
        changed = structs.replace(
            made, environment=environment, workload=f"run {telling}", command=["z3trace", telling]
        )
        kept = private.origin(changed)
        assert "alice" not in repr(kept)
        assert kept.workload == "run .../x"
        assert kept.command == ["z3trace", ".../x"]
        assert kept.environment.command_line == "tsc=reliable (1 left out)"
        assert structs.replace(kept, environment=environment) != changed
    said = private.result(WorkloadResult(status=1, output=f"no {telling}"))
    assert (said.status, said.output) == (1, "no .../x")

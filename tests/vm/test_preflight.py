"""What forbids tracing is found before anything is compiled, on a real kernel."""

import pytest

from vm.conftest import Guest, z3trace

pytestmark = pytest.mark.vm


def test_hidden_addresses_and_a_lockdown_are_refused_at_once(guest: Guest) -> None:
    record = f"{z3trace()} record --target x.toml -o x.z3t -- true"
    script = (
        "set +e; modprobe z3fold; cp /dev/null x.toml\n"
        'printf \'name="x"\\nmodule="z3fold"\\n[operations.alloc]\\n'
        'functions=["z3fold_zpool_malloc"]\\n\' > x.toml\n'
        "echo 2 > /proc/sys/kernel/kptr_restrict\n"
        f"timeout 60 {record}; echo hidden $?\n"
        f"timeout 60 {z3trace()} doctor > doctor.txt; echo doctor $?\n"
        "grep -c . doctor.txt; echo 0 > /proc/sys/kernel/kptr_restrict\n"
        "mount -t debugfs d /sys/kernel/debug 2> /dev/null\n"
        "cat /proc/sys/kernel/ftrace_enabled /sys/kernel/debug/kprobes/enabled\n"
        f"echo 0 > /proc/sys/kernel/ftrace_enabled; {record}; echo entries $?\n"
        "echo 1 > /proc/sys/kernel/ftrace_enabled\n"
        f"echo 0 > /sys/kernel/debug/kprobes/enabled; {record}; echo off $?\n"
        "echo 1 > /sys/kernel/debug/kprobes/enabled\n"
        "umount /sys/kernel/security 2> /dev/null; mount -t securityfs s /mnt\n"
        "echo confidentiality > /mnt/lockdown; umount /mnt\n"
        f"timeout 60 {record}; echo locked $?\n"
    )
    result = guest(script)
    lines = result.stdout.splitlines()
    assert "hidden 4" in lines
    assert "doctor 4" in lines
    assert int(lines[lines.index("doctor 4") + 1]) > 8, "doctor printed no more than the fault"
    for word in ("locked", "entries", "off"):
        assert f"{word} 4" in lines
    assert "sysctl kernel.ftrace_enabled=1" in result.stderr
    assert "echo 1 > /sys/kernel/debug/kprobes/enabled" in result.stderr
    assert "kptr_restrict is 2: addresses are hidden from root too" in result.stderr
    assert "sysctl kernel.kptr_restrict=1" in result.stderr
    assert "locked down" in result.stderr
    assert "Traceback" not in result.stderr

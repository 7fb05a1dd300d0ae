"""Examples of the manual pages: (what it does, a command line), by verb."""

EXAMPLES: dict[tuple[str, ...], list[tuple[str, str]]] = {
    (): [
        ("What can be seen on this host:", "z3trace doctor"),
        (
            "Ten runs of a workload, before and after:",
            "z3trace record -o before.z3t --runs 10 -- ./my-workload\n"
            "z3trace record -o after.z3t --runs 10 -- ./my-workload\n"
            "z3trace compare before.z3t after.z3t",
        ),
        (
            "A patch as it came by mail, in a guest:",
            "z3trace review mail.mbox --base packaged -o out/review",
        ),
    ],
    ("record",): [
        (
            "Ten runs of a command in each way, into one recording:",
            "z3trace record -o run.z3t --runs 10 -- ./my-workload",
        ),
        (
            "Ten seconds of whatever happens, read at once:",
            "z3trace record -o - --duration 10s | z3trace show -",
        ),
    ],
    ("doctor",): [
        ("Whether a recording of zsmalloc would be whole:", "z3trace doctor --target zsmalloc")
    ],
    ("target", "list"): [("All shipped targets:", "z3trace target list")],
    ("target", "init"): [("A draft for another module:", "z3trace target init zram -o zram.toml")],
    ("check",): [
        ("Check a patch in a guest:", "z3trace check --patch my.patch -o out/check"),
    ],
    ("show",): [
        ("A recording, its call sites too:", "z3trace show --sites run.z3t"),
        ("The same as numbers:", "z3trace show --json run.z3t"),
    ],
    ("compare",): [
        (
            "A table, plots and a report for a mail:",
            "z3trace compare before.z3t after.z3t --plots plots --report report.txt",
        ),
        (
            "Fail if a figure got worse by 5 % or more:",
            "z3trace compare before.z3t after.z3t --fail-on-regression 5",
        ),
    ],
    ("trend",): [("All recordings of a directory, over time:", "z3trace trend archive")],
    ("export",): [
        ("For a spreadsheet:", "z3trace export before.z3t after.z3t -o figures.csv"),
        ("For a pipe:", "z3trace export run.z3t -o - --format prom"),
    ],
    ("ab",): [
        (
            "A patch against the packaged source:",
            "z3trace ab --before stock --patch my.patch -o out/ab",
        )
    ],
    ("review",): [
        (
            "A reply to a mail, with checks and figures:",
            "z3trace review mail.mbox --base packaged -o out/review",
        )
    ],
    ("vm",): [("The kernel of a guest:", "z3trace vm -- uname -r")],
    ("kernel", "fetch"): [
        ("Which kernels there are:", "z3trace kernel fetch --offered"),
        ("One of a series:", "z3trace kernel fetch 6.12"),
    ],
    ("kernel", "list"): [("What is in the cache:", "z3trace kernel list")],
    ("kernel", "build"): [
        ("The variants of a target:", "z3trace kernel build --variants"),
        ("One of them:", "z3trace kernel build --variant pool-lock"),
    ],
    ("kernel", "config"): [("What a kernel needs:", "z3trace kernel config")],
    ("kernel", "source"): [("The packaged source:", "z3trace kernel source linux --release 6.1")],
    ("kernel", "make"): [
        ("A kernel with a patch of built-in code:", "z3trace kernel make linux --patch my.patch")
    ],
    ("completion",): [
        ("Completion and manual pages for this user:", "z3trace completion --install"),
        ("Completion of this shell only:", 'eval "$(z3trace completion bash)"'),
    ],
    ("config",): [
        ("A file with every option in it, as comments:", "z3trace config --init"),
        ("What is set, and where:", "z3trace config"),
    ],
}

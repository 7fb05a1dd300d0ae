"""How large a recording or a check can be: the reader refuses what is larger, and the
writers see to it before anything is lost.

Files come from strangers.  Each limit is a few times what a real one needs, so that a
file made to fill the memory is refused by what it holds, not by the machine.
"""

#: Characters of a name: a symbol of the kernel has at most 511 (KSYM_NAME_LEN).
NAME = 512
#: Characters of the names that a target's definition chooses, of which each has at most
#: 60, and of the words for rules and steps; what is longer but fits is shown as it is.
WORD = 128
#: Characters of a text: a kernel's command line, a workload, a word of a command.
TEXT = 1 << 16
#: Words of the command that made a recording: what a shell's pattern may expand to.
COMMAND = 4096
#: Characters of them all, and of the workload that they name.
COMMAND_CHARACTERS = 1 << 18

#: Operations of a target, and its lock classes: the probes know 8 of each.
OPERATIONS = 16
CLASSES = 16
#: Members of kernel structures that belong to one lock class.
MEMBERS = 16
#: Lock call sites of a target; ``bpf.layout.MOST_SITES``.
SITES = 8192
#: Functions inlined into each other at one call site: compilers stop far before.
INLINED = 64
#: Histograms of a run: six metrics, two of each operation and four of each class.
SERIES = 2 * OPERATIONS + 4 * CLASSES
#: Counts that a workload adds of its own; the largest one has ten.
FACTS = 64
#: Histograms of all runs: 10 000 runs with all 48 that the probes can see.
ALL_SERIES = 480_000
#: Different names of operations, classes and facts over all runs of a recording.
NAMES = OPERATIONS + CLASSES + FACTS
#: Runs of a recording: 10 000 of each kind (all, ops, locks, none) can be asked for.
RUNS = 40_000

#: Bytes of a line.  A session with 8 192 call sites is 3.5 MB, a run in which all of them
#: and every bucket of every histogram were hit is 3 MB, a run of z3fold is 37 kB.
LINE = 4 << 20
#: Bytes of a recording, unpacked: 10 000 runs of 64 KiB.
RECORDING = 640 << 20
#: Bytes that one packed byte may stand for, beyond the first ones.  Recordings of runs
#: that differ pack to a fifth, ours of runs in which nothing happened to a 25th, and
#: these packed again as a whole to a 58th.
PACKED_RATIO = 64
PACKED_FREE = 4 << 20
#: Bytes of a packed file: packing makes no recording larger.
PACKED = RECORDING
#: Members of a packed file: ours have one, files joined with ``cat`` have one each.
MEMBERS_PACKED = 4096

#: Bytes of a check, and of what progress may take of it: a line a second is 100 MB after
#: half a day in which all goes on changing.
CHECK = 256 << 20
CHECK_PROGRESS = 192 << 20
#: Incidents in full: 64 of each of 256 CPUs; what is beyond is counted, not told.
INCIDENTS = 1 << 14
#: Lock events before an incident; the kernel keeps 8.
STEPS = 16
#: Conditions of a target; ``bpf.checklayout.CONDITIONS``.
CONDITIONS = 16
#: Rules, and offences: of each rule at each call site and at none.
RULES = 32
OFFENCES = RULES * (SITES + 1)

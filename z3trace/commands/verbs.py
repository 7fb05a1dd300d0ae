"""The verbs: which file has each, and its line in the help."""

#: verb -> (module in z3trace.commands, help line); a module is imported when its
#: verb is used, so that help and completion stay fast.
VERBS = {
    "record": ("record", "Record a target's latency and lock histograms while a workload runs."),
    "doctor": ("doctor", "Print what this kernel allows, and what a recording would see."),
    "target": ("target", "List the shipped targets, draft a definition for another module."),
    "check": ("check", "Judge lock discipline while a workload runs."),
    "show": ("show", "Print a recording."),
    "compare": ("compare", "Compare recordings: figures, verdicts, plots, reports."),
    "trend": ("trend", "Show an archive of recordings over time, change points marked."),
    "export": ("export", "Write recordings as CSV, Parquet, OpenMetrics or .hgrm."),
    "ab": ("ab", "Build two variants, record both in one guest, compare."),
    "review": ("review", "Check and compare a patch as it came by mail, and write a reply."),
    "vm": ("vm", "Run a command in a guest of a chosen kernel."),
    "kernel": ("kernel", "Fetch kernels and build variants of modules for them."),
    "config": ("config", "Print what is set by file and environment, or write a file."),
    "completion": ("completion", "Print or install completion and manual pages."),
}
HIDDEN = {
    "ab-guest": ("ab_guest", "The part of ab that runs in the guest."),
    "check-guest": ("check_guest", "The part of check that runs in the guest."),
}

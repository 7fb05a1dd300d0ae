"""A patch made up for reviews, as it is quoted."""

from z3trace.data.patchlines import PatchLine, PatchText

_HUNKS = (
    ("@@ -96,6 +96,7 @@ static int z3fold_alloc(struct z3fold_pool *pool, size_t size)", 96, "z3fold_alloc", (
        " \tint i;", " ", " \tfor (i = 0; i < 3; i++) {", "-\t\tcpu_relax();",
        "+\t\tcpu_relax(); /* größer */", "+\t\tz3fold_page_lock(zhdr);", " \t}", " \treturn 0;",
    )),
    ("@@ -198,5 +199,6 @@ static void z3fold_free(struct z3fold_pool *pool)", 199, "z3fold_free", (
        " {", "+\tz3fold_page_unlock(zhdr);", " \tlist_del(&page->lru);", " \tkfree(zhdr);", " }",
    )),
)  # fmt: skip


def text() -> PatchText:
    """Of two hunks: in z3fold_alloc, where line 100 takes a lock, and in z3fold_free."""
    lines = [
        PatchLine("diff --git a/mm/z3fold.c b/mm/z3fold.c", "header", "mm/z3fold.c"),
        PatchLine("--- a/mm/z3fold.c", "header", "mm/z3fold.c"),
        PatchLine("+++ b/mm/z3fold.c", "header", "mm/z3fold.c"),
    ]
    kinds = {" ": "context", "+": "added", "-": "removed"}
    for number, (header, at, function, changed) in enumerate(_HUNKS, 1):
        lines.append(PatchLine(header, "hunk", "mm/z3fold.c", 0, number))
        line = at
        for each in changed:
            where = ("mm/z3fold.c", line, number, function)
            lines.append(PatchLine(each, kinds[each[0]], *where))  # type: ignore[arg-type]
            line += each[0] != "-"
    return PatchText(
        "p.eml",
        "[PATCH 1/3] z3fold: use per-page spinlock",
        "A <a@example.org>",
        "On Tue, Nov 15, 2016 at 11:00 AM, A <a@example.org> wrote:",
        lines,
        "<1@x>",
    )

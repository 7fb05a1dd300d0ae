// SPDX-License-Identifier: GPL-2.0-only
// A HEADLESS page has no lock in it: its first bytes are the object's.  With the
// flag gone, the release of the page "unlocks" them.

@@ identifier zhdr, page; @@
+clear_bit(PAGE_HEADLESS, &page->private);
 put_z3fold_header(zhdr);
 free_z3fold_page(page, true);

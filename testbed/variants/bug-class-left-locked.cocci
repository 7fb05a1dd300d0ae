// SPDX-License-Identifier: GPL-2.0-only
// The end of a free, without the unlock: whoever wants the class next waits for ever.

@@ expression e; @@
 zs_free(...)
 {
 <...
-spin_unlock(e);
 cache_free_handle(...);
 ...>
 }

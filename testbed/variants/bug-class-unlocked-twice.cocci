// SPDX-License-Identifier: GPL-2.0-only
// A free unlocks once more what it has unlocked, and with it whoever has it by then.

@@ expression e; @@
 zs_free(...)
 {
 <...
 spin_unlock(e);
+spin_unlock(e);
 cache_free_handle(...);
 ...>
 }

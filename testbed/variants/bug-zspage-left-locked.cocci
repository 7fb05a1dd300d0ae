// SPDX-License-Identifier: GPL-2.0-only
// An object that is unmapped leaves its zspage locked: the next compaction waits for ever.

@@ symbol zspage; @@
 zs_unmap_object(...)
 {
 ...
-migrate_read_unlock(zspage);
 }

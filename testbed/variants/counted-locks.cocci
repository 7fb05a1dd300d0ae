// SPDX-License-Identifier: GPL-2.0-only
// The target counts its own lock operations (testbed/counted.h), so that a recording
// can be held against the truth.

@@ expression e; @@
-spin_lock(e)
+counted_spin_lock(e)

@@ expression e; @@
-spin_trylock(e)
+counted_spin_trylock(e)

@@ expression e; @@
-spin_unlock(e)
+counted_spin_unlock(e)

@@ expression e; @@
-read_lock(e)
+counted_read_lock(e)

@@ expression e; @@
-read_unlock(e)
+counted_read_unlock(e)

@@ expression e; @@
-write_lock(e)
+counted_write_lock(e)

@@ expression e; @@
-write_unlock(e)
+counted_write_unlock(e)

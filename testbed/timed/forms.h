/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The forms of the kernel's lock calls, timed: a function for each, then the
 * macro that puts it in the place of the kernel's. Included by timed.h.
 */

/* What a task may sleep with, it may wake up with on another CPU. */
#define Z3TIMED_RT IS_ENABLED(CONFIG_PREEMPT_RT)

static __always_inline void z3timed_got(bool sleeps, const void *lock,
					struct z3timed_call *call)
{
	if (sleeps)
		z3timed_sleeper_acquired((unsigned long)lock, call, 0);
	else
		z3timed_acquired((unsigned long)lock, call);
}

static __always_inline void z3timed_got_late(bool sleeps, const void *lock,
					     struct z3timed_call *call,
					     u64 since)
{
	if (sleeps)
		z3timed_sleeper_acquired((unsigned long)lock, call, since);
	else
		z3timed_acquired_slowly((unsigned long)lock, call, since);
}

#define Z3TIMED_RELEASE_SLEEPING(exclusive, key, call, release)                \
	do {                                                                   \
		struct z3timed_held z3timed_held;                              \
		bool z3timed_known = z3timed_sleeper_take(                     \
			(unsigned long)(key), exclusive, &z3timed_held);       \
		u64 z3timed_now = z3timed_clock();                             \
                                                                               \
		release;                                                       \
		z3timed_sleeper_released(z3timed_known ? &z3timed_held : NULL, \
					 call, z3timed_now);                   \
	} while (0)

#define Z3TIMED_RELEASE_SPINNING(key, call, release)                           \
	do {                                                                   \
		struct z3timed_popped z3timed_popped =                         \
			z3timed_pop((unsigned long)(key), call);               \
                                                                               \
		release;                                                       \
		if (unlikely(z3timed_popped.ticks))                            \
			z3timed_released(z3timed_popped);                      \
	} while (0)

#define Z3TIMED_RELEASE(sleeps, exclusive, key, call, release)                 \
	do {                                                                   \
		if (sleeps)                                                    \
			Z3TIMED_RELEASE_SLEEPING(exclusive, key, call,         \
						 release);                     \
		else                                                           \
			Z3TIMED_RELEASE_SPINNING(key, call, release);          \
	} while (0)

/* What tries where the kernel has no such form: what the taking form turns off
 * is off during the try, and on again if it fails. */
#define Z3TIMED_TRIES(form, type, off, tries, on)                              \
	static __always_inline int z3timed_try_##form(type *lock)              \
	{                                                                      \
		off;                                                           \
		if (likely(tries(lock)))                                       \
			return 1;                                              \
		on;                                                            \
		return 0;                                                      \
	}

#define Z3TIMED_TAKES(form, type, tries, sleeps)                               \
	static __always_inline void z3timed_##form(type *lock,                 \
						   struct z3timed_call *call)  \
	{                                                                      \
		u64 since;                                                     \
                                                                               \
		if (likely(tries(lock))) {                                     \
			z3timed_got(sleeps, lock, call);                       \
			return;                                                \
		}                                                              \
		since = z3timed_since();                                       \
		form(lock);                                                    \
		z3timed_got_late(sleeps, lock, call, since);                   \
	}

/* Forms that may end without the lock. */
#define Z3TIMED_MAY_TAKE(form, type, tries)                                    \
	static __always_inline int __must_check z3timed_##form(                \
		type *lock, struct z3timed_call *call)                         \
	{                                                                      \
		u64 since;                                                     \
		int ret;                                                       \
                                                                               \
		if (likely(tries(lock))) {                                     \
			z3timed_got(true, lock, call);                         \
			return 0;                                              \
		}                                                              \
		since = z3timed_since();                                       \
		ret = form(lock);                                              \
		if (!ret)                                                      \
			z3timed_got_late(true, lock, call, since);             \
		return ret;                                                    \
	}

#define Z3TIMED_TAKES_IRQSAVE(form, type, off, tries, on, sleeps)              \
	static __always_inline unsigned long z3timed_##form(                   \
		type *lock, struct z3timed_call *call)                         \
	{                                                                      \
		unsigned long flags;                                           \
		u64 since;                                                     \
                                                                               \
		off(flags);                                                    \
		if (likely(tries(lock))) {                                     \
			z3timed_got(sleeps, lock, call);                       \
			return flags;                                          \
		}                                                              \
		on(flags);                                                     \
		since = z3timed_since();                                       \
		form(lock, flags);                                             \
		z3timed_got_late(sleeps, lock, call, since);                   \
		return flags;                                                  \
	}

#define Z3TIMED_TRIES_ONCE(form, type, sleeps)                                 \
	static __always_inline int z3timed_##form(type *lock,                  \
						  struct z3timed_call *call)   \
	{                                                                      \
		if (likely(form(lock))) {                                      \
			z3timed_got(sleeps, lock, call);                       \
			return 1;                                              \
		}                                                              \
		z3timed_failed((unsigned long)lock, call);                     \
		return 0;                                                      \
	}

/* A try that saves flags, of one that does not. */
#define Z3TIMED_TRIES_IRQSAVE(form, type, off, tries, on, sleeps)              \
	static __always_inline int z3timed_##form(                             \
		type *lock, unsigned long *saved, struct z3timed_call *call)   \
	{                                                                      \
		unsigned long flags;                                           \
                                                                               \
		off(flags);                                                    \
		*saved = flags;                                                \
		if (likely(tries(lock))) {                                     \
			z3timed_got(sleeps, lock, call);                       \
			return 1;                                              \
		}                                                              \
		on(flags);                                                     \
		z3timed_failed((unsigned long)lock, call);                     \
		return 0;                                                      \
	}

#define Z3TIMED_RELEASES(form, type, sleeps, exclusive)                        \
	static __always_inline void z3timed_##form(type *lock,                 \
						   struct z3timed_call *call)  \
	{                                                                      \
		Z3TIMED_RELEASE(sleeps, exclusive, lock, call, form(lock));    \
	}

#define Z3TIMED_RESTORES(form, type, sleeps, exclusive)                        \
	static __always_inline void z3timed_##form(                            \
		type *lock, unsigned long flags, struct z3timed_call *call)    \
	{                                                                      \
		Z3TIMED_RELEASE(sleeps, exclusive, lock, call,                 \
				form(lock, flags));                            \
	}

/* PREEMPT_RT leaves interrupts on around locks that sleep. */
#ifdef CONFIG_PREEMPT_RT
#define z3timed_save(flags) (flags) = 0
#define z3timed_restore(flags) (void)(flags)
#define z3timed_disable()                                                      \
	do {                                                                   \
	} while (0)
#define z3timed_enable()                                                       \
	do {                                                                   \
	} while (0)
#else
#define z3timed_save(flags) local_irq_save(flags)
#define z3timed_restore(flags) local_irq_restore(flags)
#define z3timed_disable() local_irq_disable()
#define z3timed_enable() local_irq_enable()
#endif

#define Z3TIMED_SPINLOCKS(prefix, type, sleeps, save, restore)                 \
	Z3TIMED_TAKES(prefix##_lock, type, prefix##_trylock, sleeps)           \
	Z3TIMED_TAKES(prefix##_lock_bh, type, prefix##_trylock_bh, sleeps)     \
	Z3TIMED_TAKES(prefix##_lock_irq, type, prefix##_trylock_irq, sleeps)   \
	Z3TIMED_TAKES_IRQSAVE(prefix##_lock_irqsave, type, save,               \
			      prefix##_trylock, restore, sleeps)               \
	Z3TIMED_TRIES_ONCE(prefix##_trylock, type, sleeps)                     \
	Z3TIMED_TRIES_ONCE(prefix##_trylock_bh, type, sleeps)                  \
	Z3TIMED_TRIES_ONCE(prefix##_trylock_irq, type, sleeps)                 \
	Z3TIMED_TRIES_IRQSAVE(prefix##_trylock_irqsave, type, save,            \
			      prefix##_trylock, restore, sleeps)               \
	Z3TIMED_RELEASES(prefix##_unlock, type, sleeps, true)                  \
	Z3TIMED_RELEASES(prefix##_unlock_bh, type, sleeps, true)               \
	Z3TIMED_RELEASES(prefix##_unlock_irq, type, sleeps, true)              \
	Z3TIMED_RESTORES(prefix##_unlock_irqrestore, type, sleeps, true)

Z3TIMED_SPINLOCKS(spin, spinlock_t, Z3TIMED_RT, z3timed_save, z3timed_restore)
Z3TIMED_SPINLOCKS(raw_spin, raw_spinlock_t, false, local_irq_save,
		  local_irq_restore)

#define Z3TIMED_RWLOCKS(prefix, exclusive)                                     \
	Z3TIMED_TRIES(prefix##_lock_bh, rwlock_t, local_bh_disable(),          \
		      prefix##_trylock, local_bh_enable())                     \
	Z3TIMED_TRIES(prefix##_lock_irq, rwlock_t, z3timed_disable(),          \
		      prefix##_trylock, z3timed_enable())                      \
	Z3TIMED_TAKES(prefix##_lock, rwlock_t, prefix##_trylock, Z3TIMED_RT)   \
	Z3TIMED_TAKES(prefix##_lock_bh, rwlock_t,                              \
		      z3timed_try_##prefix##_lock_bh, Z3TIMED_RT)              \
	Z3TIMED_TAKES(prefix##_lock_irq, rwlock_t,                             \
		      z3timed_try_##prefix##_lock_irq, Z3TIMED_RT)             \
	Z3TIMED_TAKES_IRQSAVE(prefix##_lock_irqsave, rwlock_t, z3timed_save,   \
			      prefix##_trylock, z3timed_restore, Z3TIMED_RT)   \
	Z3TIMED_TRIES_ONCE(prefix##_trylock, rwlock_t, Z3TIMED_RT)             \
	Z3TIMED_TRIES_IRQSAVE(prefix##_trylock_irqsave, rwlock_t,              \
			      z3timed_save, prefix##_trylock, z3timed_restore, \
			      Z3TIMED_RT)                                      \
	Z3TIMED_RELEASES(prefix##_unlock, rwlock_t, Z3TIMED_RT, exclusive)     \
	Z3TIMED_RELEASES(prefix##_unlock_bh, rwlock_t, Z3TIMED_RT, exclusive)  \
	Z3TIMED_RELEASES(prefix##_unlock_irq, rwlock_t, Z3TIMED_RT, exclusive) \
	Z3TIMED_RESTORES(prefix##_unlock_irqrestore, rwlock_t, Z3TIMED_RT,     \
			 exclusive)

Z3TIMED_RWLOCKS(read, false)
Z3TIMED_RWLOCKS(write, true)

Z3TIMED_TAKES(mutex_lock, struct mutex, mutex_trylock, true)
Z3TIMED_TAKES(mutex_lock_io, struct mutex, mutex_trylock, true)
Z3TIMED_MAY_TAKE(mutex_lock_interruptible, struct mutex, mutex_trylock)
Z3TIMED_MAY_TAKE(mutex_lock_killable, struct mutex, mutex_trylock)
Z3TIMED_TRIES_ONCE(mutex_trylock, struct mutex, true)
Z3TIMED_RELEASES(mutex_unlock, struct mutex, true, true)

Z3TIMED_TAKES(down_read, struct rw_semaphore, down_read_trylock, true)
Z3TIMED_MAY_TAKE(down_read_interruptible, struct rw_semaphore,
		 down_read_trylock)
Z3TIMED_MAY_TAKE(down_read_killable, struct rw_semaphore, down_read_trylock)
Z3TIMED_TAKES(down_write, struct rw_semaphore, down_write_trylock, true)
Z3TIMED_MAY_TAKE(down_write_killable, struct rw_semaphore, down_write_trylock)
Z3TIMED_TRIES_ONCE(down_read_trylock, struct rw_semaphore, true)
Z3TIMED_TRIES_ONCE(down_write_trylock, struct rw_semaphore, true)
Z3TIMED_RELEASES(up_read, struct rw_semaphore, true, false)
Z3TIMED_RELEASES(up_write, struct rw_semaphore, true, true)

/* The end of one hold and the begin of another, which waits for nobody. */
static __always_inline void z3timed_downgrade_write(struct rw_semaphore *lock,
						    struct z3timed_call *write,
						    struct z3timed_call *read)
{
	Z3TIMED_RELEASE(true, true, lock, write, downgrade_write(lock));
	z3timed_got(true, lock, read);
}

/* A bit lock is known by word and bit: another one than a lock that lies at
 * the word's address. */
static __always_inline unsigned long z3timed_bit(int bit,
						 const unsigned long *word)
{
	return (unsigned long)word ^ (bit + 1ul) << 56;
}

static __always_inline void z3timed_bit_spin_lock(int bit, unsigned long *word,
						  struct z3timed_call *call)
{
	u64 since;

	if (likely(bit_spin_trylock(bit, word))) {
		z3timed_acquired(z3timed_bit(bit, word), call);
		return;
	}
	since = z3timed_since();
	bit_spin_lock(bit, word);
	z3timed_acquired_slowly(z3timed_bit(bit, word), call, since);
}

static __always_inline int z3timed_bit_spin_trylock(int bit,
						    unsigned long *word,
						    struct z3timed_call *call)
{
	if (likely(bit_spin_trylock(bit, word))) {
		z3timed_acquired(z3timed_bit(bit, word), call);
		return 1;
	}
	z3timed_failed(z3timed_bit(bit, word), call);
	return 0;
}

#define Z3TIMED_RELEASES_BIT(form)                                             \
	static __always_inline void z3timed_##form(                            \
		int bit, unsigned long *word, struct z3timed_call *call)       \
	{                                                                      \
		Z3TIMED_RELEASE(false, true, z3timed_bit(bit, word), call,     \
				form(bit, word));                              \
	}

Z3TIMED_RELEASES_BIT(bit_spin_unlock)
Z3TIMED_RELEASES_BIT(__bit_spin_unlock)

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The macros that take the place of the kernel's lock calls, each with the
 * descriptor of the call. Included by timed.h.
 *
 * The lock is an argument of a function and met once, as in the kernel. Names
 * of lockdep's classes are left out: a try has none.
 */

#define Z3TIMED_CALL(its_kind, its_action, its_expression)                     \
	({                                                                     \
		static struct z3timed_call z3timed_call __section(             \
			"z3timed.calls") = {                                   \
			.file = __FILE__,                                      \
			.function = __func__,                                  \
			.expression = its_expression,                          \
			.line = __LINE__,                                      \
			.kind = its_kind,                                      \
			.action = its_action,                                  \
		};                                                             \
		&z3timed_call;                                                 \
	})
#define Z3TIMED_GETS(kind, expression)                                         \
	Z3TIMED_CALL(Z3TIMED_##kind, Z3TIMED_ACQUIRE, expression)
#define Z3TIMED_ASKS(kind, expression)                                         \
	Z3TIMED_CALL(Z3TIMED_##kind, Z3TIMED_TRY, expression)
#define Z3TIMED_LETS_GO(kind, expression)                                      \
	Z3TIMED_CALL(Z3TIMED_##kind, Z3TIMED_RELEASE, expression)

#undef spin_lock
#define spin_lock(lock) z3timed_spin_lock(lock, Z3TIMED_GETS(SPIN, #lock))
#undef spin_lock_bh
#define spin_lock_bh(lock) z3timed_spin_lock_bh(lock, Z3TIMED_GETS(SPIN, #lock))
#undef spin_lock_irq
#define spin_lock_irq(lock)                                                    \
	z3timed_spin_lock_irq(lock, Z3TIMED_GETS(SPIN, #lock))
#undef spin_lock_irqsave
#define spin_lock_irqsave(lock, flags)                                         \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		flags = z3timed_spin_lock_irqsave(lock,                        \
						  Z3TIMED_GETS(SPIN, #lock));  \
	} while (0)
#undef spin_lock_nested
#define spin_lock_nested(lock, subclass)                                       \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_spin_lock(lock, Z3TIMED_GETS(SPIN, #lock));            \
	})
#undef spin_lock_nest_lock
#define spin_lock_nest_lock(lock, nest_lock)                                   \
	z3timed_spin_lock(lock, Z3TIMED_GETS(SPIN, #lock))
#undef spin_lock_irqsave_nested
#define spin_lock_irqsave_nested(lock, flags, subclass)                        \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		(void)(subclass);                                              \
		flags = z3timed_spin_lock_irqsave(lock,                        \
						  Z3TIMED_GETS(SPIN, #lock));  \
	} while (0)
#undef spin_trylock
#define spin_trylock(lock) z3timed_spin_trylock(lock, Z3TIMED_ASKS(SPIN, #lock))
#undef spin_trylock_bh
#define spin_trylock_bh(lock)                                                  \
	z3timed_spin_trylock_bh(lock, Z3TIMED_ASKS(SPIN, #lock))
#undef spin_trylock_irq
#define spin_trylock_irq(lock)                                                 \
	z3timed_spin_trylock_irq(lock, Z3TIMED_ASKS(SPIN, #lock))
#undef spin_trylock_irqsave
#define spin_trylock_irqsave(lock, flags)                                      \
	({                                                                     \
		typecheck(unsigned long, flags);                               \
		z3timed_spin_trylock_irqsave(lock, &(flags),                   \
					     Z3TIMED_ASKS(SPIN, #lock));       \
	})
#undef spin_unlock
#define spin_unlock(lock)                                                      \
	z3timed_spin_unlock(lock, Z3TIMED_LETS_GO(SPIN, #lock))
#undef spin_unlock_bh
#define spin_unlock_bh(lock)                                                   \
	z3timed_spin_unlock_bh(lock, Z3TIMED_LETS_GO(SPIN, #lock))
#undef spin_unlock_irq
#define spin_unlock_irq(lock)                                                  \
	z3timed_spin_unlock_irq(lock, Z3TIMED_LETS_GO(SPIN, #lock))
#undef spin_unlock_irqrestore
#define spin_unlock_irqrestore(lock, flags)                                    \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		z3timed_spin_unlock_irqrestore(lock, flags,                    \
					       Z3TIMED_LETS_GO(SPIN, #lock));  \
	} while (0)
#undef raw_spin_lock
#define raw_spin_lock(lock)                                                    \
	z3timed_raw_spin_lock(lock, Z3TIMED_GETS(SPIN, #lock))
#undef raw_spin_lock_bh
#define raw_spin_lock_bh(lock)                                                 \
	z3timed_raw_spin_lock_bh(lock, Z3TIMED_GETS(SPIN, #lock))
#undef raw_spin_lock_irq
#define raw_spin_lock_irq(lock)                                                \
	z3timed_raw_spin_lock_irq(lock, Z3TIMED_GETS(SPIN, #lock))
#undef raw_spin_lock_irqsave
#define raw_spin_lock_irqsave(lock, flags)                                     \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		flags = z3timed_raw_spin_lock_irqsave(                         \
			lock, Z3TIMED_GETS(SPIN, #lock));                      \
	} while (0)
#undef raw_spin_lock_nested
#define raw_spin_lock_nested(lock, subclass)                                   \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_raw_spin_lock(lock, Z3TIMED_GETS(SPIN, #lock));        \
	})
#undef raw_spin_lock_nest_lock
#define raw_spin_lock_nest_lock(lock, nest_lock)                               \
	z3timed_raw_spin_lock(lock, Z3TIMED_GETS(SPIN, #lock))
#undef raw_spin_lock_irqsave_nested
#define raw_spin_lock_irqsave_nested(lock, flags, subclass)                    \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		(void)(subclass);                                              \
		flags = z3timed_raw_spin_lock_irqsave(                         \
			lock, Z3TIMED_GETS(SPIN, #lock));                      \
	} while (0)
#undef raw_spin_trylock
#define raw_spin_trylock(lock)                                                 \
	z3timed_raw_spin_trylock(lock, Z3TIMED_ASKS(SPIN, #lock))
#undef raw_spin_trylock_bh
#define raw_spin_trylock_bh(lock)                                              \
	z3timed_raw_spin_trylock_bh(lock, Z3TIMED_ASKS(SPIN, #lock))
#undef raw_spin_trylock_irq
#define raw_spin_trylock_irq(lock)                                             \
	z3timed_raw_spin_trylock_irq(lock, Z3TIMED_ASKS(SPIN, #lock))
#undef raw_spin_trylock_irqsave
#define raw_spin_trylock_irqsave(lock, flags)                                  \
	({                                                                     \
		typecheck(unsigned long, flags);                               \
		z3timed_raw_spin_trylock_irqsave(lock, &(flags),               \
						 Z3TIMED_ASKS(SPIN, #lock));   \
	})
#undef raw_spin_unlock
#define raw_spin_unlock(lock)                                                  \
	z3timed_raw_spin_unlock(lock, Z3TIMED_LETS_GO(SPIN, #lock))
#undef raw_spin_unlock_bh
#define raw_spin_unlock_bh(lock)                                               \
	z3timed_raw_spin_unlock_bh(lock, Z3TIMED_LETS_GO(SPIN, #lock))
#undef raw_spin_unlock_irq
#define raw_spin_unlock_irq(lock)                                              \
	z3timed_raw_spin_unlock_irq(lock, Z3TIMED_LETS_GO(SPIN, #lock))
#undef raw_spin_unlock_irqrestore
#define raw_spin_unlock_irqrestore(lock, flags)                                \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		z3timed_raw_spin_unlock_irqrestore(                            \
			lock, flags, Z3TIMED_LETS_GO(SPIN, #lock));            \
	} while (0)
#undef read_lock
#define read_lock(lock) z3timed_read_lock(lock, Z3TIMED_GETS(READ, #lock))
#undef read_lock_bh
#define read_lock_bh(lock) z3timed_read_lock_bh(lock, Z3TIMED_GETS(READ, #lock))
#undef read_lock_irq
#define read_lock_irq(lock)                                                    \
	z3timed_read_lock_irq(lock, Z3TIMED_GETS(READ, #lock))
#undef read_lock_irqsave
#define read_lock_irqsave(lock, flags)                                         \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		flags = z3timed_read_lock_irqsave(lock,                        \
						  Z3TIMED_GETS(READ, #lock));  \
	} while (0)
#undef read_trylock
#define read_trylock(lock) z3timed_read_trylock(lock, Z3TIMED_ASKS(READ, #lock))
#undef read_unlock
#define read_unlock(lock)                                                      \
	z3timed_read_unlock(lock, Z3TIMED_LETS_GO(READ, #lock))
#undef read_unlock_bh
#define read_unlock_bh(lock)                                                   \
	z3timed_read_unlock_bh(lock, Z3TIMED_LETS_GO(READ, #lock))
#undef read_unlock_irq
#define read_unlock_irq(lock)                                                  \
	z3timed_read_unlock_irq(lock, Z3TIMED_LETS_GO(READ, #lock))
#undef read_unlock_irqrestore
#define read_unlock_irqrestore(lock, flags)                                    \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		z3timed_read_unlock_irqrestore(lock, flags,                    \
					       Z3TIMED_LETS_GO(READ, #lock));  \
	} while (0)
#undef write_lock
#define write_lock(lock) z3timed_write_lock(lock, Z3TIMED_GETS(WRITE, #lock))
#undef write_lock_bh
#define write_lock_bh(lock)                                                    \
	z3timed_write_lock_bh(lock, Z3TIMED_GETS(WRITE, #lock))
#undef write_lock_irq
#define write_lock_irq(lock)                                                   \
	z3timed_write_lock_irq(lock, Z3TIMED_GETS(WRITE, #lock))
#undef write_lock_irqsave
#define write_lock_irqsave(lock, flags)                                        \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		flags = z3timed_write_lock_irqsave(                            \
			lock, Z3TIMED_GETS(WRITE, #lock));                     \
	} while (0)
#undef write_lock_nested
#define write_lock_nested(lock, subclass)                                      \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_write_lock(lock, Z3TIMED_GETS(WRITE, #lock));          \
	})
#undef write_trylock
#define write_trylock(lock)                                                    \
	z3timed_write_trylock(lock, Z3TIMED_ASKS(WRITE, #lock))
#undef write_trylock_irqsave
#define write_trylock_irqsave(lock, flags)                                     \
	({                                                                     \
		typecheck(unsigned long, flags);                               \
		z3timed_write_trylock_irqsave(lock, &(flags),                  \
					      Z3TIMED_ASKS(WRITE, #lock));     \
	})
#undef write_unlock
#define write_unlock(lock)                                                     \
	z3timed_write_unlock(lock, Z3TIMED_LETS_GO(WRITE, #lock))
#undef write_unlock_bh
#define write_unlock_bh(lock)                                                  \
	z3timed_write_unlock_bh(lock, Z3TIMED_LETS_GO(WRITE, #lock))
#undef write_unlock_irq
#define write_unlock_irq(lock)                                                 \
	z3timed_write_unlock_irq(lock, Z3TIMED_LETS_GO(WRITE, #lock))
#undef write_unlock_irqrestore
#define write_unlock_irqrestore(lock, flags)                                   \
	do {                                                                   \
		typecheck(unsigned long, flags);                               \
		z3timed_write_unlock_irqrestore(                               \
			lock, flags, Z3TIMED_LETS_GO(WRITE, #lock));           \
	} while (0)
#undef mutex_lock
#define mutex_lock(lock) z3timed_mutex_lock(lock, Z3TIMED_GETS(MUTEX, #lock))
#undef mutex_lock_nested
#define mutex_lock_nested(lock, subclass)                                      \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_mutex_lock(lock, Z3TIMED_GETS(MUTEX, #lock));          \
	})
#undef mutex_lock_io
#define mutex_lock_io(lock)                                                    \
	z3timed_mutex_lock_io(lock, Z3TIMED_GETS(MUTEX, #lock))
#undef mutex_lock_io_nested
#define mutex_lock_io_nested(lock, subclass)                                   \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_mutex_lock_io(lock, Z3TIMED_GETS(MUTEX, #lock));       \
	})
#undef mutex_lock_interruptible
#define mutex_lock_interruptible(lock)                                         \
	z3timed_mutex_lock_interruptible(lock, Z3TIMED_GETS(MUTEX, #lock))
#undef mutex_lock_interruptible_nested
#define mutex_lock_interruptible_nested(lock, subclass)                        \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_mutex_lock_interruptible(lock,                         \
						 Z3TIMED_GETS(MUTEX, #lock));  \
	})
#undef mutex_lock_killable
#define mutex_lock_killable(lock)                                              \
	z3timed_mutex_lock_killable(lock, Z3TIMED_GETS(MUTEX, #lock))
#undef mutex_lock_killable_nested
#define mutex_lock_killable_nested(lock, subclass)                             \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_mutex_lock_killable(lock, Z3TIMED_GETS(MUTEX, #lock)); \
	})
#undef mutex_lock_nest_lock
#define mutex_lock_nest_lock(lock, nest_lock)                                  \
	z3timed_mutex_lock(lock, Z3TIMED_GETS(MUTEX, #lock))
#undef mutex_trylock
#define mutex_trylock(lock)                                                    \
	z3timed_mutex_trylock(lock, Z3TIMED_ASKS(MUTEX, #lock))
#undef mutex_unlock
#define mutex_unlock(lock)                                                     \
	z3timed_mutex_unlock(lock, Z3TIMED_LETS_GO(MUTEX, #lock))
#undef down_read
#define down_read(sem) z3timed_down_read(sem, Z3TIMED_GETS(RWSEM_READ, #sem))
#undef down_read_nested
#define down_read_nested(sem, subclass)                                        \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_down_read(sem, Z3TIMED_GETS(RWSEM_READ, #sem));        \
	})
#undef down_read_interruptible
#define down_read_interruptible(sem)                                           \
	z3timed_down_read_interruptible(sem, Z3TIMED_GETS(RWSEM_READ, #sem))
#undef down_read_killable
#define down_read_killable(sem)                                                \
	z3timed_down_read_killable(sem, Z3TIMED_GETS(RWSEM_READ, #sem))
#undef down_read_killable_nested
#define down_read_killable_nested(sem, subclass)                               \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_down_read_killable(sem,                                \
					   Z3TIMED_GETS(RWSEM_READ, #sem));    \
	})
#undef down_read_trylock
#define down_read_trylock(sem)                                                 \
	z3timed_down_read_trylock(sem, Z3TIMED_ASKS(RWSEM_READ, #sem))
#undef up_read
#define up_read(sem) z3timed_up_read(sem, Z3TIMED_LETS_GO(RWSEM_READ, #sem))
#undef down_write
#define down_write(sem) z3timed_down_write(sem, Z3TIMED_GETS(RWSEM_WRITE, #sem))
#undef down_write_nested
#define down_write_nested(sem, subclass)                                       \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_down_write(sem, Z3TIMED_GETS(RWSEM_WRITE, #sem));      \
	})
#undef down_write_killable
#define down_write_killable(sem)                                               \
	z3timed_down_write_killable(sem, Z3TIMED_GETS(RWSEM_WRITE, #sem))
#undef down_write_killable_nested
#define down_write_killable_nested(sem, subclass)                              \
	({                                                                     \
		(void)(subclass);                                              \
		z3timed_down_write_killable(sem,                               \
					    Z3TIMED_GETS(RWSEM_WRITE, #sem));  \
	})
#undef down_write_trylock
#define down_write_trylock(sem)                                                \
	z3timed_down_write_trylock(sem, Z3TIMED_ASKS(RWSEM_WRITE, #sem))
#undef up_write
#define up_write(sem) z3timed_up_write(sem, Z3TIMED_LETS_GO(RWSEM_WRITE, #sem))
#undef down_write_nest_lock
#define down_write_nest_lock(sem, nest_lock)                                   \
	z3timed_down_write(sem, Z3TIMED_GETS(RWSEM_WRITE, #sem))
#undef downgrade_write
#define downgrade_write(sem)                                                   \
	z3timed_downgrade_write(sem, Z3TIMED_LETS_GO(RWSEM_WRITE, #sem),       \
				Z3TIMED_GETS(RWSEM_READ, #sem))
#undef bit_spin_lock
#define bit_spin_lock(bit, word)                                               \
	z3timed_bit_spin_lock(bit, word, Z3TIMED_GETS(BIT, #word))
#undef bit_spin_trylock
#define bit_spin_trylock(bit, word)                                            \
	z3timed_bit_spin_trylock(bit, word, Z3TIMED_ASKS(BIT, #word))
#undef bit_spin_unlock
#define bit_spin_unlock(bit, word)                                             \
	z3timed_bit_spin_unlock(bit, word, Z3TIMED_LETS_GO(BIT, #word))
#undef __bit_spin_unlock
#define __bit_spin_unlock(bit, word)                                           \
	z3timed___bit_spin_unlock(bit, word, Z3TIMED_LETS_GO(BIT, #word))

/* SPDX-License-Identifier: GPL-2.0-only */
/* Read a register or an argument that is known when the program is loaded or
 * run. */
#ifndef Z3T_REGISTERS_H
#define Z3T_REGISTERS_H

/* The context can be read at constant offsets only: the compiler must not make
 * one read at a computed offset of the many. */
#define Z3T_LOAD_REGISTER(name)                                                \
	asm volatile("%0 = *(u64 *)(%1 + %2)"                                  \
		     : "=r"(value)                                             \
		     : "r"(ctx), "i"(offsetof(struct pt_regs, name)))

/* The value of a register by its enum z3t_register. */
static __always_inline u64 z3t_register(struct pt_regs *ctx, u32 number)
{
	u64 value;

	switch (number) {
	case Z3T_AX:
		Z3T_LOAD_REGISTER(ax);
		break;
	case Z3T_BX:
		Z3T_LOAD_REGISTER(bx);
		break;
	case Z3T_CX:
		Z3T_LOAD_REGISTER(cx);
		break;
	case Z3T_DX:
		Z3T_LOAD_REGISTER(dx);
		break;
	case Z3T_SI:
		Z3T_LOAD_REGISTER(si);
		break;
	case Z3T_DI:
		Z3T_LOAD_REGISTER(di);
		break;
	case Z3T_BP:
		Z3T_LOAD_REGISTER(bp);
		break;
	case Z3T_SP:
		Z3T_LOAD_REGISTER(sp);
		break;
	case Z3T_R8:
		Z3T_LOAD_REGISTER(r8);
		break;
	case Z3T_R9:
		Z3T_LOAD_REGISTER(r9);
		break;
	case Z3T_R10:
		Z3T_LOAD_REGISTER(r10);
		break;
	case Z3T_R11:
		Z3T_LOAD_REGISTER(r11);
		break;
	case Z3T_R12:
		Z3T_LOAD_REGISTER(r12);
		break;
	case Z3T_R13:
		Z3T_LOAD_REGISTER(r13);
		break;
	case Z3T_R14:
		Z3T_LOAD_REGISTER(r14);
		break;
	default:
		Z3T_LOAD_REGISTER(r15);
	}
	return value;
}

/* Argument *number*, each in a word, as a trampoline hands it over. */
#define Z3T_LOAD_ARGUMENT(number)                                              \
	asm volatile("%0 = *(u64 *)(%1 + %2)"                                  \
		     : "=r"(value)                                             \
		     : "r"(ctx), "i"(sizeof(u64) * (number)))

static __always_inline u64 z3t_traced_argument(u64 *ctx, u64 number)
{
	u64 value = 0;

	/* The verifier knows the number: it sees, and keeps, one load alone. */
	if (number == 0)
		Z3T_LOAD_ARGUMENT(0);
	else if (number == 1)
		Z3T_LOAD_ARGUMENT(1);
	else if (number == 2)
		Z3T_LOAD_ARGUMENT(2);
	else if (number == 3)
		Z3T_LOAD_ARGUMENT(3);
	else if (number == 4)
		Z3T_LOAD_ARGUMENT(4);
	else if (number == 5)
		Z3T_LOAD_ARGUMENT(5);
	return value;
}

static __always_inline u64 z3t_probed_argument(struct pt_regs *ctx, u64 number)
{
	u64 value = 0;

	if (number == 0)
		Z3T_LOAD_REGISTER(di);
	else if (number == 1)
		Z3T_LOAD_REGISTER(si);
	else if (number == 2)
		Z3T_LOAD_REGISTER(dx);
	else if (number == 3)
		Z3T_LOAD_REGISTER(cx);
	else if (number == 4)
		Z3T_LOAD_REGISTER(r8);
	else if (number == 5)
		Z3T_LOAD_REGISTER(r9);
	return value;
}

#endif

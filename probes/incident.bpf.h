/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An incident of a check: counted, kept with the steps before it, and printed.
 *
 * Nothing is told before all probes are in place: a lock that was taken
 * before would look as if it had not been.
 */

/* An empty one, for a program in a call site: none other runs on its CPU. */
static __always_inline struct z3t_finding *z3t_new_finding(u32 number)
{
	struct z3t_checker *checker = z3t_checker();
	struct z3t_finding *finding;

	if (!checker)
		return 0;
	finding = &checker->findings[number & 1];
	__builtin_memset(finding, 0, sizeof(*finding));
	return finding;
}

#define Z3T_SETTLING 1000000000ULL /* ns until old locks are released */
/* On the console: where a line says which it is; and a step in one word, how
 * long ago above its site and its kind.  The longest time is that of a step
 * that is not there. */
#define Z3T_PART 9
#define Z3T_KIND_BITS 2
#define Z3T_SITE_BITS 18
#define Z3T_AGO_BITS (64 - Z3T_SITE_BITS - Z3T_KIND_BITS)
#define Z3T_LONG_AGO ((1ULL << Z3T_AGO_BITS) - 1)

/* A helper of the kernel by its number, BPF_FUNC_trace_vprintk: BCC's headers
 * may be older than the kernel. */
#define Z3T_HELPER_TRACE_VPRINTK 177

static long (*z3t_trace_vprintk)(const char *format, u32 size, const void *data,
				 u32 length) = (void *)Z3T_HELPER_TRACE_VPRINTK;

static __always_inline void z3t_offence(u32 cpu, u32 rule, u32 site)
{
	struct z3t_offences *offences = z3t_offences_at(cpu, rule, site);

	if (offences)
		offences->count++;
}

/* Three lines on the console, which a guest's host reads while the guest hangs:
 * the incident, and the steps before it in two halves.  All have ten words. */
static __always_inline void z3t_print(const struct z3t_incident *incident)
{
	char format[] = "z3t-check0 %llx %llx %llx %llx %llx %llx %llx %llx "
			"%llx %llx\n";
	u64 words[10];

	words[0] = (u64)incident->rule << 32 | incident->cpu;
	words[1] = incident->time;
	words[2] = incident->lock;
	words[3] = incident->since;
	words[4] = incident->value;
	words[5] = (u64)incident->task << 32 | incident->other_task;
	words[6] = (u64)incident->site << 32 | incident->other;
	words[7] = (u64)incident->class << 32 | incident->other_class << 16 |
		   incident->operation;
	words[8] = *(u64 *)incident->name;
	words[9] = *(u64 *)(incident->name + 8);
	z3t_trace_vprintk(format, sizeof(format), words, sizeof(words));
	for (int i = 0; i < Z3T_STEPS; i++)
		words[2 + i] = incident->steps[i].lock;
	words[0] = (u64)incident->cpu << 32 | incident->next;
	format[Z3T_PART]++;
	z3t_trace_vprintk(format, sizeof(format), words, sizeof(words));
	for (int i = 0; i < Z3T_STEPS; i++) {
		const struct z3t_step *step = &incident->steps[i];
		u64 ago = incident->time - step->time;

		if (ago > Z3T_LONG_AGO || !step->time)
			ago = Z3T_LONG_AGO;
		words[2 + i] = ago << (Z3T_SITE_BITS + Z3T_KIND_BITS) |
			       (step->site & ((1 << Z3T_SITE_BITS) - 1))
				       << Z3T_KIND_BITS |
			       (step->kind & ((1 << Z3T_KIND_BITS) - 1));
	}
	format[Z3T_PART]++;
	z3t_trace_vprintk(format, sizeof(format), words, sizeof(words));
}

static __always_inline void z3t_fill(struct z3t_incident *incident,
				     const struct z3t_finding *finding)
{
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());

	incident->time = bpf_ktime_get_ns();
	incident->lock = finding->lock;
	incident->since = finding->since;
	incident->value = finding->value;
	incident->rule = finding->rule;
	incident->task = (u32)bpf_get_current_pid_tgid();
	incident->other_task = finding->other_task;
	incident->cpu = bpf_get_smp_processor_id();
	incident->site = finding->site;
	incident->other = finding->other;
	incident->class = finding->class;
	incident->other_class = finding->other_class;
	incident->operation = finding->operation;
	bpf_get_current_comm(incident->name, sizeof(incident->name));
	if (!trail)
		return;
	incident->next = trail->next;
	for (int i = 0; i < Z3T_STEPS; i++)
		incident->steps[i] = trail->steps[i];
}

static __always_inline void z3t_report(const struct z3t_finding *finding)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_checker *checker = z3t_checker();
	u32 cpu = bpf_get_smp_processor_id();
	struct z3t_incident *incident;
	struct z3t_offences *offences;

	if (!finding->rule || !book || !checker || !book->armed ||
	    !(book->judged >> finding->rule & 1))
		return;
	offences = z3t_offences_at(cpu, finding->rule, finding->site);
	if (!offences)
		return;
	offences->count++;
	if (offences->told >= Z3T_IN_FULL ||
	    checker->incidents >= Z3T_INCIDENTS)
		return;
	offences->told++;
	incident = z3t_incident_at(cpu, checker->incidents);
	if (!incident)
		return;
	z3t_fill(incident, finding);
	checker->incidents++;
	if (book->console)
		z3t_print(incident);
}

/* One probe can end one call and begin another: of two findings the second is
 * counted only. */
static __always_inline void z3t_report_one(const struct z3t_finding *first,
					   const struct z3t_finding *second)
{
	if (first->rule && second->rule)
		z3t_offence(bpf_get_smp_processor_id(), second->rule,
			    second->site);
	z3t_report(first->rule ? first : second);
}

static __always_inline u32 z3t_operation_of(struct z3t_task *task)
{
	return task->depth ? z3t_top_frame(task)->operation + 1 : 0;
}

static __always_inline void z3t_step(u64 time, u64 lock, u32 site, u32 kind)
{
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());
	struct z3t_step *step;

	if (!trail)
		return;
	step = &trail->steps[trail->next & (Z3T_STEPS - 1)];
	trail->next++;
	step->time = time;
	step->lock = lock;
	step->site = site;
	step->kind = kind;
}

"""Which lock class each call site takes or releases, as far as that is known.

A run with the probes of one class has them at the sites that are known to be of it, and
at those of which nothing is known: a probe that never fires costs nothing, but without
the probe of a site its holds are lost, and nobody knows.  So a site is left out only if

- its kind of lock is none of the class: a reader-writer lock is no spinlock; or
- a run with all probes saw other classes there, or, as long as none saw the site, the
  instructions before the call add the offset of another class's member.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from z3trace.bpf import layout
from z3trace.code.callsites import Site
from z3trace.data.counts import SiteCounts
from z3trace.errors import UsageError
from z3trace.target.plan import ClassRule, Plan, added

#: What a lock is of that no rule of the target knows.
_OTHER = "other"
_SPIN_RULES = (layout.RULE_PAGE, layout.RULE_POOL, layout.RULE_OBJECT, layout.RULE_SPINLOCK)
#: Rules that must know where the pools are.
_POOL_RULES = (layout.RULE_POOL, layout.RULE_OBJECT)
_RW_RULES = (layout.RULE_RWLOCK, layout.RULE_POOL)
#: Rules that fit every lock of a kind: behind them, none is left for class ``other``.
_CATCH_ALL = {"spin": layout.RULE_SPINLOCK, "read": layout.RULE_RWLOCK, "write": layout.RULE_RWLOCK}


def shown(plan: Plan, site: Site) -> str:
    """The lock class whose offset the code adds to a pointer right before the call, or
    that all locks of this kind are of; empty if that does not tell one."""
    if plan.code.decoded.get(site.start) is None:
        return ""
    if site.kind != "spin":
        kinds = {r.lock_class for r in plan.rules if r.of == "rw" or r.kind == layout.RULE_RWLOCK}
        return plan.locks[kinds.pop()].name if len(kinds) == 1 else ""
    offsets = added(plan.code, site)
    names = {
        plan.locks[rule.lock_class].name
        for rule in plan.rules
        if rule.offset in offsets and plan.locks[rule.lock_class].members
    }
    return names.pop() if len(names) == 1 else ""


class SiteClasses:
    """What is known of the call sites of one plan; more after each run with all probes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._names = [lock.name for lock in plan.locks]
        self._seen: dict[int, set[str]] = {}

    @cached_property
    def _shown(self) -> dict[int, str]:
        return {site.number: shown(self._plan, site) for site in self._plan.sites}

    def number(self, lock_class: str) -> int:
        """The number of a lock class; UsageError if the target has no such class."""
        if lock_class not in self._names:
            raise UsageError(
                f"{self._plan.target.name} has no lock class {lock_class}",
                f"it has: {', '.join(self._names)}",
            )
        return self._names.index(lock_class)

    def learn(self, sites: Iterable[SiteCounts]) -> set[str]:
        """Note the classes that a run with all probes saw at its sites; those classes of
        which runs so far may have left a site out, which this run showed to be theirs."""
        missed: set[str] = set()
        for counts in sites:
            fresh = set(counts.locks) - self._seen.get(counts.site, set())
            missed |= {name for name in fresh if counts.site not in self.numbers(name)}
            self._seen.setdefault(counts.site, set()).update(fresh)
        return missed

    def numbers(self, lock_class: str) -> set[int]:
        """Numbers of the sites whose probes a run of this class needs.

        UsageError if the target has no such class.
        """
        self.number(lock_class)
        return {site.number for site in self._plan.sites if self._wanted(site, lock_class)}

    def certain(self, lock_class: str) -> set[int]:
        """Numbers of the sites that are of this class and of no other."""
        return {
            site.number
            for site in self._plan.sites
            if self._plan.certain.get(site.number) == lock_class
            or self._seen.get(site.number) == {lock_class}
            or self._possible(site) == {lock_class}
        }

    def fixed(self, lock_class: str) -> dict[int, int]:
        """Site -> number of its class, of all sites whose class a run need not look up;
        *lock_class* is that of the run, empty: it has none."""
        fixed = {site: self.number(name) for site, name in self._plan.certain.items()}
        if lock_class:
            fixed |= dict.fromkeys(self.certain(lock_class), self.number(lock_class))
        return fixed

    def told_by(self, lock_class: str) -> ClassRule | None:
        """The rule by which an event at a ``certain`` site of the class tells where a pool
        is: its lock's address, less the rule's offset.  None if there is no such rule or
        no such site."""
        rules = [rule for rule in self._rules(lock_class) if rule.kind == layout.RULE_POOL]
        return rules[0] if len(rules) == 1 and self.certain(lock_class) else None

    def need_pools(self, lock_class: str) -> bool:
        """Whether a run of the class must be told by its operations where the pools are."""
        unsure = self.numbers(lock_class) - self.certain(lock_class)
        sites = [site for site in self._plan.sites if site.number in unsure]
        pooled = any(lock_class in self._told_by_pool(site) for site in sites)
        return pooled and self.told_by(lock_class) is None

    def _rules(self, lock_class: str) -> Sequence[ClassRule]:
        number = self.number(lock_class)
        return [rule for rule in self._plan.rules if rule.lock_class == number]

    def _possible(self, site: Site) -> set[str]:
        """The classes that a lock of this kind can be of."""
        names = {self._names[rule.lock_class] for rule in self._fitting(site)}
        # The lock of a class that call sites tell may come here through a register.
        named = {rule.lock_class for rule in self._plan.target.locks if rule.where == "site"}
        return names | named | {self._of_unknown(site)}

    def _fitting(self, site: Site) -> Sequence[ClassRule]:
        """The rules for locks of this kind."""
        kinds, of = (_SPIN_RULES, "spin") if site.kind == "spin" else (_RW_RULES, "rw")
        return [r for r in self._plan.rules if r.kind in kinds and r.of in ("", of)]

    def _of_unknown(self, site: Site) -> str:
        """What a lock passes for that is of no pool known."""
        rules = [rule for rule in self._fitting(site) if rule.kind == _CATCH_ALL[site.kind]]
        return self._names[rules[0].lock_class] if rules else _OTHER

    def _told_by_pool(self, site: Site) -> set[str]:
        """The classes that cannot be told apart at this site without knowing the pools."""
        rules = [rule for rule in self._fitting(site) if rule.kind in _POOL_RULES]
        classes = {self._names[rule.lock_class] for rule in rules}
        return classes | {self._of_unknown(site)} if classes else classes

    def _wanted(self, site: Site, lock_class: str) -> bool:
        certain = self._plan.certain.get(site.number)
        if certain:
            return certain == lock_class
        if lock_class not in self._possible(site):
            return False
        seen = self._seen.get(site.number, set())
        # A lock of a pool that was not known yet was taken for another one.
        pooled = any(rule.kind in _POOL_RULES for rule in self._rules(lock_class))
        known = (seen - {_OTHER} if pooled else seen) or (
            {self._shown[site.number]} if not seen else set()
        )
        return not known - {""} or lock_class in known


def of(plan: Plan) -> SiteClasses:
    """What the code of a plan alone shows of its call sites."""
    return SiteClasses(plan)

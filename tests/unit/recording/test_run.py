"""What a recorder says of probes that are not there."""

from typing import Any

import fakes
import pytest

from z3trace.data.model import CallSite
from z3trace.probing import unseen
from z3trace.probing.arming import Armed
from z3trace.probing.choice import Choice
from z3trace.recording import run
from z3trace.recording.run import Recorder


def _site(number: int, *, attached: bool) -> CallSite:
    return CallSite(
        number=number,
        function="hidden",
        offset=0,
        lock_function="_raw_spin_lock",
        action="acquire",
        kind="spin",
        attached=attached,
        reason="" if attached else "notrace",
    )


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Of a module with two call sites, of which one can carry no probe."""

    def arm(
        programs: object, plan: object, address: object, costs: object, choice: Choice, *_: object
    ) -> Armed:
        sites = [_site(0, attached=choice.locks), _site(1, attached=False)]
        return Armed(fakes.any_fake(fakes.Attachments()), sites=sites)

    monkeypatch.setattr(run, "arm", arm)
    monkeypatch.setattr(unseen, "KernelTypes", lambda: fakes.Types({"_raw_spin_lock": 1}))
    programs: Any = fakes.Programs()
    programs.clear = lambda: None
    return Recorder(programs, fakes.plan(), Choice())


def test_what_cannot_be_seen_is_said_once_and_at_once(recorder: Recorder) -> None:
    said: list[str] = []
    recorder.say = said.append
    recorder.attach("ops")
    assert said == [], "no locks were to be seen"
    for _ in range(2):
        recorder.attach("all")
    assert len(said) == 1
    assert said[0].startswith("1 of 2 lock call sites cannot be seen, in hidden")
    assert "--locks hybrid sees them" in said[0]
    assert recorder.coverage is not None
    assert [site.attached for site in recorder.coverage.sites] == [True, False]

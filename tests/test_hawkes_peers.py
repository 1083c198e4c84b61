"""The peers of the Hawkes benchmarks compute what we compute, where they are installed; and what differs is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.events import MANY_KINDS, kinds_case, our_answer, time_case
from benchmarks.hawkes_peers import PEERS, Answer, agreeing, answer, name, present

needs_peers = pytest.mark.skipif(not present(), reason="the benchmarks' peers are absent: make bench-peers")


@needs_peers
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_has_our_numbers_for_one_kind(peer: str) -> None:
    case = time_case(2_000)
    theirs = answer(peer, case, our_answer(case), runs=1)
    assert theirs.seconds > 0
    assert (theirs.decay is None) == (peer == "tick")


@needs_peers
def test_tick_has_our_numbers_for_several_kinds() -> None:
    case = kinds_case(2_000)
    assert len(case.background) == len(MANY_KINDS.kinds) == 3
    theirs = answer("tick", case, our_answer(case), runs=1)
    assert theirs.offspring.shape == (3, 3)


def test_a_peer_with_other_numbers_has_no_time() -> None:
    ours = Answer(-1000.0, np.array([3.0]), np.array([[0.5]]), 0.2, 1.0)
    agreeing("peer", replace(ours, decay=None), ours)
    agreeing("peer", replace(ours, value=-1000.000001), ours)
    for wrong in (
        replace(ours, value=-1000.0001),
        replace(ours, value=np.nan),
        replace(ours, background=np.array([3.001])),
        replace(ours, offspring=np.array([[0.6]])),
        replace(ours, decay=0.3),
    ):
        with pytest.raises(ValueError, match="not the same computation"):
            agreeing("peer", wrong, ours)


def test_an_absent_peer_is_named_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.hawkes_peers.present", lambda: False)
    assert name("tick") == "tick is absent: make bench-peers"

"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from agent_client.sidecar.metrics import metrics_text
from agent_client.sidecar.tally import Tally


def samples(tally: Tally, ran_alone: int = 0) -> dict[str, float]:
    text = metrics_text(tally, ran_alone, [], 0.0, up=True, version="1.2").decode()
    families = text_string_to_metric_families(text)
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_waits_are_counted_in_their_buckets() -> None:
    tally = Tally()
    for waited in (0.05, 0.1, 20.0, 100_000.0):
        tally.note((), ("queued", "asking"), 0.0)
        tally.note(("queued", "asking"), ("granted", object()), waited)
    told = samples(tally)
    buckets = {key: value for key, value in told.items() if "_bucket" in key}
    assert buckets["nodeslots_agent_wait_seconds_bucket[0.1]"] == 2
    assert buckets["nodeslots_agent_wait_seconds_bucket[15]"] == 2
    assert buckets["nodeslots_agent_wait_seconds_bucket[60]"] == 3
    assert buckets["nodeslots_agent_wait_seconds_bucket[+Inf]"] == 4
    assert told["nodeslots_agent_wait_seconds_count"] == 4
    assert told["nodeslots_agent_wait_seconds_sum"] == 100_020.15


def test_what_happened_is_counted_once_each() -> None:
    tally = Tally()
    grant = object()
    story = [("queued", "x"), ("granted", grant), ("unconfirmed", grant), ("granted", grant)]
    before: tuple[object, ...] = ()
    for after in [*story, ("lost", grant)]:
        tally.note(before, after, 1.0)
        before = after
    tally.note(("queued", "x"), ("granted", None), 1.0)
    told = samples(tally, ran_alone=2)
    counted = ("granted", "unconfirmed", "lost", "without_slot")
    assert [told[f"nodeslots_agent_{name}_total"] for name in counted] == [1, 1, 1, 3]
    assert told["nodeslots_agent_build_info[1.2]"] == 1


def test_a_slot_taken_up_after_a_restart_is_no_new_grant() -> None:
    tally = Tally()
    tally.note((), ("unconfirmed", object()), 0.0)
    tally.note(("unconfirmed", object()), ("granted", object()), 1.0)
    assert (tally.granted, tally.unconfirmed) == (0, 0)

"""What catches which bug: a seed of the simulator, or a unit test where it cannot see the bug."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from tests.simulation.planted.apt import apt_seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

FURTHER = 40
"""Seeds that are tried beyond the recorded ones: any change to the simulator shifts them."""

SEEDS: dict[str, tuple[int, ...]] = {
    "put_without_uid": (0,),
    "delete_by_uid_only": (6,),
    "server_errors_are_failures": (5,),
    "unknown_is_failure": (2,),
    "failed_after_unknown_is_failure": (6,),
    "reading_is_proof": (2,),
    "conflict_is_loss": (2,),
    "token_is_the_current_version": (0,),
    "token_counts_grants": (0,),
    "foreign_leases_are_taken_over": (17,),
    "terminating_leases_are_used": (5,),
    "repeats_are_rendered_anew": (2,),
    "repeats_know_no_gate": (90,),
    "decided_is_sent": (119,),
    "foreign_leases_are_free": (17,),
    "lease_absent_from_the_cache_is_lost": (91,),
    "pod_absent_from_the_watch_has_finished": (4,),
    "absence_is_proof": (0,),
    "running_is_no_reason": (88,),
    "takeover_grants_no_ttl": (6,),
    "ttl_runs_from_renew_time": (4,),
    "renewals_are_forgotten": (4,),
    "late_events_free_slots": (1,),
    "release_frees_whoever_holds": (0,),
    "released_before_written": (0,),
    "released_ids_are_forgotten": (25,),
    "leave_forgets_the_write": (119,),
    "leavers_stay_in_the_queue": (1,),
    "lost_without_a_look": (0,),
    "ending_is_the_end": (18,),
    "heir_may_have_left": (27,),
    "shrink_is_ignored": (13,),
    "headroom_is_shown_only": (0,),
    "newest_first": (0,),
    "broken_config_zeroes": (3,),
    "broken_config_resets": (7,),
    "labels_are_read_once": (17,),
    "grants_while_settling": (1,),
    "grants_on_a_held_node": (19,),
    "tickets_are_ignored": (6,),
    "waits_have_no_end": (0,),
    "polls_never_end": (27,),
    "retries_are_hot": (2,),
    "too_old_watches_go_on": (56,),
    "no_look_after_an_await": (3,),
    "leadership_is_a_flag": (979, 9816, 14002),
    "deadline_counts_from_the_answer": (12,),
    "unknown_renewals_extend": (6,),
    "silent_leaders_are_deposed_early": (0,),
    "serving_before_the_first_list": (3,),
    "takeover_from_the_cache": (0,),
    "late_answers_renew": (852,),
    "silence_is_ignored": (359,),
}
"""Seeds that saw the bug, the quickest first."""

TESTS: dict[str, str] = {
    "stalls_expire_holders": "tests/service/test_leadership.py"
    "::test_after_a_stall_requests_are_read_before_anybody_is_judged",
    "lost_is_ignored": "tests/agent_client/test_session.py::test_what_an_answer_does",
    "lower_terms_count": "tests/agent_client/test_agent.py"
    "::test_a_lower_term_is_ignored_and_a_higher_one_remembered",
    "older_answers_count": "tests/agent_client/test_agent.py"
    "::test_the_answer_to_an_older_request_is_dropped_once_a_newer_was_answered",
    "another_grant_is_taken_for_its_own": "tests/agent_client/test_session.py"
    "::test_another_grant_of_the_same_claim_is_a_loss_and_is_given_back",
    "releases_are_said_once": "tests/agent_client/test_agent.py"
    "::test_a_release_is_repeated_until_it_is_confirmed",
    "older_syncs_count": "tests/service/test_sync.py"
    "::test_an_older_sequence_is_refused_and_changes_nothing",
    "doubtful_writes_are_left_behind": "tests/service/test_leadership.py"
    "::test_a_clean_stop_with_an_unknown_write_lets_leadership_run_out",
    "lease_gone_from_the_watch_is_lost": "tests/core/test_slots_writes.py"
    "::test_lost_is_said_only_after_a_fresh_read",
    "unknown_writes_are_free": "tests/core/test_slots_writes.py"
    "::test_an_unknown_grant_counts_as_held",
    "headroom_counts_no_writes": "tests/core/test_headroom.py"
    "::test_a_backups_grant_of_unknown_outcome_counts",
    "moved_pods_stay": "tests/core/test_holders.py"
    "::test_evidence_about_another_pod_than_the_claims_says_nothing",
    "strays_are_answered": "tests/core/test_slots_tokens.py"
    "::test_of_two_leases_the_older_is_answered_and_the_other_cleared_once_its_token_is_shown",
    "strays_stay": "tests/core/test_slots_tokens.py"
    "::test_of_two_leases_the_one_whose_token_is_shown_stays",
    "shown_tokens_queue": "tests/core/test_slots_tokens.py"
    "::test_an_unknown_token_is_looked_up_and_never_gets_a_new_grant",
    "old_events_count": "tests/core/test_slots_writes.py::test_late_watch_events_are_dropped",
    "lists_have_no_age": "tests/core/test_slots_lists.py"
    "::test_what_a_list_shows_of_a_slot_under_way_is_read_afterwards",
    "lists_are_skipped": "tests/core/test_slots_lists.py"
    "::test_a_holder_that_only_a_list_shows_counts_before_it_is_read",
}
"""The test that fails with the bug planted."""


def seeds_of(name: str) -> Iterator[int]:
    """The seeds to try for this bug, in their order."""
    known = SEEDS[name]
    return chain(known, (seed for seed in apt_seeds(name, FURTHER) if seed not in known))

"""What has to be made, by what there is and how late it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.tls.making import AUTHORITY_LIFE, BACKDATE, make_serving
from coordinator.tls.plan import Plan, carry_out, plan
from coordinator.tls.stored import Stored, signed_by
from tests.tls.scene import NAMES, NOW

DAY = timedelta(days=1)
LAST_YEAR = NOW + AUTHORITY_LIFE - 364 * DAY


def then(stored: Stored, when: timedelta, *, published: bool = True) -> tuple[Plan, Stored]:
    """What is planned so long after NOW, and what is stored after it was done."""
    wanted = plan(stored, NAMES, NOW + when, published=published)
    return wanted, carry_out(wanted, stored, NAMES, NOW + when)


@pytest.fixture(scope="module")
def fresh() -> Stored:
    return then(Stored(), timedelta())[1]


@pytest.fixture(scope="module")
def aged(fresh: Stored) -> Stored:
    """In its last year, with a good serving certificate."""
    assert fresh.authority is not None
    serving = make_serving(fresh.authority, NAMES, LAST_YEAR)
    return replace(fresh, serving=serving)


@pytest.fixture(scope="module")
def with_successor(aged: Stored) -> Stored:
    return then(aged, LAST_YEAR - NOW)[1]


def test_an_empty_secret_gets_everything_and_any_replica_may() -> None:
    wanted, made = then(Stored(), timedelta())
    assert (wanted.authority, wanted.serving, wanted.urgent) == ("make", True, True)
    assert made.serving
    assert made.authority
    assert (len(made.authorities), made.successor) == (1, None)
    assert not plan(made, NAMES, NOW)


def test_a_certificate_is_left_alone_for_two_thirds_of_its_life(fresh: Stored) -> None:
    assert not then(fresh, 60 * DAY - timedelta(seconds=1))[0]
    wanted, made = then(fresh, 60 * DAY)
    assert (wanted.authority, wanted.serving, wanted.urgent) == ("keep", True, False)
    assert made.authorities == fresh.authorities
    assert made.serving != fresh.serving


@pytest.mark.parametrize("behind", [BACKDATE, 30 * DAY])
def test_a_clock_that_is_behind_renews_nothing(fresh: Stored, behind: timedelta) -> None:
    assert not then(fresh, -behind)[0]


def test_an_expired_certificate_is_renewed_by_any_replica(fresh: Stored) -> None:
    wanted, made = then(fresh, 90 * DAY)
    assert (wanted.authority, wanted.serving, wanted.urgent) == ("keep", True, True)
    assert not plan(made, NAMES, NOW + 90 * DAY)


def test_a_name_that_is_missing_is_added_by_the_leader(fresh: Stored) -> None:
    wanted = plan(fresh, [*NAMES, "slots.example"], NOW)
    assert (wanted.serving, wanted.urgent) == (True, False)
    assert wanted.why == ("the certificate is not for slots.example",)


def test_a_name_too_many_is_no_reason(fresh: Stored) -> None:
    """Or two replicas with different flags would renew against each other."""
    assert not plan(fresh, NAMES[:2], NOW)


def test_an_authority_in_its_last_year_gets_a_successor_that_signs_nothing_yet(
    aged: Stored, with_successor: Stored
) -> None:
    wanted = plan(aged, NAMES, LAST_YEAR)
    assert (wanted.authority, wanted.successor, wanted.serving) == ("keep", True, False)
    assert not wanted.urgent
    assert with_successor.successor
    assert with_successor.serving == aged.serving
    assert with_successor.bundle.count(b"BEGIN") == 2
    assert not plan(with_successor, NAMES, LAST_YEAR + DAY - timedelta(seconds=1))


def test_a_successor_takes_over_after_a_day(with_successor: Stored) -> None:
    wanted, made = then(with_successor, LAST_YEAR - NOW + DAY)
    assert (wanted.authority, wanted.serving, wanted.urgent) == ("succeed", True, False)
    assert with_successor.successor
    assert made.serving
    assert made.authority == with_successor.successor
    assert signed_by(made.serving.certificate, with_successor.successor.certificate)
    assert made.successor is None
    assert sorted(made.bundle.split(b"-----BEGIN")) == sorted(
        with_successor.bundle.split(b"-----BEGIN")
    ), "agents believe both before and after"


def test_a_successor_that_is_not_published_everywhere_waits_until_the_last_month(
    with_successor: Stored,
) -> None:
    end = AUTHORITY_LIFE - 30 * DAY
    renewed = then(with_successor, end - DAY, published=False)[1]
    assert renewed.authorities == with_successor.authorities
    assert then(renewed, end, published=False)[0].authority == "succeed"


def test_an_authority_that_was_succeeded_is_forgotten_after_a_day(with_successor: Stored) -> None:
    succeeded = then(with_successor, LAST_YEAR - NOW + DAY)[1]
    assert not then(succeeded, LAST_YEAR - NOW + 2 * DAY - timedelta(seconds=1))[0]
    wanted, made = then(succeeded, LAST_YEAR - NOW + 2 * DAY)
    assert (wanted.forget, wanted.serving, wanted.urgent) == (True, False, False)
    assert made.authorities == succeeded.authorities[:1]
    assert not plan(made, NAMES, LAST_YEAR + 3 * DAY)


def test_no_certificate_outlives_its_authority(fresh: Stored) -> None:
    assert fresh.authority is not None
    end = fresh.authority.certificate.not_valid_after_utc
    late = make_serving(fresh.authority, NAMES, end - DAY)
    assert late.certificate.not_valid_after_utc == end


def test_a_lost_key_of_the_authority_is_a_succession_at_once(fresh: Stored) -> None:
    """How an operator has a new authority made without a break: remove `ca.key`."""
    lost = replace(fresh, authority=None)
    wanted, made = then(lost, DAY)
    assert (wanted.successor, wanted.serving, wanted.urgent) == (True, False, False)
    wanted, made = then(made, 2 * DAY)
    assert (wanted.authority, wanted.urgent) == ("succeed", False)
    assert not plan(made, NAMES, NOW + 2 * DAY)


def test_without_any_key_and_certificate_a_new_authority_signs_and_the_old_stays_believed(
    fresh: Stored,
) -> None:
    wanted, made = then(replace(fresh, authority=None, serving=None), DAY)
    assert (wanted.authority, wanted.urgent) == ("make", True)
    assert made.authorities[1:] == fresh.authorities


def test_a_certificate_without_authority_cannot_be_believed(fresh: Stored) -> None:
    wanted, made = then(replace(fresh, authority=None, authorities=()), DAY)
    assert (wanted.authority, wanted.serving, wanted.urgent) == ("make", True, True)
    assert not plan(made, NAMES, NOW + DAY)


def test_an_expired_authority_is_replaced_by_its_successor_if_there_is_one(
    with_successor: Stored,
) -> None:
    wanted, made = then(with_successor, AUTHORITY_LIFE + DAY)
    assert (wanted.authority, wanted.urgent) == ("succeed", True)
    assert len(made.authorities) == 1
    wanted, made = then(replace(with_successor, successor=None), AUTHORITY_LIFE + DAY)
    assert (wanted.authority, wanted.urgent) == ("make", True)
    assert len(made.authorities) == 1


def test_twenty_years_go_by_without_a_break() -> None:
    """Looked at once a week: whatever is served is believed by what was published a week before."""
    stored = then(Stored(), timedelta())[1]
    believed, authorities = set(stored.authorities), set(stored.authorities)
    for week in range(1, 20 * 52):
        now = NOW + 7 * week * DAY
        wanted = plan(stored, NAMES, now)
        assert not wanted.urgent, (week, wanted)
        stored = carry_out(wanted, stored, NAMES, now)
        assert stored.serving is not None
        assert any(signed_by(stored.serving.certificate, one) for one in believed), week
        assert stored.serving.certificate.not_valid_after_utc > now + 20 * DAY
        coming = [stored.successor.certificate] if stored.successor else []
        believed = {*stored.authorities, *coming}
        authorities |= believed
    assert len(authorities) == 3

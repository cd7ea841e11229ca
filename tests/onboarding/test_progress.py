"""What the card says in each state, to whom it points, and which of its buttons is the main one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from onboarding import progress, reasons, services, transitions
from onboarding.models import MailAddress, Onboarding, SignupLink
from onboarding.progress import moves
from onboarding.states import State
from tenants.models import Tenant, User
from tests.conftest import pages_of
from tests.onboarding.card_states import STATES, planted

WAITS = [
    "payment", "dormant", "account_review", "not_listed", "review", "unproven", "name_review",
    "budget", "provider_away", "long", "limited",
]  # fmt: skip
"""The customer is not the one who moves next, and it may take days."""

MAIN = {
    "started": "launch", "left": "launch", "withdrawn": "launch", "superseded": "launch",
    "closed": "launch", "window_error": "launch", "unconfirmed": "launch", "not_found": "launch",
    "signed_up": None, "joining": None, "linked": None, "registering": None, "app": None,
    "connecting": None, "choose_account": None, "choose_number": None, "review": None,
    "unproven": "restart", "account_review": "resume", "payment": "resume", "dormant": "resume",
    "no_number": "restart", "not_listed": "resume", "not_verified": "restart",
    "wrong_number": "restart", "name_review": "resume", "budget": "resume",
    "provider_away": "resume", "long": "resume", "limited": "resume", "pin": "manager",
    "ids_missing": "restart", "held": "restart", "refused": "resume", "fault": "resume",
    "account_banned": "resume", "number_banned": "resume", "rejected": "anew",
    "connected": "another", "connected_app": "another", "lost": "reconnect",
    "idle_app": "reconnect", "banned": "another", "account_gone": "reconnect", "moved": "another",
}  # fmt: skip


def shown(client: Client, row: Onboarding) -> str:
    return str(client.get(f"/connect/{row.public_id}/card/").content.decode())


def pressable(html: str) -> list[str]:
    """What stands on buttons, links and folds."""
    found = re.findall(r"<(button|a|summary)\b[^>]*>(.*?)</\1>", html, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", text).replace("&#x27;", "'").strip() for _, text in found]


@pytest.fixture
def pages(owner: User) -> Client:
    return pages_of(owner)


@pytest.fixture
def guest(client: Client, tenant: Tenant) -> Client:
    _, token = services.create_link(tenant)
    client.get(f"/s/{token}/")
    return client


@pytest.mark.parametrize("name", STATES)
def test_each_state_has_its_main_button(tenant: Tenant, name: str) -> None:
    main = progress.card(planted(tenant, name))["main"]
    assert (main and main.act) == MAIN[name]


def test_a_duplicate_leads_to_the_attempt_that_goes_on(pages: Client, tenant: Tenant) -> None:
    first = planted(tenant, "payment")
    assert first.business_account is not None
    row = planted(tenant, "superseded", claimed_waba_id=first.business_account.waba_id)
    html = shown(pages, row)
    assert f'href="?onboarding={first.public_id}"' in html
    assert "Open the other attempt" in pressable(html)
    Onboarding.objects.filter(pk=first.pk).update(state="cancelled")
    assert "Open the other attempt" not in shown(pages, row)


def test_a_duplicate_leads_nobody_to_what_is_not_theirs_to_see(
    pages: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    first = planted(other_tenant, "payment")
    assert first.business_account is not None
    row = planted(tenant, "superseded", claimed_waba_id=first.business_account.waba_id)
    assert str(first.public_id) not in shown(pages, row)


@pytest.mark.parametrize("name", STATES)
def test_no_card_has_two_main_buttons_and_each_names_the_company(
    guest: Client, tenant: Tenant, name: str
) -> None:
    row = planted(tenant, name, link=SignupLink.objects.get())
    html = shown(guest, row)
    assert len(re.findall(r'class="button"', html)) <= 1
    assert "For <strong>John&#x27;s Cake Shop</strong>" in html


@pytest.mark.parametrize("name", STATES)
def test_what_a_remedy_tells_to_press_can_be_pressed(
    pages: Client, tenant: Tenant, name: str
) -> None:
    row = planted(tenant, name)
    html = shown(pages, row)
    stop = progress.card(row)["requirement"]
    for label in re.findall("“(.+?)”", " ".join(stop.remedy) if stop else ""):
        assert label in pressable(html), label


@pytest.mark.parametrize("name", STATES)
def test_an_attempt_that_has_not_ended_can_be_stopped_and_begun_again(
    pages: Client, tenant: Tenant, name: str
) -> None:
    row = planted(tenant, name)
    html = shown(pages, row)
    ended = row.state in ("cancelled", "rejected", "connected")
    assert ('data-act="withdraw"' in html) is not ended
    again = r'data-act="(launch|restart|anew|reconnect)"|Connect another number'
    assert re.search(again, html)


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_of_days_says_since_when_and_that_one_may_go(
    guest: Client, tenant: Tenant, name: str
) -> None:
    html = shown(guest, planted(tenant, name, link=SignupLink.objects.get()))
    assert "The wait began" in html
    assert "You need not wait here" in html
    assert "tell-form" in html
    assert "tone-act" not in html, "amber is for the reader's own turn"


def test_a_review_makes_the_letter_the_main_button(guest: Client, tenant: Tenant) -> None:
    html = shown(guest, planted(tenant, "review", link=SignupLink.objects.get()))
    assert '<button class="button">Tell me</button>' in html


def test_a_member_who_waits_sees_the_address_that_we_write_to(
    pages: Client, tenant: Tenant, owner: User
) -> None:
    html = shown(pages, planted(tenant, "payment"))
    assert owner.email in html
    assert "tell-form" not in html


def test_the_budget_s_clock_has_the_exact_time_and_its_zone(pages: Client, tenant: Tenant) -> None:
    row = planted(tenant, "budget")
    assert row.next_look_at is not None
    html = shown(pages, row)
    at = row.next_look_at.isoformat(timespec="seconds")
    assert re.search(
        rf'The next try: .*<time datetime="{re.escape(at)}"[^>]*>[^<]+ UTC</time>', html
    )


def test_a_pin_leads_to_whatsapp_manager_first_and_is_tried_again_after_that(
    pages: Client, tenant: Tenant
) -> None:
    html = shown(pages, planted(tenant, "pin"))
    main, rest = html.split('class="buttons main-act"')[1].split("</div>", 1)
    assert moves.MANAGER_URL in main
    assert moves.MANAGER_URL not in rest
    assert 'data-act="resume"' in rest
    assert "Try again" in pressable(html)
    assert "Check again" not in pressable(html)
    assert moves.MANAGER_URL in html


def test_a_number_that_is_not_listed_for_an_hour_takes_longer_than_usual(
    pages: Client, tenant: Tenant
) -> None:
    row = planted(tenant, "not_listed")
    assert "Usually some minutes." in shown(pages, row)
    ago = timezone.now() - timedelta(minutes=61)
    Onboarding.objects.filter(pk=row.pk).update(state_changed_at=ago)
    row.refresh_from_db()
    html = shown(pages, row)
    assert "Usually some minutes." not in html
    assert "This takes longer than usual." in html
    assert "Send the reference to your partner" in html


@pytest.mark.parametrize(
    ("step", "said"), [("BUSINESS_ACCOUNT_SELECTION", "the choice of the business"), ("ODD", "")]
)
def test_the_step_of_metas_window_is_told_in_words_or_not_at_all(
    pages: Client, tenant: Tenant, step: str, said: str
) -> None:
    row = planted(tenant, "closed")
    Onboarding.objects.filter(pk=row.pk).update(current_step=step)
    row.events.update(current_step=step)
    html = shown(pages, row)
    assert step not in html
    assert ("window ended at this step" in html) == bool(said)
    assert said in html


def test_the_three_that_hide_another_company_look_alike(tenant: Tenant) -> None:
    cards = [
        progress.card(planted(tenant, "held", reason=reason))
        for reason in ("account_held", "account_not_visible", "account_not_granted")
    ]
    for name in ("heading", "main", "buttons", "tag", "tone"):
        assert len({str(card[name]) for card in cards}) == 1, name


@pytest.mark.parametrize(
    "code", [each.code for part in ("gates", "number", "acts", "provider", "health")
             for each in getattr(reasons, part).ALL]
)  # fmt: skip
def test_a_stop_that_leads_to_whatsapp_manager_has_the_link(code: str) -> None:
    remedy = " ".join(map(str, reasons.REASONS[code].remedy))
    if not reasons.REASONS[code].public:
        assert ("WhatsApp Manager" in remedy) == (code in moves.MANAGER)


# --- The timeline --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "current", "by"),
    [
        ("signed_up", "Finding your account", "Next: YCloud does this"),
        ("payment", "YCloud's payment method", "Next: we do this"),
        ("no_number", "The number", "Next: WhatsApp does this"),
        ("review", "The partner's decision", "Next: WhatsApp does this"),
        ("connecting", "WhatsApp switches the number on", ""),
    ],
)
def test_the_timeline_says_what_is_waited_for_and_who_makes_the_next_step(
    tenant: Tenant, name: str, current: str, by: str
) -> None:
    row = planted(tenant, name)
    line = progress.milestones(row)
    (now,) = [each for each in line if each.status in ("current", "stopped")]
    assert now.label == current
    assert now.at == row.state_changed_at
    assert [each.by for each in line if each.by] == ([by] if by else [])


def test_what_is_done_has_its_time_even_where_a_pass_skipped_the_state(tenant: Tenant) -> None:
    row = planted(tenant, "registering", linked_at=timezone.now())
    row.transitions.filter(to_state="linked").delete()
    linked = progress.milestones(row)[1]
    assert (linked.status, linked.at) == ("done", row.linked_at)


@pytest.mark.parametrize(
    ("name", "words"),
    [("connecting", "Usually under a minute."), ("long", "This can take days."),
     ("name_review", "Usually one to two days.")],
)  # fmt: skip
def test_how_long_it_takes_is_said_honestly(tenant: Tenant, name: str, words: str) -> None:
    assert words in [each.usually for each in progress.milestones(planted(tenant, name))]


# --- Before and after ----------------------------------------------------------------------------


def test_a_left_attempt_is_told_apart_from_one_that_is_not_begun(tenant: Tenant) -> None:
    assert progress.card(planted(tenant, "started"))["heading"] == "Meta's window is next"
    left = progress.card(planted(tenant, "left"))
    assert left["heading"] == "We have not heard from Meta's window yet"
    assert left["main"].label == "Go on"
    assert [each.act for each in left["buttons"]] == ["search"]


def test_an_attempt_that_was_begun_again_since_is_not_said_to_be_in_the_window(
    pages: Client, tenant: Tenant
) -> None:
    row = planted(tenant, "closed")
    clicked = row.launched_at
    transitions.move(row, State.STARTED, actor="customer", person=True)
    row.refresh_from_db()
    assert progress.card(row)["heading"] == "Meta's window is next"
    assert '"launched_at": null' in pages.get("/connect/").content.decode()
    assert row.launched_at == clicked, "what is counted of it forgets no click"
    assert '"launch": {' in pages.get("/connect/").content.decode()


def test_while_nothing_is_known_the_window_is_not_said_to_be_finished(tenant: Tenant) -> None:
    row = planted(tenant, "closed")
    services.look_for_account(row, "customer")
    row = Onboarding.objects.get(pk=row.pk)
    first, second, *_ = progress.milestones(row)
    assert (first.label, first.status, first.at) == (
        "Meta's window opened", "done", row.launched_at,
    )  # fmt: skip
    assert (second.key, second.status) == ("linked", "current")
    Onboarding.objects.filter(pk=row.pk).update(claimed_waba_id="1")
    row = Onboarding.objects.get(pk=row.pk)
    assert progress.milestones(row)[0].label == "Meta's window finished"


def test_a_review_for_want_of_a_proof_offers_metas_window_where_it_can_prove(
    pages: Client, tenant: Tenant, settings: Any
) -> None:
    row = planted(tenant, "unproven")
    assert "Open Meta&#x27;s window again</button>" in shown(pages, row)
    assert "choose the same account" in shown(pages, row)
    assert "Waiting for your partner" in shown(pages, row), "nothing is asked of the customer"
    settings.META_APP_SECRET = ""
    Onboarding.objects.update(version=99)
    assert "Open Meta&#x27;s window again" not in shown(pages, row)
    assert progress.card(row)["main"] is None


@pytest.mark.parametrize("name", ["connected", "connected_app"])
def test_a_connected_number_has_three_things_to_do_first(
    pages: Client, tenant: Tenant, name: str
) -> None:
    html = shown(pages, planted(tenant, name))
    firsts = re.search(r'<ol class="remedy firsts">(.*?)</ol>', html, re.DOTALL)
    assert firsts
    assert firsts[1].count("<li>") == 3
    assert "1,000 customers a day" in html
    assert "Few people block or report your messages." in html


def test_a_lost_number_is_stopped_and_is_reconnected_by_the_main_button(
    pages: Client, tenant: Tenant
) -> None:
    html = shown(pages, planted(tenant, "lost"))
    assert "tone-stop" in html
    assert "Reconnect this number" in pressable(html)
    assert "What to do first" not in html


def test_a_lost_number_does_not_say_connected_among_the_others(tenant: Tenant) -> None:
    listed = progress.listed(planted(tenant, "lost"))
    assert listed["state_label"] == "This number is no longer connected to us"
    assert listed["tag"].label == "Stopped"


def test_an_owner_switches_the_letters_of_a_connected_number_off_at_their_page(
    pages: Client, tenant: Tenant, member: User
) -> None:
    row = planted(tenant, "connected")
    assert 'href="/accounts/letters/"' in shown(pages, row)
    assert "News by e-mail" not in shown(pages_of(member), row)


def test_a_guest_of_a_connected_number_sees_whom_it_told_and_adds_nobody(
    guest: Client, tenant: Tenant
) -> None:
    row = planted(tenant, "connected", link=SignupLink.objects.get())
    MailAddress.objects.create(
        tenant=tenant, onboarding=row, email="john@cakes.example", confirmed_at=timezone.now()
    )
    html = shown(guest, row)
    assert "j•••@cakes.example" in html
    assert "tell-form" not in html


# --- Words and numbers ---------------------------------------------------------------------------


def test_limits_are_written_as_the_language_writes_numbers() -> None:
    with translation.override("pt-br"):
        assert "10.000" in progress.limit_label("TIER_10K")


def test_a_number_in_a_sentence_is_one_piece_from_left_to_right(tenant: Tenant) -> None:
    label = progress.milestones(planted(tenant, "registering"))[3].label
    assert re.search("\u2066\\+34\u00a0612\u00a0[0-9\u00a0]+\u2069$", label)


def test_what_only_a_new_attempt_can_help_is_asked_for_less_often(tenant: Tenant) -> None:
    wrong, other = planted(tenant, "wrong_number"), planted(tenant, "not_verified")
    assert progress.poll_seconds(wrong) > progress.poll_seconds(other)


def test_a_wait_of_hours_is_asked_for_less_often(tenant: Tenant) -> None:
    row = planted(tenant, "payment", since=2)
    young = progress.poll_seconds(row)
    row.state_changed_at = timezone.now() - timedelta(hours=3)
    assert young < progress.poll_seconds(row)


def test_a_time_is_exact_in_its_title(pages: Client, tenant: Tenant) -> None:
    html = shown(pages, planted(tenant, "payment"))
    times: list[Any] = re.findall(r"<time ([^>]*)>", html)
    assert times
    assert all("datetime=" in each and " UTC" in each for each in times)


@pytest.mark.parametrize("name", ["not_verified", "pin", "name_review"])
def test_a_card_that_asks_something_of_a_number_shows_it(
    tenant: Tenant, owner: User, name: str
) -> None:
    row = planted(tenant, name, started_by=owner)
    assert row.number
    page = pages_of(owner).get(f"/connect/{row.public_id}/card/").content.decode()
    assert f'class="number"><bdi dir="ltr">{progress.display_number(row.number.e164)}' in page


# --- E-mail is offered ---------------------------------------------------------------------------


def test_a_guest_whose_number_waits_for_days_is_offered_letters_at_once(tenant: Tenant) -> None:
    link, token = services.create_link(tenant)
    client = Client()
    client.get(f"/s/{token}/")
    row = planted(tenant, "name_review", link=link, since=0)
    assert 'id="tell-email"' in client.get(f"/connect/{row.public_id}/card/").content.decode()


def test_a_card_is_another_one_as_soon_as_letters_are_offered(tenant: Tenant, owner: User) -> None:
    row = planted(tenant, "registering", started_by=owner, since=0)
    address = f"/connect/{row.public_id}/card/"
    client = pages_of(owner)
    etag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    Onboarding.objects.update(state_changed_at=timezone.now() - timedelta(minutes=2))
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_what_metas_window_said_is_on_the_card(tenant: Tenant) -> None:
    row = planted(tenant, "window_error", error_message="It snows.")
    assert progress.card(row)["said"] == "It snows."

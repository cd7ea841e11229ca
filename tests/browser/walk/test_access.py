"""By keyboard, large, quiet, in the system's colours: what axe cannot see."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walk.walker import DESK, PHONE, Look, Walker
from tests.states import CASES, Case

BY_NAME = {case.name: case for case in CASES}
MAIN = ["question-new", "card-payment-guest", "card-number-choice", "card-connected-also",
        "card-attention-pin", "card-rejected", "account-index", "login-plain", "company-crowded",
        "links-many"]  # fmt: skip
EN_PHONE, EN_DESK = Look("en", PHONE, "light"), Look("en", DESK, "light")


def cases(names: list[str]) -> Any:
    return pytest.mark.parametrize("case", [BY_NAME[name] for name in names], ids=lambda c: c.name)


# --- By keyboard ------------------------------

FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  const drawn = [at, at.closest("label"), at.parentElement].filter(Boolean).some((each) => {
    const it = getComputedStyle(each);
    const outlined = it.outlineStyle !== "none" && parseFloat(it.outlineWidth) >= 1;
    return outlined || it.boxShadow !== "none";
  });
  const box = at.getBoundingClientRect();
  all = window.allFocused ??= [];
  if (!all.includes(at)) all.push(at);
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { number: all.indexOf(at), drawn, inside, html: at.outerHTML.slice(0, 120) };
}""".replace("  all = window", "  const all = window")

REACHABLE = """() => {
  const seen = [...document.querySelectorAll(
    "a[href], button:not(:disabled), input:not([type=hidden]):not(:disabled), select, summary")];
  const shown = seen.filter((each) => each.checkVisibility({ visibilityProperty: true }));
  const groups = new Set(shown.filter((each) => each.type === "radio").map((each) => each.name));
  return shown.filter((each) => each.type !== "radio").length + groups.size;
}"""


FROM_THE_TOP = """() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  scrollTo(0, 0);
}"""


def tabbed(page: Page) -> list[dict[str, Any]]:
    """Everything that Tab comes to until it leaves the page or comes round, in order."""
    page.evaluate(FROM_THE_TOP)
    met: list[dict[str, Any]] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None or any(at["number"] == each["number"] for each in met):
            return met
        met.append(at)
    raise AssertionError("Tab never comes round")


@cases(MAIN)
def test_tab_comes_to_everything_and_shows_where_it_is(walker: Walker, case: Case) -> None:
    with walker.opened(case, EN_DESK) as page:
        page.wait_for_load_state("networkidle")  # the card has been read anew
        met = tabbed(page)
        assert [each["html"] for each in met if not each["drawn"]] == []
        assert [each["html"] for each in met if not each["inside"]] == []
        assert len(met) >= page.evaluate(REACHABLE), [each["html"] for each in met]


def test_an_account_or_a_number_is_chosen_by_keyboard(walker: Walker) -> None:
    with walker.opened(BY_NAME["card-number-choice"], EN_DESK) as page:
        page.locator("form.choices input").first.focus()
        page.keyboard.press("ArrowDown")
        expect(page.locator("form.choices input").nth(1)).to_be_checked()
        page.keyboard.press("Tab")
        expect(page.locator("form.choices button")).to_be_focused()


def test_the_picker_of_errors_is_opened_left_and_closed_by_keyboard(walker: Walker) -> None:
    with walker.opened(BY_NAME["window-open"], EN_DESK) as page:
        page.bring_to_front()
        page.locator("#saw-error").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#error-text")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.locator("#saw-error").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#error-form")).to_be_hidden()


# --- Large, spaced, quiet ------------------------------

SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
  word-spacing: 0.16em !important } p { margin-block-end: 2em !important }"""

CUT = """() => [...document.querySelectorAll("main *, header *")].filter((each) => {
  const style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  if (box.width <= 1 || box.height <= 1 || !each.checkVisibility()) return false;
  if (![...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) return false;
  const cuts = (axis) => ["hidden", "clip"].includes(style[`overflow${axis}`]);
  return (cuts("X") && each.scrollWidth > each.clientWidth + 1)
    || (cuts("Y") && each.scrollHeight > each.clientHeight + 1);
}).map((each) => each.outerHTML.slice(0, 120))"""

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@cases(MAIN)
def test_nothing_is_lost_at_200_percent_or_with_wider_spacing(walker: Walker, case: Case) -> None:
    # 200 % of 1280 px is what 640 CSS pixels at twice the density are.
    zoomed = {"device_scale_factor": 2}
    with walker.opened(case, Look("en", 640, "light"), **zoomed) as page:
        assert page.evaluate(TOO_WIDE) <= 0
        assert page.evaluate(CUT) == []
        page.set_viewport_size({"width": PHONE, "height": 800})
        page.evaluate(
            "(text) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text);"
            " document.adoptedStyleSheets = [sheet] }",
            SPACED,
        )
        assert page.evaluate(TOO_WIDE) <= 0
        assert page.evaluate(CUT) == []


@pytest.mark.parametrize("name", ["card-registering", "card-payment", "window-open"])
def test_nothing_moves_for_those_who_asked_for_stillness(walker: Walker, name: str) -> None:
    with walker.opened(BY_NAME[name], EN_PHONE) as page:
        moving = "document.getAnimations().filter((each) => each.playState === 'running').length"
        assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
        assert page.evaluate(moving) == 0


@cases(["question-new", "card-payment", "card-number-choice", "login-wrong"])
def test_the_systems_own_colours_leave_nothing_invisible(walker: Walker, case: Case) -> None:
    with walker.opened(case, EN_PHONE, forced_colors="active") as page:
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        borderless = page.evaluate("""() => [...document.querySelectorAll("button.button, .card")]
          .filter((each) => each.checkVisibility())
          .filter((each) => parseFloat(getComputedStyle(each).borderTopWidth) === 0
            && getComputedStyle(each).outlineStyle === "none")
          .map((each) => each.outerHTML.slice(0, 100))""")
        assert borderless == []
        assert walker.looked(page, EN_PHONE) == []


# --- Told to those who do not see ------------------------------


def test_the_places_that_speak_are_there_before_their_text(walker: Walker) -> None:
    with walker.opened(BY_NAME["question-none"], EN_PHONE) as page:
        expect(page.locator("#announce[role=status]")).to_be_attached()
        expect(page.locator("#alarm[role=alert]")).to_be_attached()
        expect(page.locator("#trouble[role=alert]")).to_be_attached()
        assert page.inner_text("#announce") == page.inner_text("#alarm") == ""


# --- Nothing jumps ------------------------------

LISTS = ("question-attempts", "card-several")
SHIFTS = """() => new Promise((done) => {
  const named = ({ node, previousRect: was, currentRect: is }) =>
    `${(node?.outerHTML || node?.data || "?").slice(0, 80)}: ${was.y} -> ${is.y}`;
  const seen = [];
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) {
      if (!each.hadRecentInput) seen.push(`${each.value.toFixed(4)} ${each.sources.map(named)}`);
    }
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(seen)));
})"""


@cases(["question-none", "question-attempts", "question-guest", "card-payment",
        "card-connected-also", "card-several", "card-started"])  # fmt: skip
def test_nothing_jumps_while_the_signup_page_comes_up(walker: Walker, case: Case) -> None:
    # On a desk the times of the list of other numbers end each line, and change their length.
    looks = (EN_PHONE,) if case.name in LISTS else (EN_PHONE, EN_DESK)
    for look in looks:
        with walker.opened(case, look) as page:
            page.wait_for_load_state("networkidle")
            assert page.evaluate(SHIFTS) == []

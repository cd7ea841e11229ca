"""Opens a case, looks at it in each size and scheme, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from django.utils.translation import get_language_info
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.walk import english
from tests.states import Case, World

PHONE, DESK, LEAST = 360, 1280, 320
WIDTHS, SCHEMES = (PHONE, DESK), ("light", "dark")
LANGUAGES = tuple(code for code, _ in settings.LANGUAGES)
LOCALES = {"zh-hans": "zh-CN", "pt-br": "pt-BR"}
ARTEFACTS = Path(__file__).resolve().parents[3] / "artefacts" / "browser"

HERE = Path(__file__).resolve().parent
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
LOOK = (HERE / "look.js").read_text()
RULES = {
    "runOnly": {
        "type": "tag",
        "values": [
            "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice",
        ],
    },
    "resultTypes": ["violations"],
}  # fmt: skip
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
"""Of these rules, those that another colour scheme can break."""
RUN_AXE = """async (rules) => (await axe.run(document, rules)).violations.flatMap(
  (found) => found.nodes.map((node) => `axe ${found.id}: ${node.html.slice(0, 160)}`))"""

# Nobody is turned away for looking at one page often.
GENEROUS = {
    "LINK_OPENINGS_PER_MINUTE": 100_000, "LAUNCHES_PER_MINUTE": 100_000,
    "API_RATE_PER_MINUTE": 100_000, "LINKS_PER_HOUR": 100_000, "ACCOUNT_RATE_LIMITS": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a page."""

    language: str
    width: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{self.scheme}"


ALL_LOOKS = tuple(
    Look(language, width, scheme)
    for language in LANGUAGES
    for width in WIDTHS
    for scheme in SCHEMES
)


class Walker:
    """One browser and the site; `walk` opens a case and returns its faults."""

    def __init__(self, browser: Browser, site: str, keep: Path | None = None) -> None:
        self.browser, self.site, self.keep = browser, site, keep
        self.visits = 0
        self.kept_page: Page | None = None
        self.planted: tuple[Case, World, str] | None = None

    def walk(self, case: Case, looks: Sequence[Look]) -> list[str]:
        """Each look's faults. A page is loaded once for a language, and then looked at in each
        size and scheme: both come of style sheets alone, no script shows other things for them.
        """
        faults: list[str] = []
        loads: dict[str, list[Look]] = {}
        for look in looks:
            loads.setdefault(look.language, []).append(look)
        special: Page | None = None
        try:
            for of_load in loads.values():
                try:
                    if case.is_special:
                        special = special or self._new_page(case.browser, case.before)
                    faults += self._walked(case, of_load, special)
                except (PlaywrightError, AssertionError) as error:
                    said = " ".join(str(error).split())[:300]
                    faults.append(f"{case.name} {of_load[0]}: cannot be reached: {said}")
        finally:
            if special is not None:
                special.context.close()
        return faults

    def _walked(self, case: Case, looks: list[Look], special: Page | None) -> list[str]:
        found: list[str] = []
        with self._shown(case, looks[0], special or self._page()) as page:
            widths: set[int] = set()
            for look in looks:
                # The same page in other colours: nothing but these can be wrong anew.
                see = self.looked_again if look.width in widths else self.looked
                widths.add(look.width)
                found += [f"{case.name} {look}: {each}" for each in see(page, look)]
                self._kept(page, case, look)
            found += [f"{case.name} {looks[0]}: {each}" for each in page.faults]  # type: ignore[attr-defined]
        return list(dict.fromkeys(found))

    @contextmanager
    def opened(self, case: Case, look: Look, **browser: Any) -> Iterator[Page]:
        """The case on a page, as far as `sees`. What is special about its browser gets its own."""
        if not (case.is_special or browser):
            with self._shown(case, look, self._page()) as page:
                yield page
            return
        page = self._new_page({**case.browser, **browser}, case.before)
        try:
            with self._shown(case, look, page):
                yield page
        finally:
            page.context.close()

    @contextmanager
    def _shown(self, case: Case, look: Look, page: Page) -> Iterator[Page]:
        cache.clear()
        with override_settings(**{**GENEROUS, "SITE_URL": self.site, **case.settings}):
            try:
                self._open(page, case, look)
                yield page
            finally:
                self._leave(page, case)

    def close(self) -> None:
        """No page asks for anything any more."""
        if self.kept_page is not None:
            self.kept_page.context.close()

    def _page(self) -> Page:
        """The one that is used again: a new browser context costs more than a visit."""
        if self.kept_page is None:
            self.kept_page = self._new_page({})
        return self.kept_page

    def _new_page(
        self, browser: Mapping[str, Any], before: Callable[[Page], None] | None = None
    ) -> Page:
        context = self.browser.new_context(
            **{"base_url": self.site, "reduced_motion": "reduce", **browser}
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: page.faults.append(f"script: {error}"))  # type: ignore[attr-defined]
        page.on("console", lambda said: _heard(page, said))
        if before:
            before(page)
        return page

    def _leave(self, page: Page, case: Case) -> None:
        for other in page.context.pages:
            if other != page:
                other.close()
        if case.is_kept:
            return  # nothing was done on it
        # On a picture of this site, without scripts: the one before kept things until it was left.
        page.goto(f"{self.site}/static/favicon.svg")
        page.evaluate("() => { sessionStorage.clear(); localStorage.clear() }")

    def _open(self, page: Page, case: Case, look: Look) -> None:
        # The page of the case before may still ask for its card: not with this one's cookies.
        page.goto("about:blank")
        page.faults, page.case = [], case  # type: ignore[attr-defined]
        world, address = self._plant(case)
        self._dress(page, look, world.cookies(), urlsplit(address).hostname or "")
        page.goto(address)
        if case.does:
            case.does(page, world)
        expect(page.locator(case.sees).first).to_be_visible()
        if not case.is_scriptless:
            page.evaluate(AXE)

    def _plant(self, case: Case) -> tuple[World, str]:
        """The case's rows and its address; where nothing is done, those of the last visit."""
        if self.planted and self.planted[0] is case and case.is_kept:
            return self.planted[1:]
        world = World()
        self.planted = (case, world, self._here(case.plants(world)))
        return self.planted[1:]

    def _dress(self, page: Page, look: Look, held: dict[str, str], host: str) -> None:
        """This look's language, size and scheme, and the case's cookies."""
        spoken = LOCALES.get(look.language, look.language)
        page.context.set_extra_http_headers({"Accept-Language": spoken})
        page.set_viewport_size({"width": look.width, "height": 800})
        page.emulate_media(color_scheme=look.scheme)  # type: ignore[arg-type]
        page.context.clear_cookies()
        cookies = {**held, settings.LANGUAGE_COOKIE_NAME: look.language}
        page.context.add_cookies(
            [{"name": n, "value": v, "domain": host, "path": "/"} for n, v in cookies.items()]
        )

    def _here(self, address: str) -> str:
        """Against the site; another host of ours keeps its name and takes the site's port."""
        parts = urlsplit(address)
        if not parts.netloc:
            return f"{self.site}{address}"
        port = urlsplit(self.site).port
        return parts._replace(netloc=f"{parts.hostname}:{port}").geturl()

    def looked(self, page: Page, look: Look) -> list[str]:
        """What is wrong at this size, scheme and language."""
        self.visits += 1
        page.set_viewport_size({"width": look.width, "height": 800})
        page.emulate_media(color_scheme=look.scheme)  # type: ignore[arg-type]
        is_rtl = get_language_info(look.language)["bidi"]
        wanted = {"lang": look.language, "dir": "rtl" if is_rtl else "ltr"}
        seen = page.evaluate(LOOK, wanted)
        faults = [*seen["faults"], *self._axe(page, RULES)]
        faults += [f"English: {text[:90]}" for text in english.left(look.language, seen["texts"])]
        if look.width == PHONE:
            page.set_viewport_size({"width": LEAST, "height": 800})
            faults += [f for f in page.evaluate(LOOK, wanted)["faults"] if "too wide" in f]
            page.set_viewport_size({"width": PHONE, "height": 800})
        return faults

    def looked_again(self, page: Page, look: Look) -> list[str]:
        """What is wrong in the colours of this scheme, on a page that was looked at."""
        self.visits += 1
        page.set_viewport_size({"width": look.width, "height": 800})
        page.emulate_media(color_scheme=look.scheme)  # type: ignore[arg-type]
        return self._axe(page, COLOURS)

    def _axe(self, page: Page, rules: Mapping[str, Any]) -> list[str]:
        """Axe's findings. It needs the page's own timers, so it cannot look where no script runs;
        there look.js alone does: width, headline, names and labels of what can be reached.
        """
        if page.case.is_scriptless:  # type: ignore[attr-defined]
            return []
        found: list[str] = page.evaluate(RUN_AXE, rules)
        return found

    def _kept(self, page: Page, case: Case, look: Look) -> None:
        if self.keep is None:
            return
        place = self.keep / look.language / f"{case.name}-{look.width}-{look.scheme}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=place, full_page=True)


def _heard(page: Page, said: ConsoleMessage) -> None:
    """A fault that the browser names; what belongs to the case is none."""
    case: Case = page.case  # type: ignore[attr-defined]
    is_fault = said.type == "error" or "Content Security Policy" in said.text
    address = said.location.get("url", "")
    # The icon that a browser looks for by itself: look.js says whether the page names one.
    known = (*case.fails, "/favicon.ico")
    if is_fault and not any(part in address for part in known):
        page.faults.append(f"console: {said.text[:160]} ({urlsplit(address).path})")  # type: ignore[attr-defined]

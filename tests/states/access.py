"""The login's pages, links, letters, and what is said when something is not there or broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.utils import timezone
from playwright.sync_api import Page

from onboarding import mail_addresses, services
from onboarding.models import MailAddress, SignupLink
from tenants.models import User
from tests.states.base import Case
from tests.states.world import PASSWORD, S, World


def nobody(address: str) -> Callable[[World], str]:
    return lambda _: address


def owner(address: str) -> Callable[[World], str]:
    def plants(world: World) -> str:
        world.owner()
        return address.format(slug=world.tenant.slug)

    return plants


def with_factors(address: str) -> Callable[[World], str]:
    """An owner with an app, a passkey and recovery codes."""

    def plants(world: World) -> str:
        user = world.owner()
        return address.format(key=factors_of(user))

    return plants


def factors_of(user: User) -> int:
    """Give the user every second factor; the key of the passkey."""
    app_of(user)
    passkey = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Pocket", "credential": {}}
    )
    return int(passkey.pk)


def app_of(user: User) -> None:
    """Give the user an authenticator app and recovery codes."""
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)


def companyless(world: World) -> str:
    world.signed_in = world.person("alone")
    return "/connect/"


def without_password(world: World) -> str:
    world.signed_in = world.joins(world.person("owner", password=""), "owner")
    return "/accounts/password/set/"


def signed_in_elsewhere(world: World) -> str:
    user = world.owner()
    agents = (
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
        "Something/1.0 (new)",
    )
    for index, agent in enumerate(agents):
        key = f"elsewhere-{world.serial}-{index}"
        UserSession.objects.create(user=user, session_key=key, user_agent=agent, ip="203.0.113.7")
    return "/accounts/sessions/"


def reset_key(world: World) -> str:
    user = world.joins(world.person("owner"), "owner")
    key = default_token_generator.make_token(user)
    return f"/accounts/password/reset/key/{user_pk_to_url_str(user)}-{key}/"


def known_person(world: World) -> str:
    world.joins(world.person("owner"), "owner")
    return "/accounts/login/"


def person_with_app(world: World) -> str:
    app_of(world.joins(world.person("owner"), "owner"))
    return "/accounts/login/"


# --- What is done on the page ------------------------------


def signs_in(page: Page, world: World) -> None:
    fills(page, {"#id_login": f"owner{world.serial}@cakes.example", "#id_password": PASSWORD})


def signs_in_wrongly(page: Page, world: World) -> None:
    fills(page, {"#id_login": f"owner{world.serial}@cakes.example", "#id_password": "not it"})


def fills(page: Page, fields: dict[str, str]) -> None:
    """Fill these in and send the form."""
    for field, value in fields.items():
        page.fill(field, value)
    with page.expect_navigation():
        page.press(list(fields)[-1], "Enter")


def signs_up(page: Page, world: World) -> None:
    fields = {"#id_email": f"new{world.serial}@cakes.example", "#id_password1": PASSWORD}
    company = page.locator("#id_company")
    if company.count():
        company.fill("Brown Bakery")
    fills(page, fields)


def asks_for_a_reset(page: Page, world: World) -> None:
    fills(page, {"#id_email": f"owner{world.serial}@cakes.example"})


def changes_wrongly(page: Page, _: World) -> None:
    fields = dict.fromkeys(("#id_oldpassword", "#id_password1"), "short")
    if page.locator("#id_password2").count():
        fields["#id_password2"] = "other"
    fills(page, fields)


# --- Links and letters ------------------------------


def link(**columns: Any) -> Callable[[World], str]:
    """A link that does not let in any more."""

    def plants(world: World) -> str:
        made = world.guest()
        SignupLink.objects.filter(pk=made.pk).update(**{k: v() for k, v in columns.items()})
        token, world.guest_token = world.guest_token, ""
        return f"/s/{token}/"

    return plants


def replaced(world: World) -> str:
    """A link whose place a newer one has taken."""
    world.guest()
    token, world.guest_token = world.guest_token, ""
    services.create_link(world.tenant)
    return f"/s/{token}/"


def both(world: World) -> str:
    world.owner()
    world.guest()
    return "/s/choose/"


def many_openings(world: World) -> str:
    """Over the limit with the first one: what counts is the address it comes from."""
    return "/s/unknown/"


def opens_again(page: Page, _: World) -> None:
    page.reload()


def asked_to_be_told(world: World) -> MailAddress:
    world.guest()
    row = world.attempt(S.AWAITING_PAYMENT, "payment_missing")
    world.guest_token = ""
    return MailAddress.objects.create(
        tenant=world.tenant, onboarding=row, email="someone@example.com"
    )


def confirmation(world: World) -> str:
    return f"/mail/confirm/{mail_addresses.new_confirmation(asked_to_be_told(world))}/"


def stop(world: World) -> str:
    address = asked_to_be_told(world)
    MailAddress.objects.filter(pk=address.pk).update(confirmed_at=timezone.now())
    return "/mail/stop/" + mail_addresses.stop_url(address).partition("/mail/stop/")[2]


def presses(page: Page, _: World) -> None:
    """The one button of the page's own content."""
    with page.expect_navigation():
        page.locator("main form button").first.click()


def opens_the_languages(page: Page, _: World) -> None:
    page.click(".languages > summary")


def revoked() -> Any:
    return timezone.now()


def over() -> Any:
    return timezone.now() - timedelta(days=1)


BROKEN: dict[str, Any] = {"ROOT_URLCONF": "tests.states.broken"}
OPEN: dict[str, Any] = {"TENANT_SELF_SIGNUP": True}
REFUSED = ("/s/", "/broken/", "/accounts/", "/mail/", "/nowhere/", "/connect/", "/invitation/")


def page(name: str, plants: Callable[[World], str], does: Any = None, **more: Any) -> Case:
    return Case(name, plants, does=does, fails=REFUSED, **more)


def broken(status: str) -> Case:
    return page(f"error-{status}", nobody(f"/broken/{status}/"), settings=BROKEN)


FAULTS, CODE, DONE = "main .errorlist:visible", "main input[name=code]", ".badge.done"
LANGUAGES = ".languages[open] ul:visible"

CASES = (
    page("language-menu", owner("/accounts/"), opens_the_languages, sees=LANGUAGES),
    page("language-links", nobody("/s/unknown/"), opens_the_languages, sees=LANGUAGES),
    page("home-nobody", nobody("/")),
    page("login-plain", nobody("/accounts/login/")),
    page("login-next", nobody("/accounts/login/?next=/connect/")),
    page("login-wrong", known_person, signs_in_wrongly, sees=FAULTS),
    page("login-factor", person_with_app, signs_in, sees=CODE),
    page("login-closed", nobody("/accounts/signup/")),
    page("login-open", nobody("/accounts/signup/"), settings=OPEN),
    page("login-code", nobody("/accounts/signup/"), signs_up, settings=OPEN, sees=CODE),
    page("login-reset", nobody("/accounts/password/reset/")),
    page("login-reset-asked", lambda w: known_person(w) and "/accounts/password/reset/",
         asks_for_a_reset, sees="main:not(:has(input[type=email])) h1"),
    page("login-reset-key", reset_key),
    page("login-reset-key-old", nobody("/accounts/password/reset/key/1-old/")),
    page("login-reset-done", nobody("/accounts/password/reset/key/done/")),
    page("login-inactive", nobody("/accounts/inactive/")),
    page("account-index", owner("/accounts/")),
    page("account-email", owner("/accounts/email/")),
    page("account-password", owner("/accounts/password/change/")),
    page("account-password-wrong", owner("/accounts/password/change/"), changes_wrongly,
         sees=FAULTS),
    page("account-password-set", without_password),
    page("account-reauthenticate", owner("/accounts/reauthenticate/?next=/accounts/")),
    page("account-logout", owner("/accounts/logout/")),
    page("account-letters", owner("/accounts/letters/")),
    page("account-sessions", signed_in_elsewhere),
    page("account-companyless", companyless),
    page("factor-index", owner("/accounts/2fa/")),
    page("factor-index-on", with_factors("/accounts/2fa/")),
    page("factor-app", owner("/accounts/2fa/totp/activate/")),
    page("factor-app-off", with_factors("/accounts/2fa/totp/deactivate/")),
    page("factor-passkeys", with_factors("/accounts/2fa/webauthn/")),
    page("factor-passkey-add", owner("/accounts/2fa/webauthn/add/")),
    page("factor-passkey-name", with_factors("/accounts/2fa/webauthn/keys/{key}/edit/")),
    page("factor-passkey-remove", with_factors("/accounts/2fa/webauthn/keys/{key}/remove/")),
    page("factor-codes", with_factors("/accounts/2fa/recovery-codes/")),
    page("factor-codes-new", with_factors("/accounts/2fa/recovery-codes/generate/")),
    page("factor-again", with_factors("/accounts/2fa/reauthenticate/?next=/accounts/")),
    page("link-unknown", nobody("/s/unknown/")),
    page("link-expired", link(expires_at=over)),
    page("link-revoked", link(revoked_at=revoked)),
    page("link-replaced", replaced, sees="main .remedy li:nth-child(2)"),
    page("link-both", both),
    page("letter-confirm", confirmation),
    page("letter-confirmed", confirmation, presses, sees=DONE),
    page("letter-stop", stop),
    page("letter-stopped", stop, presses, sees=DONE),
    page("letter-unknown", nobody("/mail/confirm/unknown/")),
    page("letter-stop-unknown", nobody("/mail/stop/unknown/")),
    *(broken(status) for status in ("400", "403", "500", "503")),
    page("error-404", nobody("/nowhere/")),
    page("error-403-form", nobody("/broken/form/"), presses, settings=BROKEN),
    page("error-429", many_openings, opens_again, settings={"LINK_OPENINGS_PER_MINUTE": 1}),
)  # fmt: skip

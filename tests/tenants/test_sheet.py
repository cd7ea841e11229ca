"""Tenants from a file, and into one: in the admin and by command."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from tenants import sheet, sheet_rows
from tenants.models import AuditEntry, Invitation, Membership, Tenant, User
from tests.conftest import pages_of, person

IMPORT, CONFIRM = "/admin/tenants/tenant/import/", "/admin/tenants/tenant/process_import/"
EXPORT = "/admin/tenants/tenant/export/"
HEAD = "external_id,slug,name,language,approval,unproven\n"


def staff(name: str, *rights: str) -> User:
    user = person(f"{name}@partner.example", staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


@pytest.fixture
def ann(db: None) -> User:
    return staff("ann", "import_tenant", "export_tenant", "view_tenant")


@pytest.fixture
def desk(ann: User) -> Client:
    return pages_of(ann)


def offer(desk: Client, text: str | bytes, *, tabs: bool = False) -> Any:
    """Choose the file: the dry run."""
    data = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile("tenants.csv", data, "text/csv")
    sent = {"import_file": file, "format": "1" if tabs else "0", "resource": "0"}
    return desk.post(IMPORT, sent)


def confirm(desk: Client, offered: Any) -> Any:
    return desk.post(CONFIRM, offered.context["confirm_form"].initial, follow=True)


def outcomes(answer: Any) -> list[str]:
    return [each.outcome for each in answer.context["report"]]


def errors(answer: Any) -> list[str]:
    return [error for each in answer.context["report"] for error in each.errors]


def refusal(answer: Any) -> str:
    return str(answer.context["form"].errors["import_file"][0])


# --- Who -----------------------------------------------------------------------------------------


def test_without_the_rights_there_is_neither_import_nor_export(db: None) -> None:
    other = pages_of(staff("other", "view_tenant", "change_tenant", "add_tenant"))
    for address in (IMPORT, EXPORT):
        assert other.get(address).status_code == 403
    assert other.post(CONFIRM, {}).status_code == 403
    page = other.get("/admin/tenants/tenant/").content.decode()
    assert IMPORT not in page
    assert EXPORT not in page


def test_with_the_rights_the_list_leads_to_both(desk: Client) -> None:
    page = desk.get("/admin/tenants/tenant/").content.decode()
    assert IMPORT in page
    assert EXPORT in page
    assert "owner_email" in desk.get(IMPORT).content.decode()


# --- The dry run and the confirmation -------------------------------------------------------------


def test_a_dry_run_tells_row_by_row_and_writes_nothing(desk: Client, tenant: Tenant) -> None:
    answer = offer(desk, HEAD + "c1,new-one,New One,pt-br,always,stop\n,cakes,John's Cakes,,,\n")
    told = answer.context["report"]
    assert [(each.line, each.outcome, each.slug) for each in told] == [
        (2, "new", "new-one"), (3, "updated", "cakes"),
    ]  # fmt: skip
    tenant.refresh_from_db()
    assert tenant.name == "John's Cake Shop"
    assert Tenant.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_a_confirmed_file_makes_and_updates_with_an_entry_for_each(
    desk: Client, ann: User, tenant: Tenant
) -> None:
    text = HEAD + f"c1,new-one,New One,en,always,stop\n,cakes,{tenant.name},,never,\n"
    page = confirm(desk, offer(desk, text)).content.decode()
    assert "Imported: 1 new, 1 updated, 0 unchanged." in page
    made = Tenant.objects.get(slug="new-one")
    assert (made.external_id, made.language, made.approval, made.unproven) == (
        "c1", "en", "always", "stop",
    )  # fmt: skip
    added, changed = AuditEntry.objects.order_by("pk")
    assert (added.act, added.actor, added.tenant_slug) == ("tenant.added", ann.username, "new-one")
    assert "New One" not in str(added.after)
    assert (changed.act, changed.before, changed.after) == (
        "tenant.changed", {"approval": ""}, {"approval": "never"},
    )  # fmt: skip


def test_rows_that_change_nothing_are_unchanged_and_leave_no_entry(
    desk: Client, tenant: Tenant
) -> None:
    answer = offer(desk, f"slug,name\ncakes,{tenant.name}\n")
    assert outcomes(answer) == ["unchanged"]
    confirm(desk, answer)
    assert not AuditEntry.objects.exists()


def test_a_row_is_matched_by_its_external_id_before_its_slug(desk: Client, tenant: Tenant) -> None:
    tenant.external_id = "c1"
    tenant.save()
    confirm(desk, offer(desk, "external_id,slug,name\nc1,bakery,Bakery\n"))
    tenant.refresh_from_db()
    assert (tenant.slug, tenant.name, tenant.external_id) == ("bakery", "Bakery", "c1")
    assert Tenant.objects.count() == 1


def test_a_tenant_known_by_its_slug_gets_the_external_id(desk: Client, tenant: Tenant) -> None:
    confirm(desk, offer(desk, "external_id,slug\nc9,cakes\n"))
    tenant.refresh_from_db()
    assert (tenant.external_id, tenant.name) == ("c9", "John's Cake Shop")


def test_an_empty_external_id_stays_as_it_is_and_other_empty_cells_empty(
    desk: Client, tenant: Tenant
) -> None:
    Tenant.objects.update(external_id="c1", approval="always", unproven="stop")
    confirm(desk, offer(desk, "external_id,slug,approval\n,cakes,\n"))
    tenant.refresh_from_db()
    assert (tenant.external_id, tenant.approval, tenant.unproven) == ("c1", "", "stop")


def test_a_row_is_changed_by_its_external_id_alone(desk: Client, tenant: Tenant) -> None:
    Tenant.objects.update(external_id="c1")
    confirm(desk, offer(desk, "external_id,name\nc1,Bakery\n"))
    tenant.refresh_from_db()
    assert tenant.name == "Bakery"


def test_nobody_is_ever_deleted(desk: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    confirm(desk, offer(desk, "slug,name\nnew-one,New One\n"))
    assert Tenant.objects.count() == 3


def test_one_refused_row_refuses_the_whole_file(desk: Client) -> None:
    answer = offer(desk, "slug,name\nnew-one,New One\nbad slug,Bad\n")
    assert outcomes(answer) == ["new", "refused"]
    assert "confirm_form" not in answer.context
    assert "Nothing is imported" in answer.content.decode()


def test_what_became_wrong_since_the_dry_run_is_told_and_nothing_written(desk: Client) -> None:
    offered = offer(desk, "external_id,slug,name\nc1,new-one,New One\nc2,two,Two\n")
    Tenant.objects.create(slug="two", name="Two", external_id="c7")
    answer = confirm(desk, offered)
    assert outcomes(answer) == ["new", "refused"]
    assert not Tenant.objects.filter(slug="new-one").exists()
    assert not AuditEntry.objects.exists()


def test_a_file_is_imported_once_and_waits_sealed_in_the_cache(desk: Client) -> None:
    offered = offer(desk, "slug,name\nnew-one,Very Special Name\n")
    name = offered.context["confirm_form"].initial["import_file_name"]
    kept = cache.get(f"tenant_sheet_{name}")
    assert kept
    assert "Special" not in str(kept)
    confirm(desk, offered)
    assert cache.get(f"tenant_sheet_{name}") is None
    page = confirm(desk, offered).content.decode()
    assert "imported already" in page


# --- Files that are wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("slug,name\ncafé,Café\n".encode("latin-1"), "not in UTF-8"),
        ("slug,name\nx,Y\n".encode("utf-16"), "not in UTF-8"),
        ("slug,name\nx,Y\n".encode("utf-16-be"), "zero bytes"),
        (b"slug,name\nx\0,Y\n", "zero bytes"),
        (b"name\nNobody\n", "A column is missing"),
        (b"slug,name,colour\nx,Y,red\n", "“colour” is no column"),
        (b"slug,name,slug\nx,Y,z\n", "is there twice"),
        (b"\n", "The file is empty"),
        (b"slug,name\nx,Y\nz\n", "Line 3 has 1 cells"),
        (b"slug,name\nx,Y,extra\n", "Line 2 has 3 cells"),
        (b'slug,name\nx,"Y', "Line 2: unexpected end of data"),
        (b'slug,name\nx,"Y"z\n', "Line 2: "),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(desk: Client, data: bytes, words: str) -> None:
    assert words in refusal(offer(desk, data))


def test_more_rows_than_ten_thousand_are_refused(desk: Client) -> None:
    rows = "".join(f"tenant-{n},N\n" for n in range(sheet.MOST_ROWS + 1))
    assert "10001 rows" in refusal(offer(desk, "slug,name\n" + rows))


def test_a_file_without_rows_is_refused(desk: Client) -> None:
    assert "No valid data" in refusal(offer(desk, "slug,name\n"))


def test_a_file_over_the_limit_of_a_body_is_refused(desk: Client) -> None:
    assert offer(desk, "slug,name\n" + "x" * 1_100_000).status_code == 413


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffslug,name\nx-1,Café\n",
        "slug;name\nx-1;Café\n",
        "Slug , NAME\r\nx-1, Café \r\n\r\n",
    ],
)
def test_what_spreadsheets_write_is_read(desk: Client, text: str) -> None:
    confirm(desk, offer(desk, text))
    assert Tenant.objects.get().name == "Café"


def test_a_file_with_tabs_is_read(desk: Client) -> None:
    confirm(desk, offer(desk, "slug\tname\nx-1\tCafé\n", tabs=True))
    assert Tenant.objects.get().slug == "x-1"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",x-1,Name,xx,,", "language: “xx” is no language here."),
        (",x-1,Name,,sometimes,", "approval: Value 'sometimes'"),
        (",x-1,Name,,,maybe", "unproven: Value 'maybe'"),
        (",Not a slug,Name,,,", "slug: Enter a valid"),
        (",x-1,,,,", "name: This field cannot be blank."),
        (",,Name,,,", "slug: This field cannot be blank."),
        (",,,,,x", "slug: This field cannot be blank."),
        (f",x-1,{'n' * 201},,,", "name: Ensure this value has at most 200"),
        (f"{'e' * 101},x-1,N,,,", "external_id: Ensure this value has at most 100"),
        ("c2,cakes,Name,,,", "slug: This slug belongs to the tenant with another external_id."),
    ],
)
def test_a_refused_row_names_the_field_and_its_error(
    desk: Client, tenant: Tenant, row: str, words: str
) -> None:
    Tenant.objects.update(external_id="c1")
    answer = offer(desk, f"{HEAD}{row}\n")
    assert outcomes(answer) == ["refused"]
    assert any(error.startswith(words) for error in errors(answer)), errors(answer)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (",same,One,,,\n,same,Two,,,\n", "slug: “same” is in line 2 already."),
        ("c1,one,One,,,\nc1,two,Two,,,\n", "external_id: “c1” is in line 2 already."),
    ],
)
def test_what_is_twice_in_the_file_is_told_with_its_first_line(
    desk: Client, rows: str, words: str
) -> None:
    answer = offer(desk, HEAD + rows)
    assert outcomes(answer) == ["new", "refused"]
    assert errors(answer) == [words]


def test_html_in_a_name_stays_text(desk: Client) -> None:
    name = "<script>alert(1)</script> & Sons"
    answer = offer(desk, f"slug,name\nx-1,{name}\nbad slug,<img src=x onerror=y>\n")
    page = answer.content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    confirm(desk, offer(desk, f"slug,name\nx-1,{name}\n"))
    assert Tenant.objects.get().name == name


# --- Owners --------------------------------------------------------------------------------------

OWNERS = "slug,name,owner_email\n"


def test_an_owner_is_invited_after_the_commit_and_only_once(
    transactional_db: None, mailoutbox: list[Any]
) -> None:
    ann = staff("ann", "import_tenant")
    desk = pages_of(ann)
    offered = offer(desk, OWNERS + "one,One,Owner@one.example\ntwo,Two,\n")
    assert "owner@one.example is invited" in offered.content.decode()
    assert not mail.outbox
    page = confirm(desk, offered).content.decode()
    assert "1 invitation was mailed." in page
    (letter,) = mail.outbox
    assert letter.to == ["owner@one.example"]
    invitation = Invitation.objects.get()
    assert (invitation.role, invitation.invited_by) == (Membership.Role.OWNER, ann)
    assert AuditEntry.objects.get(act="invitation.created").actor == ann.username
    again = offer(desk, OWNERS + "one,One,owner@one.example\n")
    assert "is invited" not in again.content.decode()
    confirm(desk, again)
    assert len(mail.outbox) == 1


def test_a_member_is_not_invited_again(transactional_db: None, owner: User, tenant: Tenant) -> None:
    desk = pages_of(staff("ann", "import_tenant"))
    confirm(desk, offer(desk, OWNERS + f"cakes,{tenant.name},{owner.email}\n"))
    assert not Invitation.objects.exists()


def test_a_letter_that_cannot_be_mailed_is_told_and_the_tenants_are_kept(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OSError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    desk = pages_of(staff("ann", "import_tenant"))
    page = confirm(desk, offer(desk, OWNERS + "one,One,owner@one.example\n")).content.decode()
    assert "owner@one.example was not invited" in page
    assert Tenant.objects.filter(slug="one").exists()
    assert not Invitation.objects.exists()


def test_nobody_is_invited_when_a_row_is_refused(transactional_db: None) -> None:
    resource = sheet_rows.TenantResource(by=staff("ann"))
    rows = sheet.read(OWNERS + "one,One,owner@one.example\nbad slug,Two,\n")
    result = resource.import_data(rows, rollback_on_validation_errors=True)
    assert sheet_rows.is_refused(result)
    assert not mail.outbox
    assert not Tenant.objects.exists()


def test_an_address_that_is_none_is_refused(desk: Client) -> None:
    answer = offer(desk, OWNERS + "one,One,nobody\n")
    assert errors(answer) == ["owner_email: “nobody” is no e-mail address."]


def test_all_that_is_wrong_with_a_row_is_told_at_once(desk: Client) -> None:
    answer = offer(desk, OWNERS.strip() + ",language\nbad slug,One,nobody,xx\n")
    assert {error.partition(":")[0] for error in errors(answer)} == {
        "owner_email", "slug", "language",
    }  # fmt: skip


def test_more_than_a_hundred_people_are_not_invited_through_the_browser(desk: Client) -> None:
    rows = "".join(f"t{n},N,o{n}@x.example\n" for n in range(sheet_rows.MOST_INVITED + 1))
    answer = offer(desk, OWNERS + rows)
    assert outcomes(answer).count("refused") == 1
    assert "At most 100 people" in errors(answer)[0]


# --- Export --------------------------------------------------------------------------------------


def export(desk: Client, query: str = "") -> str:
    answer = desk.post(f"{EXPORT}{query}", {"format": "0", "resource": "0"})
    assert answer["Content-Type"].startswith("text/csv")
    return bytes(answer.content).decode("utf-8-sig")


def test_what_is_exported_can_be_imported_and_changes_nothing(desk: Client) -> None:
    Tenant.objects.create(slug="a", name="Bäcker, “A”", external_id="c1", approval="always")
    Tenant.objects.create(slug="b", name="=1+1")
    text = export(desk)
    assert text.splitlines()[0] == HEAD.strip()
    assert "'=1+1" in text
    assert outcomes(offer(desk, text)) == ["unchanged", "unchanged"]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)"])
def test_no_cell_is_taken_for_a_formula(desk: Client, name: str) -> None:
    Tenant.objects.create(slug="a", name=name, external_id="=x")
    line = export(desk).splitlines()[1]
    assert line.startswith("'=x,a,")
    assert f"'{name}" in line
    assert sheet.shown(sheet.safe(name)) == name


def test_an_export_is_of_what_was_looked_for_and_is_noted(
    desk: Client, ann: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    text = export(desk, "?q=cakes")
    assert "cakes" in text
    assert "other" not in text
    entry = AuditEntry.objects.get(act="tenants.exported")
    assert (entry.actor, entry.after) == (ann.username, {"rows": 1})


# --- The command ---------------------------------------------------------------------------------


def run(path: Path, *args: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_tenants", str(path), *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tenants.csv"
    path.write_text("slug,name\nnew-one,New One\ncakes,John's Cake Shop\n", encoding="utf-8")
    return path


def test_the_command_tells_the_same_report(tenant: Tenant, file: Path) -> None:
    out, _ = run(file, "--dry-run")
    assert out.splitlines() == [
        "line 2: new new-one", "line 3: unchanged cakes",
        "Would be: 1 new, 0 updated, 1 unchanged, 0 refused.",
    ]  # fmt: skip
    assert Tenant.objects.count() == 1
    out, _ = run(file)
    assert "Done: 1 new" in out
    assert Tenant.objects.filter(slug="new-one").exists()
    assert AuditEntry.objects.get().actor == "command"


def test_the_command_fails_and_writes_nothing_when_a_row_is_refused(
    tenant: Tenant, file: Path
) -> None:
    file.write_text("slug,name\nnew-one,New One\nbad slug,Bad\n")
    with pytest.raises(CommandError, match=r"Nothing was written: 1 new, .* 1 refused"):
        run(file)
    assert Tenant.objects.count() == 1


def test_the_command_tells_a_file_that_cannot_be_read(db: None, file: Path) -> None:
    file.write_bytes("slug,name\nx,Café\n".encode("latin-1"))
    with pytest.raises(CommandError, match="UTF-8"):
        run(file)
    with pytest.raises(CommandError, match="cannot be read"):
        run(file.parent / "nothing.csv")


def test_the_command_invites_in_the_name_of_staff_alone(transactional_db: None, file: Path) -> None:
    file.write_text(OWNERS + "one,One,owner@one.example\n")
    with pytest.raises(CommandError, match="--as"):
        run(file)
    person("member@cakes.example")
    with pytest.raises(CommandError, match="No active member of staff"):
        run(file, "--as", "member@cakes.example")
    staff("ann")
    run(file, "--as", "ann@partner.example")
    assert [letter.to for letter in mail.outbox] == [["owner@one.example"]]
    assert Invitation.objects.get().invited_by.email == "ann@partner.example"

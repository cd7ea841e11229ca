"""The catalogues: complete in every language, true to the source, gathered and compiled rightly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.core.checks import run_checks
from django.utils import translation

from devstack import translations
from devstack.translations import PLURALS, catalogues, check
from devstack.translations.scope import lines_in_scope, sources


@pytest.fixture(scope="module")
def template() -> Catalog:
    return catalogues.template_of(translations.ROOT)


@pytest.mark.parametrize("language", PLURALS)
def test_every_language_is_complete_and_true_to_the_source(
    template: Catalog, language: str
) -> None:
    faults = check.faults_of(language, template, catalogues.read(language))
    if faults:
        pytest.fail(check.report(language, faults), pytrace=False)


def test_every_language_that_is_offered_has_a_catalogue() -> None:
    offered = {translation.to_locale(code) for code, _ in settings.LANGUAGES}
    assert offered - {"en"} == set(PLURALS)


# --- What is gathered -----------------------------------------------------------------------------


def gathered(path: str, text: str) -> list[tuple[Any, Any]]:
    return [(message, context) for _, message, _, context in catalogues.messages_of(path, text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{% translate "Save" %}', ("Save", None)),
        ('{% translate "Open" context "a state" as word %}', ("Open", "a state")),
        ("{% blocktranslate with a=b %}Hello {{ a }}{% endblocktranslate %}",
         ("Hello %(a)s", None)),
        ("{% blocktranslate trimmed asvar x %}\n  One\n  line\n{% endblocktranslate %}",
         ("One line", None)),
        ("{% blocktranslate count n=n %}One{% plural %}{{ n }} of 5%{% endblocktranslate %}",
         (("One", "%(n)s of 5%%"), None)),
        ('{{ _("Any") }}', ("Any", None)),
    ],
)  # fmt: skip
def test_templates_are_read_as_django_reads_them(text: str, found: tuple[Any, Any]) -> None:
    assert gathered("templates/x.html", "{% load i18n %}\n" + text) == [found]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('_("A" "B")', ("AB", None)),
        ('gettext_lazy("A")', ("A", None)),
        ('ngettext("One", "Many", n)', (("One", "Many"), None)),
        ('pgettext("verb", "Open")', ("Open", "verb")),
        ('gettext_noop("A")', ("A", None)),
    ],
)
def test_modules_are_read_by_the_names_that_we_import(code: str, found: tuple[Any, Any]) -> None:
    assert gathered("onboarding/x.py", f"x = {code}\n") == [found]


def test_of_models_only_what_leaves_the_desk_is_gathered() -> None:
    code = (
        "class Membership(models.Model):\n"
        "    class Role(models.TextChoices):\n"
        '        OWNER = "owner", _("owner")\n'
        '    name = models.CharField(_("name"))\n'
    )
    assert gathered("tenants/models/base.py", code) == [("owner", None)]


def test_each_name_that_is_gathered_in_part_is_still_there() -> None:
    from devstack.translations import scope

    for part, names in scope.IN_PART.items():
        path = translations.ROOT / part
        files = path.glob("*.py") if path.is_dir() else [path]
        text = "".join(each.read_text() for each in files)
        assert [
            n for n in names or () if f"class {n}(" not in text and f"def {n}(" not in text
        ] == []


def test_the_desk_is_out_of_scope_and_customers_pages_are_in_it() -> None:
    found = sources(translations.ROOT)
    assert "templates/connect.html" in found
    assert "onboarding/reasons/window.py" in found
    assert not [path for path in found if "/admin" in path or path.startswith("onboarding/desk")]
    assert lines_in_scope("onboarding/progress.py", "") is None


# --- What the check finds -------------------------------------------------------------------------


def faults(source: Any, string: Any, language: str = "es") -> list[str]:
    template, kept = Catalog(), Catalog()
    template.add(source, None)
    kept.add(source, string)
    return check.faults_of(language, template, kept)


@pytest.mark.parametrize(
    ("source", "string", "fault"),
    [
        ("Save", "", "missing"),
        (("one", "many"), ("uno", ""), "missing"),
        (("one", "many"), ("uno", "dos", "tres"), "missing"),
        ("Hello %(name)s", "Hola %(nombre)s", "other placeholders"),
        ("Hello %(name)s", "Hola", "other placeholders"),
        (("one", "%(n)s of them"), ("uno %(m)s", "%(n)s"), "other placeholders"),
        (("one", "%(n)s of them"), ("uno", "muchos"), "other placeholders"),
        ("At most {count}.", "Como mucho {cuenta}.", "other placeholders"),
        ("A <strong>word</strong>", "Una palabra", "other tags"),
        ("A line\n", "Una frase", "another end"),
        (" and", "y", "another beginning"),
        ("One\ntwo", "Uno, dos", "other lines"),
    ],
)
def test_a_translation_that_differs_where_it_may_not_is_found(
    source: Any, string: Any, fault: str
) -> None:
    found = faults(source, string)
    assert len(found) == 1
    assert found[0].startswith(fault)


@pytest.mark.parametrize(
    ("source", "string"),
    [
        ("Hello %(name)s", "%(name)s, hola"),
        (("one", "%(n)s of them"), ("uno", "%(n)s de ellos")),
        (("%(n)s of them", "%(n)s of them"), ("uno", "%(n)s de ellos")),
    ],
)
def test_a_good_translation_has_no_fault(source: Any, string: Any) -> None:
    assert faults(source, string) == []


def test_an_address_in_arabic_is_kept_left_to_right() -> None:
    loose, kept = "إلى %(email)s.", "إلى \u2066%(email)s\u2069."
    assert faults("To %(email)s.", loose, "ar")[0].startswith("not kept left to right (email)")
    assert faults("To %(email)s.", kept, "ar") == []
    assert faults("To %(email)s.", "A %(email)s.", "es") == []


def test_what_is_not_said_any_more_and_what_was_not_gathered_is_stale() -> None:
    template, kept = Catalog(), Catalog()
    template.add("New")
    kept.add("Old", "Viejo")
    found = check.faults_of("es", template, kept)
    assert found == ["stale, no longer said: 'Old'", "stale, not gathered yet: 'New'"]


def test_a_report_names_the_number_and_the_first_ten() -> None:
    told = check.report("es", [f"fault {n}" for n in range(12)])
    assert told.splitlines()[0] == "es: 12 faults"
    assert len(told.splitlines()) == 12
    assert told.endswith("… and 2 more")


# --- What is written and compiled -----------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    return tmp_path


def test_gathering_keeps_what_is_translated_and_drops_what_is_gone(place: Path) -> None:
    template = Catalog()
    template.add("Save", None, [("a.html", 3)])
    kept = Catalog(locale="es")
    kept.add("Save", "Guardar")
    kept.add("Gone", "Ido")
    catalogues.write("es", kept)
    catalogues.write("es", catalogues.merged("es", template))
    text = translations.po_file("es").read_text()
    assert 'msgid "Save"\nmsgstr "Guardar"' in text
    assert "Gone" not in text
    assert "#: a.html\n" in text  # no number of a line, which would change with every edit
    assert "-Date" not in text


def test_a_new_text_is_each_languages_own(place: Path) -> None:
    template = Catalog()
    template.add("Save", None, [("a.html", 3)])
    catalogues.merged("es", template)["Save"].string = "Guardar"
    assert not catalogues.merged("id", template)["Save"].string


@pytest.mark.parametrize(("language", "forms"), [("ar", 6), ("es", 2), ("zh_Hans", 1)])
def test_a_plural_has_as_many_forms_as_the_language(place: Path, language: str, forms: int) -> None:
    template = Catalog()
    template.add(("one", "%(n)s of them"), None, [("a.html", 3)])
    catalogues.write(language, catalogues.merged(language, template))
    text = translations.po_file(language).read_text()
    assert f"nplurals={forms};" in text
    assert text.count("msgstr[") == forms


def test_only_what_changed_is_compiled(place: Path) -> None:
    kept = Catalog(locale="es")
    kept.add("Save", "Guardar")
    catalogues.write("es", kept)
    assert catalogues.compile_all() == ["es"]
    assert catalogues.compile_all() == []
    assert translations.po_file("es").with_suffix(".mo").is_file()


def test_a_language_that_is_not_compiled_is_an_error_at_the_start(
    settings: Any, tmp_path: Path
) -> None:
    assert [e for e in run_checks(tags=["translation"]) if e.id == "tenants.E001"] == []
    settings.LOCALE_PATHS = [tmp_path]
    found = [e for e in run_checks(tags=["translation"]) if e.id == "tenants.E001"]
    assert len(found) == len(PLURALS)
    assert "translations compile" in str(found[0].hint)

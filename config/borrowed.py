"""Words of Django's and REST framework's that pages and the API show, and that lack a translation.

They are said there; here they are only named, so that our catalogues hold them
(docs/translations.md). tests/test_borrowed_words.py says which ones are missing.
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

WORDS = (
    # Django's forms and passwords
    _("Enter a valid %(protocol)s address."),
    _("Enter a valid domain name."),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    # REST framework's
    _("Invalid input."),
    _("Malformed request."),
    _('Method "{method}" not allowed.'),
    ngettext_lazy("Expected available in {wait} second.", "Expected available in {wait} seconds."),
    _("Must be a valid boolean."),
    _("Not a valid string."),
    _("This value does not match the required pattern."),
    _('Enter a valid "slug" consisting of Unicode letters, numbers, underscores, or hyphens.'),
    _("Must be a valid UUID."),
    _("String value too large."),
    _("Datetime value out of range."),
    _("Expected a datetime but got a date."),
    _('Invalid datetime for the timezone "{timezone}".'),
    _('Expected a list of items but got type "{input_type}".'),
    _("This list may not be empty."),
    _("This dictionary may not be empty."),
    _("Object with {slug_name}={value} does not exist."),
    _("Invalid data. Expected a dictionary, but got {datatype}."),
    _("Surrogate characters are not allowed: U+{code_point:X}."),
    _("Ensure this field has no more than {max_length} elements."),
    _("Ensure this field has at least {min_length} elements."),
    _("This field must be unique."),
    _("Invalid value."),
    _("Invalid cursor"),
)

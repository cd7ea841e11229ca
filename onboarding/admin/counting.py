"""Pages of a list whose rows are counted to a limit: nobody leafs through a hundred thousand."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import cached_property

MOST = 2_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to MOST; what lies behind is reached by filters and search."""

    template_name = "admin/_bounded_pages.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list.order_by()  # type: ignore[attr-defined]
        return int(rows[: MOST + 1].count())

    def page(self, number: int | str) -> Page[Any]:
        """First the keys, which an index alone tells, so that a far page reads its own rows only.

        A row that is gone by the second query is missing; no row is there twice.
        """
        page = super().page(number)
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        keys = list(page.object_list.values_list("pk", flat=True))  # type: ignore[attr-defined]
        page.object_list = rows.filter(pk__in=keys)
        return page

    @property
    def shown_count(self) -> str:
        """As people read it: 2,000."""
        return number_format(self.count, force_grouping=True)

    @property
    def has_more(self) -> bool:
        """There are more than are paged through."""
        return self._counted > MOST

"""Pages of a list whose rows are counted to a limit: nobody leafs through a hundred thousand."""

from __future__ import annotations

from django.core.paginator import Paginator
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

    @property
    def has_more(self) -> bool:
        """There are more than are paged through."""
        return self._counted > MOST

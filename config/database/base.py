"""What Django's own backend lacks: it asks each pooled connection `SELECT 1`, or nothing at all.

A server that has ended a connection (its restart, an administrator) has closed the socket. That
shows without a round trip, and most requests have few others (docs/decisions/0016).
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout


def hung_up(connection: Any) -> bool:
    """Whether the other side closed this idle connection: there is something to read, unasked.

    A message that only tells (of a reload) looks the same; then a good connection is made again.
    """
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, which takes only living connections from the pool."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """From the pool, if there is one. Raises psycopg.OperationalError: none to be had."""
        connection = self._taken(conn_params)
        most = self.pool.max_size if self.pool else 0  # all of them, at the worst
        for _ in range(most):
            if not hung_up(connection):
                break
            connection.close()
            self.pool.putconn(connection)  # which has another one made
            connection = self._taken(conn_params)
        return connection

    def _taken(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            # Says why, where the pool only says for how long; unless all are taken.
            self.Database.connect(**conn_params).close()
            raise

"""JSON in, strictly: what the server cannot keep is told as a 400."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


def _no_constant(name: str) -> None:
    raise ValueError(name)


class StrictJSONParser(JSONParser):
    """UTF-8 whatever `charset` says; NaN and nesting without end are no JSON."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return json.loads(stream.read().decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError from error

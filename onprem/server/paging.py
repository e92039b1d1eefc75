"""Pages of lists: newest first, `after` the id of the last item seen, `has_more`."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query

from onprem.server.errors import ApiError
from onprem.store import Database

Limit = Annotated[int, Query(ge=1, le=1000)]
FileLimit = Annotated[int, Query(ge=1, le=10_000)]


def page(
    db: Database,
    table: str,
    where: str,
    values: tuple,
    shape: Callable[[dict], dict],
    *,
    after: str | None,
    limit: int,
    ascending: bool = False,
    ends: bool = False,
) -> dict:
    """Return one page of `table`'s rows for which `where` holds, each shaped by `shape`.

    Some of OpenAI's lists tell the ids at their `ends`, some do not.

    Raises
    ------
    ApiError
        If `after` is no item of this list.
    """
    sign, order = (">", "asc") if ascending else ("<", "desc")
    if after is not None:
        last = db.one(f"select seq from {table} where id = ? and {where}", after, *values)
        if last is None:
            raise ApiError(
                400, "'after' must be the id of an item of this list.", param="after", code="invalid_value"
            )
        where, values = f"{where} and seq {sign} ?", (*values, last["seq"])
    rows = db.all(f"select * from {table} where {where} order by seq {order} limit ?", *values, limit + 1)
    data = [shape(row) for row in rows[:limit]]
    told = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return {"object": "list", "data": data, **(told if ends else {}), "has_more": len(rows) > limit}

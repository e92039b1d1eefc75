"""The subcommands of `onprem`, one file each."""

from onprem.commands import doctor, keys, models, serve

PARSERS = (serve.add_parser, models.add_parser, keys.add_parser, doctor.add_parser)

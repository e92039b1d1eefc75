"""The commands of ``tracker``, one file each: ``add(subparsers)`` declares it, ``run(args)`` does it."""

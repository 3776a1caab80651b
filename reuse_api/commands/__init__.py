"""The subcommands of `kho`, one matter a file."""

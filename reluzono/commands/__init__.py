"""What each subcommand of `reluzono` does: arguments in, a document out."""

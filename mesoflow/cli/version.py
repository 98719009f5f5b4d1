"""The version, as `--version` and reports show it: a constant, because reading package metadata costs more than Python."""

VERSION = "0.1.0"

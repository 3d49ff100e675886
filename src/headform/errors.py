"""The family of errors a person meets: each says what was wrong, with which input, and what to do."""

from __future__ import annotations


class HeadformError(Exception):
    """Anything the person can mend. The command line prints it as one sentence and exits with code 2."""


class BadInput(HeadformError):
    """A file, number or option that was given cannot be used."""


class MissingModel(HeadformError):
    """A model file is absent, altered or not the kind of file it should be."""


class MissingExtra(HeadformError):
    """An optional package is needed; the message names the extra to install."""

"""The whole: a head, what it was made from, and the files it is written to."""

"""`python -m headform` is the same as `headform`."""

from headform.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

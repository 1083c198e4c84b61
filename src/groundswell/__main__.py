"""`python -m groundswell`: the command line."""

from groundswell.cli.main import run

if __name__ == "__main__":
    run()

"""`python -m sandbox` is the command `sandbox`."""

from sandbox.cli.main import program

if __name__ == "__main__":
    program()

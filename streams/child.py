"""`python -m streams.child ARGUMENTS`: the command line as a part of another process, which it does not outlive."""

from app.lifeline import end_gently, hold
from streams.cli import main

if __name__ == "__main__":
    hold(end_gently)
    main()

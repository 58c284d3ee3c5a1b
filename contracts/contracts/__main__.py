"""`python -m contracts`: release the schemas of new event types and new optional fields."""

import sys

from contracts.schemas import release

if __name__ == "__main__":
    try:
        written = release()
    except ValueError as fault:
        sys.exit(str(fault))
    sys.stdout.write("\n".join(written or ["nothing new to release"]) + "\n")

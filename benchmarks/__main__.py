"""`python -m benchmarks NAME [options]`: runs one benchmark; without a name, lists them."""

import ast
import runpy
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent
_SHARED = {"__init__", "__main__", "applying", "report"}


def question(path: Path) -> str:
    """What a benchmark asks: the first line of its docstring. Read without importing it."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n", 1)[0]


def available() -> dict[str, Path]:
    return {path.stem: path for path in sorted(_FOLDER.glob("*.py")) if path.stem not in _SHARED}


def main() -> None:
    names = available()
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        if len(sys.argv) > 1:
            print(f"There is no benchmark {sys.argv[1]!r}. There are:")
        for name, path in names.items():
            print(f"  make bench NAME={name:<14} {question(path)}")
        sys.exit(2 if len(sys.argv) > 1 else 0)
    name = sys.argv.pop(1)
    sys.argv[0] = f"benchmarks {name}"
    runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()

"""What the person at the terminal sees: steps as they end, then one line for each notable thing."""

from datetime import datetime

from rich.console import Console
from rich.status import Status


class Screen:
    """Lines with a spinner below them while something is under way; plain lines where there is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._status: Status | None = None

    def working(self, text: str) -> None:
        """Shows what is under way until the next `working` or `rest`."""
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def rest(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def step(self, what: str, seconds: float) -> None:
        """Something stands."""
        self._console.print(f"  [green]✓[/] {what:<28}[dim]{seconds:5.1f} s[/]")

    def say(self, text: str = "") -> None:
        self._console.print(text, markup=False)

    def warn(self, text: str) -> None:
        self._console.print("! " + text, style="yellow", markup=False)

    def fail(self, text: str) -> None:
        self.rest()
        self._console.print("✗ " + text, style="red", markup=False)

    def happened(self, text: str) -> None:
        """A line with the time of day."""
        self._console.print(f"{datetime.now():%H:%M:%S}  {text}", markup=False)

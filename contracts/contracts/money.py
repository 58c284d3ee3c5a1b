"""Money as whole cents: nothing here is ever a float."""

from __future__ import annotations

from decimal import Decimal

from contracts.event import Value


class Money(Value):
    """An amount in whole cents of one currency. Unknown is `None` where a Money may stand, never zero."""

    cents: int
    currency: str = "USD"

    @classmethod
    def of(cls, amount: Decimal | str) -> Money:
        """`Money.of("25.50")`. Raises ValueError where the amount has a fraction of a cent."""
        cents = Decimal(amount) * 100
        if cents != cents.to_integral_value():
            raise ValueError("an amount of money has at most two decimal places")
        return cls(cents=int(cents))

    def __str__(self) -> str:
        sign = "-" if self.cents < 0 else ""
        whole, part = divmod(abs(self.cents), 100)
        return f"{sign}${whole:,}.{part:02}" if self.currency == "USD" else f"{sign}{whole}.{part:02} {self.currency}"

"""Who is insured: the named members, and those registered while the sandbox runs."""

import re
from collections import OrderedDict
from collections.abc import Iterator

from sandbox.payer.catalogue import Catalogue, Conduct, Member, Payer, Rejection
from sandbox.payer.inquiry import Inquiry


class UnknownPayer(ValueError):
    """A member was to be registered with a payer or scenario that does not exist."""


class Register:
    """Members by payer and number. The oldest registered give way beyond `kept`; the named ones stay."""

    def __init__(self, catalogue: Catalogue, kept: int) -> None:
        self._catalogue = catalogue
        self._kept = kept
        self._named = {(m.payer, m.member_id): m for m in catalogue.members}
        self._registered: OrderedDict[tuple[str, str], Member] = OrderedDict()
        self._spent: OrderedDict[tuple[str, str], int] = OrderedDict()

    def add(self, member: Member) -> None:
        """Put a member on record, in the place of any with the same number. Raises UnknownPayer."""
        if problem := self._catalogue.problem_with(member):
            raise UnknownPayer(problem)
        key = (member.payer, member.member_id)
        self._registered[key] = member
        self._registered.move_to_end(key)
        self._spent.pop(key, None)
        while len(self._registered) > self._kept:
            self._registered.popitem(last=False)

    def find(self, payer: str, member_id: str) -> Member | None:
        key = (payer, member_id.upper())
        return self._registered.get(key) or self._named.get(key)

    def member(self, payer: Payer, inquiry: Inquiry) -> Member | Rejection:
        """The subscriber asked about, or why there is none: the number is not the payer's kind, or nobody's."""
        number = inquiry.subscriber.member_id
        if not re.fullmatch(payer.pattern, number.upper()):
            return Rejection(code="72")
        return self.find(payer.key, number) or Rejection(code="75")

    def conduct(self, member: Member) -> Conduct | None:
        """What this member's question meets now; a conduct of so many `times` is used up by asking."""
        conduct = self._catalogue.scenarios[member.scenario].conduct
        if conduct is None or conduct.times is None:
            return conduct
        key = (member.payer, member.member_id)
        spent = self._spent.get(key, 0)
        if spent >= conduct.times:
            return None
        self._spent[key] = spent + 1
        while len(self._spent) > self._kept:
            self._spent.popitem(last=False)
        return conduct

    def begin_again(self) -> None:
        """Whatever was used up by asking is there again."""
        self._spent.clear()

    def named(self) -> Iterator[Member]:
        return iter(self._named.values())

    def latest(self, limit: int) -> list[Member]:
        """The members registered last, newest first."""
        newest = reversed(self._registered.values())
        return [member for member, _ in zip(newest, range(limit), strict=False)]

    def __len__(self) -> int:
        return len(self._named) + len(self._registered)

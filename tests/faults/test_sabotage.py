"""The checker is checked: where a promise of the event core is broken on purpose, a trial finds it.

That the same kills do no harm to a core as it should be is what `make faults` shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.checking import Kind
from tests.faults.evidence import hearing
from tests.faults.ground import Ground
from tests.faults.plan import WITNESS, Plan, Step
from tests.faults.trial import Result, Trial

pytestmark = pytest.mark.engines

BREAKS = {WITNESS: "inbox_off,lanes_ignore_keys", "intake": "delete_before_publish"}


def kill_where_it_tells() -> Plan:
    """The witness between applying and committing offsets; intake while rows are under way to the broker."""
    return Plan(
        "sabotage",
        "sabotage",
        (
            Step(0.5, "arm", WITNESS, {"point": "before_offsets", "passages": 2}),
            Step(0.5, "arm", "intake", {"point": "after_publish", "passages": 3}),
        ),
        load_seconds=6,
    )


async def trial(folder: Path, sabotage: dict[str, str]) -> Result:
    ground = Ground(services=("intake",), sabotage=sabotage)
    async with ground.standing(), hearing(ground) as heard:
        return await Trial(ground, heard, folder, settle_seconds=5).run(0, kill_where_it_tells())


def told(result: Result, kind: Kind, words: str) -> bool:
    return any(one["kind"] == kind and words in one["what"] for one in result.findings)


async def test_an_inbox_switched_off_a_delete_before_the_publish_and_lanes_without_keys_are_found(
    tmp_path: Path,
) -> None:
    result = await trial(tmp_path, BREAKS)
    assert result.missed == []
    assert told(result, Kind.DOUBLED, "the witness was told 2 times")
    assert told(result, Kind.LOST, "was committed and never published")
    assert told(result, Kind.REORDERED, "the witness was told in the order")

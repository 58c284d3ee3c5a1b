"""docs/sandbox.md says which member is which, and says it truly."""

from pathlib import Path

from sandbox.payer.catalogue import State, catalogue

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_table_of_members_is_the_payers_record() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for member in catalogue().members:
        payer, scenario = catalogue().payers[member.payer], catalogue().scenarios[member.scenario]
        row = (
            f"| {member.first} {member.last} | {payer.name} | `{member.member_id}` | {member.born} "
            f"| `{member.scenario}` | {scenario.says} |"
        )
        assert row in page, member.member_id


def test_every_scenario_and_every_state_is_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in (*catalogue().scenarios, *State):
        assert f"`{name}` |" in page, name

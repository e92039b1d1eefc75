"""RULES.md and the pages of single rules come from the rules themselves."""

from pathlib import Path

import pytest

from advisor.datacheck.catalogue import CATALOGUE as DATA_RULES
from advisor.rules import CATALOGUE, Threshold
from advisor.tell import rule_page
from advisor.tell.catalogue import SECTIONS, all_rules, headline, sections

ROOT = Path(__file__).parents[2]
RULES = tuple(all_rules().values())


def test_rules_md_is_what_the_rules_say():
    again = "advisor rules --markdown > RULES.md"
    assert (ROOT / "RULES.md").read_text() == rule_page.rules_markdown(), f"out of date: {again}"


def test_ids_are_unique_and_both_catalogues_are_told():
    assert len(RULES) == len(CATALOGUE) + len(DATA_RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_every_rule_has_the_fixed_sections_in_order(rule):
    assert tuple(sections(rule)) == SECTIONS
    assert headline(rule).endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_every_limit_is_told_with_unit_and_origin(rule):
    limits = [v for v in vars(type(rule)).values() if isinstance(v, Threshold)]
    page = rule_page.page(rule)
    assert len(rule_page.limits(rule)) == len(limits)
    assert all(limit.origin.split()[0] in page for limit in limits)


def test_the_data_rules_are_all_in_their_catalogue():
    folder = ROOT / "advisor" / "datacheck" / "rules"
    files = {p.stem for p in folder.glob("ft*.py")}
    assert files == {type(rule).__module__.rpartition(".")[2] for rule in DATA_RULES}

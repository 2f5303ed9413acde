from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cxrbench.app.compare.selection import (
    MAX_EDITS,
    Choice,
    parse_edits,
    parse_link,
    query_parameters,
    values_by_name,
)
from cxrbench.data.phantom import Edit, FilmsWithout, render

START = Choice("heart", ("small",), ("grad_cam",), ("Edema",))
KNOWN: dict[str, Callable[[Choice], Sequence[str]]] = {
    "case": lambda choice: ["heart", "fluid"],
    "models": lambda choice: ["small", "other"],
    "methods": lambda choice: ["grad_cam", "integrated_gradients"],
    "baseline": lambda choice: ["black", "blur"],
    "findings": lambda choice: ["Edema", "Pleural Effusion"],
}


def link_of(choice: Choice) -> dict[str, list[str]]:
    return values_by_name(query_parameters(choice, START))


def test_a_link_restores_the_choice() -> None:
    choice = Choice(
        "fluid", ("other", "small"), ("integrated_gradients",), ("Pleural Effusion",), 2, "blur", 7
    )
    assert parse_link(link_of(choice), START, KNOWN) == (choice, [])


def test_edits_are_in_the_link_in_their_order_and_only_possible_ones_are_restored() -> None:
    phantom = render(7, {"Edema": 0.6, "Lung Lesion": 0.5}, size=64)
    films = FilmsWithout(phantom.scenario, phantom.truth, phantom.image)
    edits = (Edit("Lung Lesion", severity=0.9), Edit("Edema"), Edit("Lung Lesion", place=2))
    texts = link_of(replace(START, edits=edits))["edit"]
    assert texts == ["severity:lung_lesion:0.9", "without:edema", "place:lung_lesion:2"]
    assert parse_edits(texts, films) == (edits, [])
    found, problems = parse_edits([*texts, "without:fracture"], films)
    assert found == edits
    assert "An edit in the link is left out." in problems[0]
    assert parse_edits(texts, None) == (
        (),
        ["The link edits this radiograph, but only a simulated one can be edited."],
    )
    assert len(parse_edits(["without:edema"] * 99, films)[0]) == MAX_EDITS


def test_default_settings_are_left_out_of_the_link() -> None:
    assert set(link_of(START)) == {"case", "models", "methods", "findings"}


def test_a_finding_is_known_by_any_of_its_spellings() -> None:
    choice, problems = parse_link({"findings": ["pleural_effusion", "EDEMA"]}, START, KNOWN)
    assert choice.findings == ("Pleural Effusion", "Edema")
    assert not problems


def test_valid_values_are_kept_beside_invalid_ones() -> None:
    choice, problems = parse_link({"models": ["nobody", "other"]}, START, KNOWN)
    assert choice.models == ("other",)
    assert problems == [
        "The link asks for the model 'nobody', which is not available; choose from: small, other."
    ]


def test_available_names_are_looked_up_only_for_parameters_in_the_link() -> None:
    def never(choice: Choice) -> Sequence[str]:
        raise AssertionError

    assert parse_link({"steps": ["9"], "view": ["o50"]}, START, dict.fromkeys(KNOWN, never))[0].steps == 9


@given(
    st.dictionaries(
        st.sampled_from([*KNOWN, "stage", "steps", "x"]), st.lists(st.text(max_size=9), max_size=3)
    )
)
def test_any_link_gives_a_valid_choice(link: dict[str, list[str]]) -> None:
    choice, problems = parse_link(link, START, KNOWN)
    assert choice.case in ("heart", "fluid")
    assert choice.findings
    assert 0 <= choice.stage <= 9
    assert 1 <= choice.steps <= 300
    assert all(problem.endswith((".", "used.")) for problem in problems)

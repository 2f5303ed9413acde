from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from cxrbench.app.compare.selection import Choice, grouped, pairs, read

START = Choice("heart", ("small",), ("grad_cam",), ("Edema",))
KNOWN: dict[str, Callable[[Choice], Sequence[str]]] = {
    "case": lambda choice: ["heart", "fluid"],
    "models": lambda choice: ["small", "other"],
    "methods": lambda choice: ["grad_cam", "integrated_gradients"],
    "baseline": lambda choice: ["black", "blur"],
    "findings": lambda choice: ["Edema", "Pleural Effusion"],
}


def link_of(choice: Choice) -> dict[str, list[str]]:
    return grouped(pairs(choice, START))


def test_a_link_brings_the_choice_back() -> None:
    choice = Choice(
        "fluid", ("other", "small"), ("integrated_gradients",), ("Pleural Effusion",), 2, "blur", 7
    )
    assert read(link_of(choice), START, KNOWN) == (choice, [])


def test_settings_that_hold_anyway_are_left_out_of_the_link() -> None:
    assert set(link_of(START)) == {"case", "models", "methods", "findings"}


def test_a_finding_is_known_by_any_of_its_spellings() -> None:
    choice, problems = read({"findings": ["pleural_effusion", "EDEMA"]}, START, KNOWN)
    assert choice.findings == ("Pleural Effusion", "Edema")
    assert not problems


def test_what_is_known_stays_where_the_rest_is_not() -> None:
    choice, problems = read({"models": ["nobody", "other"]}, START, KNOWN)
    assert choice.models == ("other",)
    assert problems == ["The link asks for the model 'nobody', which is not here; choose from: small, other."]


def test_names_are_asked_for_only_when_the_link_holds_some() -> None:
    def never(choice: Choice) -> Sequence[str]:
        raise AssertionError

    assert read({"steps": ["9"], "view": ["o50"]}, START, dict.fromkeys(KNOWN, never))[0].steps == 9


@given(
    st.dictionaries(
        st.sampled_from([*KNOWN, "stage", "steps", "x"]), st.lists(st.text(max_size=9), max_size=3)
    )
)
def test_no_link_does_harm(link: dict[str, list[str]]) -> None:
    choice, problems = read(link, START, KNOWN)
    assert choice.case in ("heart", "fluid")
    assert choice.findings
    assert 0 <= choice.stage <= 9
    assert 1 <= choice.steps <= 300
    assert all(problem.endswith((".", "used.")) for problem in problems)

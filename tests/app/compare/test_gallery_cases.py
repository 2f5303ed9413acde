"""Every shipped case opens with its own finding, models and methods: from the list, and by a link to it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.compare import options
from cxrbench.app.compare.selection import Choice
from cxrbench.app.services import map_jobs
from cxrbench.app.services.map_snapshot import Snapshot
from cxrbench.app.widgets.versions import key_in
from cxrbench.compare import gallery

MAIN = Path(main.__file__)
PAGE = MAIN.parents[2] / "pages" / "compare.py"


@pytest.fixture
def cases() -> tuple[gallery.Case, ...]:
    found = gallery.cases()
    if not found:
        pytest.skip("no gallery ships with this checkout")
    return found


def shown(at: AppTest) -> tuple[str, list[str], list[str]]:
    """Finding, models and methods that the controls show."""
    assert not at.exception
    models = at.button_group(key=key_in(at.session_state, "pick_models")).value
    assert isinstance(models, list)
    pills = [group for group in at.button_group if str(group.key).startswith("pick_methods")]
    methods = [str(key) for group in pills for key in group.value or ()]
    finding = at.selectbox(key=key_in(at.session_state, "pick_finding")).value
    assert isinstance(finding, str)
    return finding, models, methods


def test_a_case_picked_from_the_list_opens_on_its_own_finding_model_and_methods(
    cases: tuple[gallery.Case, ...],
) -> None:
    at = AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGE)).run()
    for case in (*cases, cases[0]):
        at.selectbox(key=key_in(at.session_state, "pick_case")).select(case.id).run()
        assert shown(at) == (case.finding, list(case.models), list(case.methods)), case.id


def test_cheap_methods_and_all_stages_of_a_case_are_shown_without_running_a_network(
    cases: tuple[gallery.Case, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the finding with which the case opens; another one is computed."""
    asked: list[object] = []

    def computed(snapshot: Snapshot, *rest: object, **options: object) -> Snapshot:
        asked.append(rest)
        return snapshot

    monkeypatch.setattr(map_jobs, "_computed", computed)
    stored = [*gallery.methods(), *gallery.variants()]
    at = AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGE))
    at.query_params["case"], at.query_params["methods"] = cases[3].id, stored
    at.query_params["models"] = list(gallery.models())
    finding, models, methods = shown(at.run())
    assert (finding, models) == (cases[3].finding, list(gallery.models()))
    assert sorted(methods) == sorted(stored)
    assert not at.warning
    assert not asked
    other = next(name for name in gallery.load(cases[3].id).truth if name != finding)
    at.selectbox(key=key_in(at.session_state, "pick_finding")).select(other).run()
    assert len(asked) == 1


def test_a_link_that_names_only_the_case_opens_on_the_same(cases: tuple[gallery.Case, ...]) -> None:
    for case in cases:
        choice, problems = options.choice_from_link({"case": [case.id]})
        assert not problems
        assert (choice.case, choice.findings) == (case.id, (case.finding,))
        assert (choice.models, choice.methods) == (case.models, case.methods)


def test_values_of_a_link_take_precedence_over_those_of_the_case(cases: tuple[gallery.Case, ...]) -> None:
    choice, problems = options.choice_from_link({"case": [cases[-1].id], "findings": ["edema"]})
    assert not problems
    assert (choice.findings, choice.models) == (("Edema",), cases[-1].models)


def test_a_link_may_name_methods_whose_maps_are_not_stored_before_any_model_is_loaded(
    cases: tuple[gallery.Case, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxrbench.app.services.model_registry.ready", lambda: False)
    methods = ["grad_cam", "rise", "finer_cam(other=pleural_effusion)"]
    choice, problems = options.choice_from_link({"case": [cases[0].id], "methods": [*methods, "magic"]})
    assert choice.methods == tuple(methods)
    assert len(problems) == 1
    assert options.configured_titles(choice.methods) == {
        "rise": "RISE",
        "finer_cam(other=pleural_effusion)": "Finer-CAM (other pleural effusion)",
    }


def test_models_chosen_by_the_user_stay_when_another_case_is_selected(
    cases: tuple[gallery.Case, ...],
) -> None:
    names = tuple(gallery.models())
    now = Choice(cases[0].id, names[-1:], cases[0].methods, ("Edema",), steps=7)
    then = options.choice_for_case(cases[-1].id, now)
    assert (then.models, then.findings, then.steps) == (names[-1:], (cases[-1].finding,), 7)

"""Case lists on Compare: their order, what stays while one goes on, and what links to them hold."""

from collections.abc import Sequence

from streamlit.testing.v1 import AppTest

from cxrbench.app.navigation import page_file
from cxrbench.app.services.compare_links import MAX_LISTED
from cxrbench.app.widgets.versions import key_in

FILM = "test/patient03178/study1/view1_frontal.png"


def opened(at: AppTest, *listed: str, **link: str | Sequence[str]) -> AppTest:
    """The page as a link with this list opens it."""
    at.query_params["list"] = list(listed)
    for name, values in link.items():
        at.query_params[name] = values
    at.run()
    assert not at.exception
    return at


def bar(at: AppTest) -> str:
    """What the bar says; "" without one."""
    return next((each.proto.body for each in at.get("html") if 'role="status"' in each.proto.body), "")


def click(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception
    return at


def last(at: AppTest, name: str) -> str:
    """The last value of a query parameter."""
    values: str | list[str] = at.query_params[name]
    return values if isinstance(values, str) else values[-1]


def shared(at: AppTest) -> str:
    """The link that the open pop-over shows."""
    (link,) = [code.value for code in at.code if "&findings=" in code.value]
    return link


def shown(at: AppTest) -> object:
    return at.selectbox(key=key_in(at.session_state, "pick_case")).value


def test_a_list_opens_at_its_first_film(workbench: AppTest) -> None:
    at = opened(workbench, "fluid", "heart")
    assert shown(at) == "fluid"
    assert "<strong>Case 1 of 2</strong>" in bar(at)
    assert at.button(key="list_previous").disabled
    assert not at.button(key="list_next").disabled
    assert at.query_params["list"] == ["fluid", "heart"]
    assert last(at, "case") == "fluid"


def test_a_page_without_a_list_has_no_bar(workbench: AppTest) -> None:
    at = workbench.run()
    assert bar(at) == ""
    assert "list" not in at.query_params


def test_models_methods_findings_and_settings_stay_while_one_goes_on(workbench: AppTest) -> None:
    at = opened(workbench, "heart", "fluid", findings="No_Finding", methods=["layer_cam"], stage="1")
    click(at, "list_next")
    assert "Case 2 of 2" in bar(at)
    assert shown(at) == "fluid"
    wanted = {
        "case": "fluid",
        "models": "small",
        "methods": "layer_cam",
        "findings": "No Finding",
        "stage": "1",
    }
    assert {name: last(at, name) for name in wanted} == wanted
    assert at.button(key="list_next").disabled
    click(at, "list_previous")
    assert shown(at) == "heart"


def test_a_film_of_the_shipped_data_set_stands_between_gallery_cases(workbench: AppTest) -> None:
    at = opened(workbench, "heart", FILM, "fluid")
    click(at, "list_next")
    assert "Patient 3178" in bar(at)
    assert last(at, "film") == FILM
    assert "case" not in at.query_params
    click(at, "list_next")
    assert shown(at) == "fluid"
    assert "film" not in at.query_params


def test_a_link_opens_a_list_at_the_film_that_it_names(workbench: AppTest) -> None:
    at = opened(workbench, "heart", "fluid", case="fluid")
    assert "Case 2 of 2" in bar(at)


def test_what_is_not_available_is_said_in_one_sentence_and_skipped(workbench: AppTest) -> None:
    at = opened(
        workbench, "nowhere", "heart", "test/patient99999999/study1/view1_frontal.png", "fluid", "heart"
    )
    (warning,) = [each.value for each in at.warning]
    assert warning.startswith("The case list asks for 'nowhere', 'test/patient99999999/")
    assert shown(at) == "heart"
    assert "Case 1 of 2" in bar(at)
    assert at.query_params["list"] == ["heart", "fluid"]


def test_a_list_of_nothing_known_shows_the_first_case_without_a_bar(workbench: AppTest) -> None:
    at = opened(workbench, "<script>", "nowhere")
    assert len(at.warning) == 1
    assert bar(at) == ""
    assert shown(at) == "heart"


def test_films_beyond_the_limit_are_left_out(workbench: AppTest) -> None:
    films = [
        f"test/patient{number:05d}/study1/view1_frontal.png" for number in range(9000, 9000 + MAX_LISTED)
    ]
    at = opened(workbench, "heart", *films, "fluid")
    assert any(f"at most {MAX_LISTED} films: the other 2 are left out" in each.value for each in at.warning)


def test_another_radiograph_is_not_in_the_list_and_the_bar_leads_back(workbench: AppTest) -> None:
    at = opened(workbench, "fluid", FILM, case="fluid")
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("heart").run()
    assert "Not in the list of 2" in bar(at)
    assert at.button(key="list_back").label == "Back to case 1"
    click(at, "list_back")
    assert "Case 1 of 2" in bar(at)


def test_a_list_is_left_and_the_film_stays(workbench: AppTest) -> None:
    at = opened(workbench, "fluid", "heart")
    click(at, "list_leave")
    assert bar(at) == ""
    assert shown(at) == "fluid"
    assert "list" not in at.query_params


def test_the_address_is_whole_again_after_a_visit_to_another_page(workbench: AppTest) -> None:
    at = opened(workbench, "heart", "fluid", case="fluid")
    at.switch_page(str(page_file("glossary"))).run()
    at.query_params.clear()  # as the browser's address is then
    at.switch_page(str(page_file("compare"))).run()
    assert "Case 2 of 2" in bar(at)
    assert at.query_params["list"] == ["heart", "fluid"]
    assert last(at, "case") == "fluid"


def test_the_shared_link_holds_the_list_and_the_film_in_view(workbench: AppTest) -> None:
    at = opened(workbench, "heart", "fluid", case="fluid")
    at.session_state["open_share"] = True
    at.run()
    assert "?list=heart&list=fluid&case=fluid&" in shared(at)


def test_two_chosen_cases_make_the_shared_link_that_of_a_list(workbench: AppTest) -> None:
    at = workbench.run()
    at.session_state["open_share"] = True
    at.run()
    at.multiselect(key="share_list").set_value(["fluid"]).run()
    assert "?case=heart&" in shared(at)  # of one case there is no list
    at.multiselect(key="share_list").set_value(["fluid", "heart"]).run()
    assert not at.exception
    assert "?list=fluid&list=heart&models=small&" in shared(at)
    assert "case=" not in shared(at)
    assert "list" not in at.query_params  # the page itself shows what it showed


def test_the_open_list_is_offered_to_be_shared_with_further_cases(workbench: AppTest) -> None:
    at = opened(workbench, FILM, "heart")
    at.session_state["open_share"] = True
    at.run()
    assert at.multiselect(key="share_list").value == [FILM, "heart"]
    at.multiselect(key="share_list").set_value([FILM, "heart", "fluid"]).run()
    assert f"?list={FILM}&list=heart&list=fluid&models=" in shared(at)


def test_presenter_view_keeps_the_bar(workbench: AppTest) -> None:
    at = opened(workbench, "heart", "fluid", presenter="1")
    click(at, "list_next")
    assert "Case 2 of 2" in bar(at)
    assert last(at, "presenter") == "1"

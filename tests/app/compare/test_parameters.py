"""Controls for the parameters of methods."""

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from cxrbench.app.compare.parameters import pick_parameters
    from cxrbench.app.compare.selection import Choice

    choice = st.session_state.setdefault("choice", Choice(methods=("grad_cam", "random", "recipro_cam")))
    pick_parameters(choice.methods)


def test_a_method_states_a_parameter_that_was_changed() -> None:
    at = AppTest.from_function(script, default_timeout=60).run()
    at.number_input(key="pick_parameter random cells").set_value(5).run()
    assert at.session_state["choice"].methods == ("grad_cam", "random(cells=5)", "recipro_cam")
    at.selectbox(key="pick_parameter recipro_cam mask").set_value("cell").run()
    at.number_input(key="pick_parameter random(cells=5) seed").set_value(1).run()
    assert at.session_state["choice"].methods == (
        "grad_cam",
        "random(cells=5,seed=1)",
        "recipro_cam(mask=cell)",
    )
    assert not at.exception


def test_parameters_that_all_methods_share_are_not_repeated() -> None:
    at = AppTest.from_function(script, default_timeout=60).run()
    assert [each.label for each in at.number_input] == ["Cells", "Seed"]
    assert [each.label for each in at.selectbox] == ["Mask"]


def test_a_method_can_be_added_at_another_setting_which_then_has_its_own_control() -> None:
    at = AppTest.from_function(script, default_timeout=60).run()
    at.button(key="another grad_cam").click().run()
    assert at.session_state["choice"].methods[:3] == ("grad_cam", "grad_cam(stage=1)", "random")
    at.button(key="another grad_cam(stage=1)").click().run()
    assert at.session_state["choice"].methods[:3] == ("grad_cam", "grad_cam(stage=1)", "grad_cam(stage=2)")
    at.number_input(key="pick_parameter grad_cam(stage=2) stage").set_value(3).run()
    assert at.session_state["choice"].methods[:3] == ("grad_cam", "grad_cam(stage=1)", "grad_cam(stage=3)")
    at.button(key="another random").click().run()
    assert "random(cells=14)" in at.session_state["choice"].methods
    assert not at.exception


def bundle_script() -> None:
    import numpy as np

    from cxrbench.app.compare.controls import _pick_settings
    from cxrbench.app.compare.selection import Choice
    from cxrbench.app.services.radiographs import Source

    image = np.zeros((8, 8), np.float32)
    bundle = Source("bundle", "", image, "sha of the bundle", computes=False)
    _pick_settings(bundle, Choice(), ("m",), ("a_method_of_another_version",))


def test_a_bundle_keeps_its_settings_even_of_methods_that_this_version_lacks() -> None:
    at = AppTest.from_function(bundle_script, default_timeout=60).run()
    assert not at.exception
    assert len(at.caption) == 1
    assert not at.number_input


def finding_script() -> None:
    import streamlit as st

    from cxrbench.app.compare.parameters import pick_parameters
    from cxrbench.app.compare.selection import Choice

    choice = st.session_state.setdefault("choice", Choice(methods=("finer_cam(other=hernia)",)))
    pick_parameters(choice.methods, ("Edema", "Pleural Effusion"))


def test_a_parameter_that_is_a_finding_offers_those_of_the_chosen_models() -> None:
    at = AppTest.from_function(finding_script, default_timeout=60).run()
    (control,) = at.selectbox
    assert control.options == ["closest", "Edema", "Pleural Effusion", "hernia"]
    assert control.value == "hernia"  # of a link; no chosen model has it
    control.set_value("pleural_effusion").run()
    assert at.session_state["choice"].methods == ("finer_cam(other=pleural_effusion)",)
    assert not at.exception

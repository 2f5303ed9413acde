"""Widgets whose selection the server changes."""

from streamlit.testing.v1 import AppTest

from cxrbench.app.widgets.versions import key_in


def script() -> None:
    import streamlit as st

    from cxrbench.app.widgets.versions import current_key, renew, renew_all

    with st.container():
        st.button("one", on_click=renew, args=("pick_a",))
        st.button("all but a", on_click=renew_all, kwargs={"but": ("pick_a",)})
    for name in ("pick_a", "pick_b"):
        st.selectbox(name, ["x", "y", "z"], key=current_key(name))


def test_a_renewed_widget_has_a_new_key_and_forgets_what_was_selected() -> None:
    at = AppTest.from_function(script, default_timeout=60).run()
    for name in ("pick_a", "pick_b"):
        at.selectbox(key=name).select("z").run()
    at.button[0].click().run()
    assert [box.key for box in at.selectbox] == ["pick_a 1", "pick_b"]
    assert [box.value for box in at.selectbox] == ["x", "z"]
    at.button[1].click().run()
    assert [box.key for box in at.selectbox] == ["pick_a 1", "pick_b 1"]
    assert [key_in(at.session_state, name) for name in ("pick_a", "pick_b")] == ["pick_a 1", "pick_b 1"]
    assert not at.exception

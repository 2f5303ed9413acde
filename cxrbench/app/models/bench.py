"""The models on the bench: what each is and where it is from, its card, and the removal of added ones."""

from typing import Final

import streamlit as st

from cxrbench.app.services.folder_access import may_name_folders, without_folders
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.model_cards import card_text
from cxrbench.errors import InputError
from cxrbench.models import ModelSpec, architecture, catalog, own
from cxrbench.models.catalog import CatalogEntry
from cxrbench.models.folder import README

__all__ = ["listing"]

_KINDS: Final = {
    "shipped": "ships with the workbench",
    "own": "added here",
    "of a run": "made by a training run",
}


def listing() -> None:
    """Draw every model that can be used, and a warning for each folder that cannot."""
    entries = catalog.scan()
    if not entries:
        st.info("There is no model yet. Add one below, or train one on the Train page.")
    for entry in entries:
        with st.container(border=True, key=f"model_{_key(entry)}"):
            if entry.spec is None:
                _broken(entry)
            else:
                _model(entry, entry.spec)


def _model(entry: CatalogEntry, spec: ModelSpec) -> None:
    count = len(spec.findings)
    source = f"[{spec.source}]({_address(spec.source)})" if spec.source else _KINDS[entry.kind]
    with st.container(horizontal=True, vertical_alignment="center"):
        terms.markdown(
            f"**{spec.title or spec.name}** · `{spec.name}` · {architecture(spec.architecture).title}, "
            f"{count} finding{'s' * (count > 1)}  \nLearned from "
            f"{spec.learned_from or 'data that it does not name'}. Licence: {spec.licence or 'not stated'}. "
            f"{entry.size / 1e6:.0f} MB, {source}.",
            width="stretch",
        )
        _removal(entry, spec.name)
    with st.expander("Findings and card", key=f"card_of_{_key(entry)}"):
        st.markdown(", ".join(spec.labels[index] for index in spec.findings))
        card = entry.folder / README
        st.markdown(
            card_text(card.read_text(encoding="utf-8")) if card.is_file() else "It came without a card."
        )


def _broken(entry: CatalogEntry) -> None:
    st.warning(without_folders(entry.problem))
    _removal(entry, entry.folder.name)


def _removal(entry: CatalogEntry, name: str) -> None:
    """The button that removes one of the user's own models, once that is confirmed."""
    if entry.kind != "own" or not may_name_folders():
        return
    with st.popover("Remove", icon=":material/delete:", key=f"ask_{_key(entry)}"):
        st.markdown(f"Delete **{name}** with its weights and its card from this machine?")
        st.button("Delete it", type="primary", key=f"remove_{_key(entry)}", on_click=_remove, args=(name,))


def _remove(name: str) -> None:
    try:
        own.remove(name)
    except InputError as error:  # of a run, with other files, or removed by another session meanwhile
        st.toast(without_folders(str(error)))


def _key(entry: CatalogEntry) -> str:
    """Part of the keys of a model's widgets: unique, also for two folders of the same name."""
    return f"{entry.kind.replace(' ', '_')}_{entry.folder.parent.name if entry.of_run else entry.folder.name}"


def _address(source: str) -> str:
    repository, _, commit = source.partition("@")
    return f"https://huggingface.co/{repository}" + (f"/tree/{commit}" if commit else "")

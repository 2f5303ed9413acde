from io import BytesIO

import numpy as np
import pytest

from cxrbench.data.padchest import read_padchest
from cxrbench.data.padchest_terms import PADCHEST, TREE, findings_of, is_term
from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

HEADER = (
    "ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,Projection,Labels\n"
)


def table(*lists: str, patient: str = "p{}") -> Studies:
    rows = "".join(
        f'i{i}.png,0,20150101,s{i},{patient.format(i)},1950.0,M,PA,"{text}"\n' for i, text in enumerate(lists)
    )
    return read_padchest(BytesIO((HEADER + rows).encode()))


def found(studies: Studies) -> list[set[str]]:
    return [
        {label for label, value in zip(studies.labels, row, strict=True) if value == 1}
        for row in studies.targets
    ]


@pytest.mark.parametrize(
    ("term", "findings"),
    [
        ("vertebral fracture", {"Fracture"}),
        ("callus rib fracture", {"Fracture"}),
        ("loculated pleural effusion", {"Pleural Effusion"}),
        ("loculated fissural effusion", {"Pleural Effusion"}),
        ("empyema", {"Pleural Effusion"}),
        ("hydropneumothorax", {"Pleural Effusion", "Pneumothorax"}),
        ("segmental atelectasis", {"Atelectasis"}),
        ("atypical pneumonia", {"Pneumonia"}),
        ("calcified pleural thickening", {"Pleural Thickening"}),
        ("air bronchogram", {"Consolidation", "Infiltration"}),
        ("ground glass pattern", {"Infiltration"}),
        ("asbestosis signs", {"Fibrosis"}),
        ("pulmonary mass", {"Mass"}),
        ("multiple nodules", {"Nodule"}),
        ("normal", {"No Finding"}),
        # Siblings in the tree, although the words are similar.
        ("subcutaneous emphysema", set()),
        ("pericardial effusion", set()),
        ("vertebral compression", set()),
        ("pleural plaques", set()),
        ("pseudonodule", set()),
    ],
)
def test_a_term_counts_for_all_of_its_ancestors(term: str, findings: set[str]) -> None:
    assert findings_of(term) == findings
    assert found(table(f"[' {term.upper()} ', 'unchanged']")) == [findings]


def test_the_tree_has_no_cycle_and_ends_in_terms() -> None:
    for term in TREE:
        above = set(TREE[term])
        for _ in range(5):  # no branch is longer
            assert term not in above
            above = {parent for one in above for parent in TREE.get(one, ())}
        assert not above
    assert all(map(is_term, (*TREE, *PADCHEST)))
    assert not is_term("pleural efusion")


def test_unknown_terms_are_noted_and_a_missing_list_gives_nan() -> None:
    studies = table("['pleural efusion', 'cardiomegaly']", "nan", "[]")
    assert found(studies)[0] == {"Cardiomegaly"}
    assert np.isnan(studies.targets[1]).all()
    assert not studies.targets[2].any()
    assert studies.notes == (
        "CSV: left out, since PadChest has no such term: "
        "'pleural efusion' (did you mean 'Pleural Effusion'?)",
    )


def test_identifiers_are_text_and_ages_numbers() -> None:
    studies = table("[]", "[]", patient="00{}")
    assert studies.table["patient"].tolist() == ["000", "001"]
    assert studies.table["age"].tolist() == [65, 65]


def test_labels_that_are_no_list_are_refused_with_their_row() -> None:
    for text in ("fracture", "{'a': 1}", "[1]", "[" * 500):
        with pytest.raises(InputError, match="in row 2, column 'Labels'"):
            table("[]", text)
    with pytest.raises(InputError, match="expected the column 'StudyDate_DICOM'"):
        read_padchest(BytesIO(b"ImageID,ImageDir\na,b\n"))

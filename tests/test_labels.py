import pytest

from cxrbench.errors import InputError
from cxrbench.labels import (
    CHEXPERT,
    COMPETITION,
    HIERARCHY,
    NIH,
    TORCHXRAYVISION,
    canonical,
    finding_indices,
)


def test_the_data_sets_have_as_many_findings_as_their_papers_say():
    assert (len(CHEXPERT), len(NIH), len(TORCHXRAYVISION), len(COMPETITION)) == (14, 14, 18, 5)
    for labels in (CHEXPERT, NIH, TORCHXRAYVISION):
        assert len(set(labels)) == len(labels)


def test_the_hierarchy_and_the_competition_name_only_chexpert_findings():
    assert set(HIERARCHY) | set(HIERARCHY.values()) | set(COMPETITION) <= set(CHEXPERT)


def test_the_hierarchy_has_no_cycle():
    for child in HIERARCHY:
        seen = {child}
        while child in HIERARCHY:
            child = HIERARCHY[child]
            assert child not in seen
            seen.add(child)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Airspace Opacity", "Lung Opacity"),
        ("Airspace_Opacity", "Lung Opacity"),
        ("Effusion", "Pleural Effusion"),
        ("Enlarged_Cardiomediastinum", "Enlarged Cardiomediastinum"),
        ("Pleural_Thickening", "Pleural Thickening"),
        ("Cardiomegaly", "Cardiomegaly"),
    ],
)
def test_other_spellings_become_the_one_name(spelling, name):
    assert canonical(spelling) == name


def test_findings_are_found_in_any_known_spelling_and_in_the_order_asked():
    assert finding_indices(["effusion", "CARDIOMEGALY"], CHEXPERT) == [10, 2]
    assert finding_indices(["Pleural Effusion"], TORCHXRAYVISION) == [7]


def test_an_unknown_finding_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'Gout' is not one this model knows; choose from: No Finding, "):
        finding_indices(["Gout"], CHEXPERT)


def test_an_untrained_output_cannot_be_asked_for():
    with pytest.raises(InputError):
        finding_indices([""], ["Edema", ""])

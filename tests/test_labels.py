from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.errors import InputError
from cxrbench.labels import (
    ALIASES,
    CHEXPERT,
    COMPETITION,
    HIERARCHY,
    NIH,
    TORCHXRAYVISION,
    canonical,
    closest_finding,
    finding_columns,
    finding_indices,
    finding_key,
    finding_slug,
)


def test_the_data_sets_have_as_many_findings_as_their_papers_say() -> None:
    assert (len(CHEXPERT), len(NIH), len(TORCHXRAYVISION), len(COMPETITION)) == (14, 14, 18, 5)
    for labels in (CHEXPERT, NIH, TORCHXRAYVISION):
        assert len(set(labels)) == len(labels)


def test_the_hierarchy_and_the_competition_name_only_chexpert_findings() -> None:
    assert set(HIERARCHY) | set(HIERARCHY.values()) | set(COMPETITION) <= set(CHEXPERT)


def test_the_hierarchy_has_no_cycle() -> None:
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
        ("  pleural   EFFUSION ", "Pleural Effusion"),
        ("Pleural\u00a0effusion", "Pleural Effusion"),
        ("pleural-thickening", "Pleural Thickening"),
        ("infiltrates", "Infiltration"),
        ("pulmonary edema", "Edema"),
        ("Pulmonary fibrosis", "Fibrosis"),
        ("hiatal hernia", "Hernia"),
        ("normal", "No Finding"),
        ("NO FINDING", "No Finding"),
        ("COVID-19", "COVID-19"),
        ("aortic  Enlargement", "aortic Enlargement"),
        ("", ""),
    ],
)
def test_spellings_become_the_canonical_name(spelling: str, name: str) -> None:
    assert canonical(spelling) == name


@given(st.sampled_from([*CHEXPERT, *NIH, *ALIASES, "Scoliosis"]), st.randoms(use_true_random=False))
def test_case_and_separators_never_matter(name: str, random: Random) -> None:
    words = name.replace("_", " ").split()
    other = random.choice([" ", "_", "-", "  "]).join(word.swapcase() for word in words)
    assert finding_key(other) == finding_key(name)
    assert canonical(canonical(other)) == canonical(other)


def test_positions_are_found_in_any_spelling() -> None:
    assert finding_columns(["Effusion", "", "Lung_Opacity", "pleural effusion"]) == {
        "pleural effusion": 0,
        "lung opacity": 2,
    }


def test_an_unknown_name_gets_the_most_similar_finding_or_none() -> None:
    assert closest_finding("Oedema") == "Edema"
    assert closest_finding("Plural Effusion") == "Pleural Effusion"
    assert closest_finding("Scanner") is None


def test_indices_are_found_in_any_known_spelling_and_in_the_order_of_the_names() -> None:
    assert finding_indices(["effusion", "CARDIOMEGALY"], CHEXPERT) == [10, 2]
    assert finding_indices(["Pleural Effusion"], TORCHXRAYVISION) == [7]


def test_an_unknown_finding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'Gout' is not one this model knows; choose from: No Finding, "):
        finding_indices(["Gout"], CHEXPERT)


def test_an_untrained_output_is_no_finding() -> None:
    with pytest.raises(InputError):
        finding_indices([""], ["Edema", ""])


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Pleural Effusion", "pleural_effusion"),
        ("effusion", "pleural_effusion"),
        ("pleural_effusion", "pleural_effusion"),
        ("Edema", "edema"),
        ("Line (central), left", "line_central_left"),
    ],
)
def test_a_slug_is_one_word_for_all_spellings_of_a_finding(name: str, slug: str) -> None:
    assert finding_slug(name) == slug
    assert finding_slug(slug) == slug


def test_the_findings_of_a_data_set_have_different_slugs() -> None:
    for labels in (CHEXPERT, NIH, TORCHXRAYVISION):
        assert len({finding_slug(label) for label in labels}) == len(labels)

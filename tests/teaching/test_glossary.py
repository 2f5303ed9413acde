import re

from cxrbench.teaching.glossary import GLOSSARY, explained, terms_of


def test_the_first_occurrence_of_a_term_carries_its_meaning() -> None:
    text = explained("Scores of a finding: a score, findings.")
    assert text.count("<button") == 2
    assert ' title="A model&#x27;s output for a finding, from 0 to 1.' in text
    assert "</button>: a score, findings.<span" in text  # the meanings stand behind the text
    assert re.sub("<span.*</span>|</?button[^>]*>", "", text) == "Scores of a finding: a score, findings."
    found = {"scores": "score", "finding": "finding", "score": "score", "findings": "finding"}
    assert terms_of("Scores of a finding: a score, findings.") == found


def test_a_term_opens_its_meaning_without_a_mouse() -> None:
    text = explained("a completeness error")
    (target,) = re.findall(r'popovertarget="([^"]+)"', text)
    assert f'<span popover id="{target}" class="meaning">How far the sum' in text
    assert " " not in target


def test_the_longest_term_is_explained_and_parts_of_words_are_not() -> None:
    text = explained("heat maps of a remodelled twinset; <b>ROC curves</b>")
    assert text.count("<button") == 2
    assert ">heat maps</button>" in text
    assert "remodelled twinset" in text
    assert "&lt;b&gt;<button" in text
    assert "</button>&lt;/b&gt;<span" in text


def test_a_term_that_is_explained_already_is_left_alone() -> None:
    assert explained("a score", leave_out=frozenset({"score"})) == "a score"


def test_links_and_code_hold_no_terms_and_what_looks_like_html_is_escaped() -> None:
    text = explained("[a score](/scores?a=1&b=2), `a <score> & more`, :material/label: & <b>")
    assert text == "[a score](/scores?a=1&amp;b=2), `a <score> & more`, :material/label: &amp; &lt;b&gt;"


def test_names_of_findings_and_models_are_no_terms() -> None:
    assert terms_of("phantoms-five-models") == {}
    assert terms_of("A lung lesion, or No Finding; a lesion") == {
        "lung lesion": "",
        "no finding": "",
        "lesion": "lesion",
    }
    assert terms_of("DenseNet-121 (phantom), ResNet-50 (shortcut)") == {"(phantom)": "", "(shortcut)": ""}


def test_each_form_means_one_term_and_no_meaning_is_empty() -> None:
    forms = [form.lower() for word, term in GLOSSARY.items() for form in (word, *term.forms)]
    assert len(set(forms)) == len(forms)
    assert all(term.meaning.endswith(".") and term.topic for term in GLOSSARY.values())

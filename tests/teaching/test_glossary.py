from cxrbench.teaching.glossary import GLOSSARY, explained


def test_the_first_occurrence_of_a_term_carries_its_meaning() -> None:
    text = explained("Scores of a finding: a score, findings.")
    assert text.count("<abbr") == 2
    assert text.startswith('<abbr title="A model&#x27;s output for a finding, from 0 to 1.')
    assert text.endswith(">finding</abbr>: a score, findings.")


def test_the_longest_term_is_explained_and_parts_of_words_are_not() -> None:
    text = explained("heat maps of a remodelled twinset; <b>ROC curves</b>")
    assert text.count("<abbr") == 2
    assert ">heat maps</abbr>" in text
    assert "remodelled twinset" in text
    assert "&lt;b&gt;<abbr" in text
    assert ">ROC curves</abbr>&lt;/b&gt;" in text


def test_a_term_that_is_explained_already_is_left_alone() -> None:
    assert explained("a score", leave_out=frozenset({"score"})) == "a score"


def test_each_form_means_one_term_and_no_meaning_is_empty() -> None:
    forms = [form.lower() for word, term in GLOSSARY.items() for form in (word, *term.forms)]
    assert len(set(forms)) == len(forms)
    assert all(term.meaning.endswith(".") and term.topic for term in GLOSSARY.values())

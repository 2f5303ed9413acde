"""The words of the workbench, for readers who meet them for the first time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["GLOSSARY", "Term", "explained", "meanings_of", "terms_of"]


@dataclass(frozen=True)
class Term:
    """A word and its meaning.

    Args:
        meaning: one or two sentences.
        topic: under which it is listed.
        forms: further spellings of the word in running text, such as its plural.
    """

    meaning: str
    topic: str
    forms: tuple[str, ...] = ()


_FILMS, _SCORES, _MAPS, _TRUTH = "Films and findings", "Scores", "Heat maps", "Truth and judging"

# Word → its meaning; the words of a topic in an order in which they can be read.
GLOSSARY: Final = {
    "radiograph": Term(
        "The picture of a chest as it was read: grey, from black where the most X-rays passed to white.",
        _FILMS,
        ("radiographs",),
    ),
    "phantom": Term(
        "A simulated patient and the radiographs rendered of it. Which findings it has, and where, is known "
        "exactly.",
        _FILMS,
        ("phantoms", "simulated patient", "simulated patients", "simulated radiographs"),
    ),
    "finding": Term(
        "Something that can be seen on a radiograph, such as a pleural effusion. It is a sign, not a "
        "disease, and not a diagnosis.",
        _FILMS,
        ("findings",),
    ),
    "lesion": Term("The place on the radiograph where a finding is visible.", _FILMS, ("lesions",)),
    "label": Term(
        "What a table states of one finding on one image: present, absent, uncertain, or not mentioned.",
        _FILMS,
        ("labels",),
    ),
    "policy": Term(
        "What becomes of uncertain labels before training: they are counted as present, as absent, or left "
        "out.",
        _FILMS,
        ("policies",),
    ),
    "imbalance": Term(
        "Some findings are far more frequent than others, and absent is more frequent than present. A model "
        "that never reports a rare finding is nearly always right about it.",
        _FILMS,
    ),
    "shortcut": Term(
        "Something that goes with a finding in the training films without being part of it, such as the "
        "token of one hospital. A model may learn it instead of the finding.",
        _FILMS,
        ("shortcuts",),
    ),
    "preprocessing": Term(
        "What turns a radiograph into the input of a network: contrast, crop, size and scale of its values.",
        _FILMS,
    ),
    "augmentation": Term(
        "A random change of a training image, such as a small rotation, that leaves its findings true.",
        _FILMS,
        ("augmentations",),
    ),
    "model": Term(
        "A network that was trained to give one score per finding.", _SCORES, ("models", "classifiers")
    ),
    "score": Term(
        "A model's output for a finding, from 0 to 1. It orders images; it is not a probability of disease.",
        _SCORES,
        ("scores",),
    ),
    "logit": Term(
        "The score on its original scale, without limits: 0 is a score of 0.5. Heat maps explain logits.",
        _SCORES,
        ("logits",),
    ),
    "threshold": Term(
        "The score from which a finding counts as predicted. It is chosen on validation images, one per "
        "finding.",
        _SCORES,
        ("thresholds", "operating point", "operating points"),
    ),
    "sensitivity": Term("Of the images with the finding, the share that is predicted.", _SCORES),
    "specificity": Term("Of the images without the finding, the share that is not predicted.", _SCORES),
    "predictive value": Term(
        "Of the images that are predicted to have the finding, the share that has it. It depends on how "
        "common the finding is.",
        _SCORES,
        ("predictive values",),
    ),
    "ROC curve": Term(
        "Sensitivity against 1 − specificity, over all thresholds. It does not depend on how common the "
        "finding is.",
        _SCORES,
        ("ROC curves", "ROC"),
    ),
    "AUROC": Term(
        "The area under the ROC curve: how often an image with the finding has a higher score than one "
        "without it. 0.5 is chance, 1 is perfect order.",
        _SCORES,
    ),
    "average precision": Term(
        "The area under the precision–recall curve. Chance is the prevalence, so it shows what the AUROC "
        "hides where a finding is rare.",
        _SCORES,
    ),
    "prevalence": Term("The share of the images that has the finding.", _SCORES),
    "calibration": Term(
        "Whether scores are probabilities: of the images with a score of 0.3, three in ten should have the "
        "finding.",
        _SCORES,
    ),
    "confidence interval": Term(
        "The range in which a number would lie in 95 of 100 repetitions with other patients.",
        _SCORES,
        ("confidence intervals",),
    ),
    "ensemble": Term(
        "Several models combined: by averaging their scores (CTP), or by voting (PTC).",
        _SCORES,
        ("ensembles",),
    ),
    "heat map": Term(
        "Relevance drawn over a radiograph. It shows what a score is sensitive to, not where a lesion is.",
        _MAPS,
        ("heat maps",),
    ),
    "method": Term(
        "How a heat map is computed, such as Grad-CAM. Methods may disagree on one score.",
        _MAPS,
        ("methods", "explanation methods"),
    ),
    "relevance": Term(
        "A number per pixel or cell: how much it raises the score (positive) or lowers it (negative), as the "
        "method defines it.",
        _MAPS,
    ),
    "stage": Term(
        "A place inside the network after which its feature map is read. The last stage has the coarsest "
        "grid, often 7 × 7 cells.",
        _MAPS,
        ("stages",),
    ),
    "baseline": Term(
        "The image at which integrated gradients start, often black. Pixels that are equal to it get no "
        "relevance.",
        _MAPS,
        ("baselines",),
    ),
    "completeness error": Term(
        "How far the sum of a map of integrated gradients is from the change of the logit, which it should "
        "equal.",
        _MAPS,
    ),
    "colour scale": Term(
        "What is drawn at full colour: how much relevance. With scales of their own a weak and a strong map "
        "look alike.",
        _MAPS,
        ("colour scales",),
    ),
    "ground truth": Term(
        "What is really there. Of phantoms it is exact; of real radiographs it is what readers say.",
        _TRUTH,
        ("known truth", "exact truth"),
    ),
    "mask": Term("The pixels that belong to a finding: what its outline encloses.", _TRUTH, ("masks",)),
    "twin": Term(
        "The same patient on the same film with one thing taken away. What changes in the score is the true "
        "effect of that thing.",
        _TRUTH,
        ("twins",),
    ),
    "hit": Term("The strongest point of a map lies inside the outline of the finding.", _TRUTH, ("hits",)),
    "location prior": Term(
        "A map that never sees the film: where the finding lies on others. A method that is no better tells "
        "nothing about this film.",
        _TRUTH,
    ),
    "control": Term(
        "A map that cannot explain anything, such as noise or an edge detector. A criterion on which "
        "controls do well does not test explanations.",
        _TRUTH,
        ("controls",),
    ),
    "criterion": Term("A rule by which a map gets a number.", _TRUTH, ("criteria",)),
}


def explained(text: str, *, leave_out: frozenset[str] = frozenset()) -> str:
    """Markdown in which the first occurrence of each term carries its meaning, as HTML.

    A term is a button that opens its meaning: by mouse, by touch and by keyboard; Escape closes it. The
    meanings stand behind the text, hidden, so that what one searches in it is found. Links and code hold no
    terms.

    Args:
        text: Markdown without HTML: what looks like HTML is escaped.
        leave_out: terms that are explained already.
    """
    parts: list[str] = []
    meanings: list[str] = []
    end = 0
    for start, stop, word in _first_occurrences(text):
        if word not in leave_out:
            button, meaning = _button_and_meaning(text[start:stop], word)
            parts += [_escaped(text[end:start]), button]
            meanings.append(meaning)
            end = stop
    # White space at the end would begin a paragraph that holds nothing visible.
    rest = _escaped(text[end:].rstrip() if meanings else text[end:])
    return "".join([*parts, rest, *meanings])


def terms_of(text: str) -> dict[str, str]:
    """As written in a text, in lower case → term; "" for a name that holds a term but does not mean it."""
    written = (found.group().lower() for found in _PATTERN.finditer(text))
    return {form: _WORDS.get(form, "") for form in written if form in _WORDS or form in _NAMES}


def meanings_of(*texts: str) -> dict[str, str]:
    """As written in texts, in lower case → meaning of its term; "" for a name that only holds a term."""
    written = terms_of("\n".join(texts))
    return {form: GLOSSARY[term].meaning if term else "" for form, term in written.items()}


def _button_and_meaning(written: str, word: str) -> tuple[str, str]:
    meaning, name = escape(GLOSSARY[word].meaning), f"term-{word.replace(' ', '-')}"
    opens = f'class="term" popovertarget="{name}" title="{meaning}"'
    return (
        f'<button type="button" {opens}>{escape(written)}</button>',
        f'<span popover id="{name}" class="meaning">{meaning}</span>',
    )


def _escaped(text: str) -> str:
    """Markdown without HTML; in code nothing is HTML."""
    return _CODE_OR_SIGN.sub(lambda found: found[0] if found[0][0] == "`" else escape(found[0]), text)


def _first_occurrences(text: str) -> Iterator[tuple[int, int, str]]:
    seen: set[str] = set()
    for start, stop, word in _occurrences(text):
        if word not in seen:
            seen.add(word)
            yield start, stop, word


def _occurrences(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, stop, term) of every term in a text, the longer first where two begin alike."""
    for match in _PATTERN.finditer(text):
        if (form := match.group().lower()) in _WORDS:
            yield match.start(), match.end(), _WORDS[form]


_WORDS: Final = {form.lower(): word for word, term in GLOSSARY.items() for form in (word, *term.forms)}
# Names of findings, models and pages that hold a term but do not mean it.
_NAMES: Final = ("lung lesion", "lung lesions", "no finding", "imbalance page", "(phantom)", "(shortcut)")
_CODE: Final = r"`[^`]*`"
_CODE_OR_SIGN: Final = re.compile(rf"{_CODE}|[&<>]")
_PATTERN: Final = re.compile(
    rf"{_CODE}|\[[^\]]*\]\([^)]*\)|:material/\w+:|(?<![\w-])(?:"
    + "|".join(sorted(map(re.escape, (*_WORDS, *_NAMES)), key=len, reverse=True))
    + r")(?![\w-])",
    re.IGNORECASE,
)

"""The model card: what a model is, what was measured, and what it is not for."""

from collections.abc import Mapping
from typing import Any, Final

from huggingface_hub import EvalResult, ModelCardData

from cxrbench.models.spec import ModelSpec
from cxrbench.models.zoo import architecture

__all__ = ["model_card"]

_TASK: Final = "image-classification"


def model_card(spec: ModelSpec, evaluation: Mapping[str, Any], text: str | None = None) -> str:
    """The model card in Markdown, with the front matter that the Hugging Face Hub reads.

    Args:
        spec: specification of the model.
        evaluation: plain values. Shown if present: ``license``, ``dataset``, and ``auroc``, a mapping of
            label to value (None where undefined).
        text: more about data, training and limitations, in Markdown.
    """
    preprocessing = spec.preprocessing
    height, width = preprocessing.input_shape
    lines = [
        "---",
        _front_matter(spec, evaluation),
        "---",
        f"# {spec.title or spec.name}",
        "",
        f"{architecture(spec.architecture).title} for {len(spec.findings)} findings on chest radiographs.",
        "**For teaching and research. Not for clinical use.**",
        "",
        *([text.strip(), ""] if text else []),
        "## Use",
        "```python",
        "from cxrbench.models import hub",
        "",
        'model = hub.load("path/to/this/folder")',
        "```",
        f"Input: one grey channel in [0, 1], fitted by `{preprocessing.fit}` into {width} × {height} pixels, "
        f"then (x − {preprocessing.mean:.6g}) ÷ {preprocessing.std:.6g}. The "
        "preprocessing is stored in `config.json`; the library applies it.",
        "",
        "## Findings",
        *_table(spec, _aurocs(evaluation)),
    ]
    return "\n".join(lines) + "\n"


def _front_matter(spec: ModelSpec, evaluation: Mapping[str, Any]) -> str:
    """The metadata that the Hub reads, as YAML: licence, tags, and the AUROC of each finding as a result."""
    dataset = str(evaluation.get("dataset") or "")
    results = [
        EvalResult(
            task_type=_TASK,
            dataset_type=dataset or "unnamed",
            dataset_name=dataset or "unnamed",
            metric_type="roc_auc",
            metric_name=f"AUROC {label}",
            metric_value=round(value, 4),
        )
        for label, value in _aurocs(evaluation).items()
    ]
    metadata = ModelCardData(
        license=str(evaluation.get("license") or _licence_key(spec.licence) or "apache-2.0"),
        library_name="cxrbench",
        pipeline_tag=_TASK,
        tags=["chest-xray", "multi-label", "explainability", "not-for-clinical-use"],
        datasets=[dataset] if dataset else None,
        metrics=["roc_auc"] if results else None,
        model_name=spec.name if results else None,  # part of the results
        eval_results=results or None,
    )
    return metadata.to_yaml(line_break="\n")


def _licence_key(licence: str) -> str:
    """The Hub's key of a licence: "CC BY-NC 4.0: not for commercial use" is "cc-by-nc-4.0"."""
    return "-".join(licence.partition(":")[0].lower().split())


def _aurocs(evaluation: Mapping[str, Any]) -> Mapping[str, float]:
    values = evaluation.get("auroc")
    numbers = values.items() if isinstance(values, Mapping) else ()
    return {label: value for label, value in numbers if isinstance(value, (int, float))}


def _table(spec: ModelSpec, aurocs: Mapping[str, float]) -> list[str]:
    rows = ["| finding | threshold | AUROC |", "|---|---|---|"]
    for index in spec.findings:
        label = spec.labels[index]
        value = aurocs.get(label)
        shown = "–" if value is None else f"{value:.3f}"
        rows.append(f"| {label.replace('|', chr(92) + '|')} | {spec.thresholds[index]:.4g} | {shown} |")
    return rows

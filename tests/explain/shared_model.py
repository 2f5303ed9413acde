"""Run by test_threads.py: all methods, some findings, eight threads, one model, and exceptions in between."""

import random
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch.nn.modules import module as registry

from cxrbench.explain import METHODS, Context, configured_method, explain, parameters_of
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

THREADS = 8
IMAGES = 3  # every method explains each: about a hundred jobs for eight threads
SIZE = 64
FINDINGS = (0, 7, 13)
SHORT = {
    "steps": 2,
    "samples": 2,
    "masks": 4,
    "stride": 32,
    "channels": 4,
}  # parameters of short computations
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def short(name: str) -> str:
    known = [parameter.name for parameter in parameters_of(METHODS[name].parameters)]
    stated = ",".join(f"{each}={value}" for each, value in SHORT.items() if each in known)
    return configured_method(f"{name}({stated})").key


KEYS = {name: short(name) for name in METHODS}


def fingerprint(model: Classifier) -> list[object]:
    """Everything about a model and about the process that an explanation must not change."""
    return [
        {key: value.clone() for key, value in model.state_dict().items()},
        [parameter.grad for parameter in model.parameters()],
        [parameter.requires_grad for parameter in model.parameters()],
        [each.training for each in model.modules()],
        [len(getattr(each, hooks)) for each in model.modules() for hooks in HOOKS],
        [type(each) for each in model.modules()],
        [len(getattr(registry, f"_global{hooks}")) for hooks in HOOKS],
        torch.get_rng_state(),
        np.random.get_state(legacy=False)["state"]["key"].tolist(),  # noqa: NPY002 - the global one, which must not change
        random.getstate(),
        (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_num_threads()),
    ]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return bool(a.keys() == b.keys()) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def names_of(model: Classifier) -> list[str]:
    return [name for name in METHODS if METHODS[name].supports(model) is None]


def maps(model: Classifier, image: torch.Tensor, method: str) -> torch.Tensor:
    *_, last = explain(model, image, FINDINGS, [KEYS[method]], context=context_of(image))
    return last.maps


def context_of(image: torch.Tensor) -> Context:
    return Context(twins={finding: image * (0.3 + 0.05 * finding) for finding in FINDINGS})


def maps_of_all(model: Classifier, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Method → its final map, from one call whose methods share their passes."""
    names = {key: name for name, key in KEYS.items() if METHODS[name].supports(model) is None}
    found = explain(model, image, FINDINGS, list(names), context=context_of(image))
    return {names[each.method]: each.maps for each in found}


def interrupted_calls(model: Classifier, image: torch.Tensor) -> Iterator[None]:
    """An exception within the trunk, one thrown into a running generator, and an abandoned generator."""
    for name in names_of(model):
        if METHODS[name].family == "control":  # runs no network
            yield
            continue
        try:
            maps(model, image.to("meta"), name)
        except RuntimeError:
            yield
        else:
            raise AssertionError("an image without memory went through a network with weights")
    drafts = explain(model, image, [0], ["integrated_gradients"], steps=8)
    assert isinstance(drafts, Generator)
    next(drafts)
    try:
        drafts.throw(KeyboardInterrupt)
    except KeyboardInterrupt:
        yield
    next(explain(model, image, [0], ["integrated_gradients"], steps=8))
    yield


def main(architecture: str) -> None:
    model = create(architecture, CHEXPERT, preprocessing=Preprocessing(size=SIZE))
    images = torch.randn(IMAGES, 1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    before = fingerprint(model)
    names = names_of(model)
    jobs = [(index, method) for index in range(IMAGES) for method in names]
    serial = [maps_of_all(model, image) for image in images]
    # Each thread starts with another method, so that different methods use the model at the same time.
    mixed = sorted(jobs, key=lambda job: (names.index(job[1]) + job[0]) % len(names))
    with ThreadPoolExecutor(THREADS) as pool:
        interrupted = pool.submit(lambda: len(list(interrupted_calls(model, images[0]))))
        parallel = list(pool.map(lambda job: maps(model, images[job[0]], job[1]), mixed))
        assert interrupted.result() == len(names) + 2
    for (index, method), result in zip(mixed, parallel, strict=True):
        assert torch.equal(result, serial[index][method]), f"{method} of image {index} differs from serial"
    assert same(fingerprint(model), before), "the model or the process was changed"
    print(architecture, len(parallel), "jobs bit-equal", flush=True)


if __name__ == "__main__":
    for architecture in sys.argv[1:]:
        main(architecture)

"""Error messages quote values in plain Python, whatever their type."""

from collections.abc import Callable

import numpy as np
import pytest

from cxrbench.augment import Mixup
from cxrbench.data import Clinical
from cxrbench.errors import InputError, look_up
from cxrbench.inference import predict
from cxrbench.labels import finding_indices
from cxrbench.models import create
from cxrbench.preprocess import Preprocessing
from cxrbench.training import Phase

HALF, NONE, FAR = np.float64(0.5), np.float32("nan"), np.int64(99)
FILM = np.full((8, 8), 0.5, np.float32)

# One invalid NumPy value for every function that takes a number or a name.
CALLS: dict[str, Callable[[], object]] = {
    "a threshold": lambda: create("alexnet", ("A",), thresholds=(np.float64(1.5),)),
    "a threshold in single precision": lambda: create("alexnet", ("A",), thresholds=(np.float32(2),)),  # type: ignore[arg-type]
    "labels": lambda: create("alexnet", (np.str_(""),)),
    "labels in an array": lambda: create("alexnet", np.array(["A", "a"])),  # type: ignore[arg-type]
    "a dropout rate": lambda: create("alexnet", ("A",), drop_rate=np.float64(1.5)),
    "a mean": lambda: Preprocessing(mean=NONE),  # type: ignore[arg-type]
    "a deviation": lambda: Preprocessing(std=np.float64(-1)),
    "a size": lambda: Preprocessing(size=np.int64(-3)),  # type: ignore[arg-type]
    "a fit": lambda: Preprocessing(fit=np.str_("bend")),  # type: ignore[arg-type]
    "a box": lambda: Preprocessing().placement((8, 8), tuple(np.array([0, 0, 99, 99]))),
    "mixup": lambda: Mixup(np.float64(-1)),
    "an age": lambda: Clinical(np.float64("inf"), np.float64(1)),
    "a phase": lambda: Phase(np.int64(8), np.int64(1), np.int64(1), np.float64(-0.1)),  # type: ignore[arg-type]
    "a name": lambda: look_up("method", np.str_("grad_cam_plus"), {"grad_cam": 1}),
    "a finding": lambda: finding_indices([np.str_("Oedema")], ("Edema",)),
    "a batch": lambda: predict(create("alexnet", ("A",)), FILM, batch_size=np.int64(0)),  # type: ignore[arg-type]
    "pixels": lambda: predict(create("alexnet", ("A",)), FILM + np.float32(7)),
    "a sentence of our own": lambda: (_ for _ in ()).throw(
        InputError(f"got {HALF!r}, {[FAR]!r}, {(np.True_,)!r}, {np.str_('x')!r}, {np.uint8(3)!r}")
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_no_message_quotes_a_numpy_scalar(call: str) -> None:
    with pytest.raises(InputError) as caught:
        CALLS[call]()
    assert "np." not in str(caught.value)
    assert "numpy" not in str(caught.value)


def test_numpy_scalars_are_replaced_by_plain_values() -> None:
    message = str(InputError(f"{HALF!r} {[FAR]!r} {(np.True_,)!r} {np.str_('x')!r} np.mean(x, axis=0)"))
    assert message == "0.5 [99] (True,) 'x' np.mean(x, axis=0)"

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cxrbench.training.run.history import Epoch
from cxrbench.training.run.tensorboard import Board


def test_defined_values_are_written_and_undefined_ones_are_not(tmp_path: Path) -> None:
    board = Board(tmp_path, 0)
    board.step(0, 0.7, 1e-3)
    board.step(10, 0.6, 2e-3)
    board.epoch(12, Epoch(0, 0, 32, 0.65, {"A": 0.8, "B": None}))
    board.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == {"loss/step", "rate", "loss/epoch", "AUROC/mean", "AUROC/A"}
    assert [(e.step, round(e.value, 6)) for e in events.Scalars("loss/step")] == [(0, 0.7), (10, 0.6)]


def test_a_resumed_run_replaces_events_after_its_checkpoint(tmp_path: Path) -> None:
    for start, loss in ((0, 0.7), (10, 0.1)):
        board = Board(tmp_path, start)
        for step in range(start, 30, 10):
            board.step(step, loss, 1e-3)
        board.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    losses = {event.step: round(event.value, 6) for event in events.Scalars("loss/step")}
    assert losses == {0: 0.7, 10: 0.1, 20: 0.1}

"""A lane under way: its state between segments, its curve so far, and the replicates that read it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from trials.checkpoints import LaneState
from trials.curves import CURVE_METRICS, Curve, pack, row
from trials.early_stopping import Stop, replay
from trials.protocol import Lane, LaneReport, Metrics, Reader, ReplicateResult


class ActiveLane:
    """One lane between segments.

    Attributes:
        state: Weights and optimizer variables.
        best: Best monitored validation value so far, larger is better.
        open_readers: The replicates that still wait for their answer.
    """

    def __init__(
        self, lane: Lane, state: list[npt.NDArray[Any]], key: npt.NDArray[np.uint32], knobs: npt.NDArray[np.float32]
    ) -> None:
        self.lane = lane
        self.state = state
        self.key = key
        self.knobs = knobs
        self.best = float("-inf")
        self.curve: Curve = np.empty((len(CURVE_METRICS), 0), np.float32)
        self.open_readers: list[Reader] = list(lane.readers)

    @property
    def n_epochs(self) -> int:
        """Epochs trained so far."""
        return int(self.curve.shape[1])

    @property
    def kept(self) -> LaneState:
        """What it takes to continue."""
        return LaneState(self.state, self.best, self.curve)

    def extend(self, state: list[npt.NDArray[Any]], best: float, curve: Curve) -> None:
        """Takes over what a segment computed."""
        self.state = state
        self.best = best
        self.curve = np.concatenate([self.curve, curve], axis=1)

    def report(self, total_epochs: int) -> LaneReport:
        """The lane's state, with the results of the replicates that have their answer now."""
        results = [result for reader in self.open_readers if (result := self._result(reader, total_epochs)) is not None]
        done = {result.replicate_id for result in results}
        self.open_readers = [reader for reader in self.open_readers if reader.replicate_id not in done]
        curve = self.curve
        if not self.open_readers:
            curve = curve[:, : max(result.last_epoch or 0 for result in results) + 1]
        return LaneReport(lane_id=self.lane.lane_id, n_epochs=curve.shape[1], curve=pack(curve), results=tuple(results))

    def stop(self, replicate_ids: tuple[int, ...]) -> None:
        """Drops replicates that need no more training."""
        self.open_readers = [reader for reader in self.open_readers if reader.replicate_id not in replicate_ids]

    def _result(self, reader: Reader, total_epochs: int) -> ReplicateResult | None:
        diverged = self._diverged_epoch()
        end = self._end(reader, self.n_epochs if diverged is None else diverged)
        if end is not None and (end.stopped or (diverged is None and self.n_epochs >= total_epochs)):
            return ReplicateResult(
                replicate_id=reader.replicate_id,
                state="complete",
                metrics=self._metrics(end.selected_epoch),
                selected_epoch=end.selected_epoch,
                last_epoch=end.last_epoch,
            )
        if diverged is None:
            return None
        return ReplicateResult(
            replicate_id=reader.replicate_id,
            state="failed",
            last_epoch=diverged,
            reason=f"diverged: the training loss is not finite after epoch {diverged + 1}",
        )

    def _end(self, reader: Reader, n_epochs: int) -> Stop | None:
        """Where the reader's rule ends on the first so many epochs; None on an empty curve."""
        if n_epochs == 0:
            return None
        if reader.rule is None:
            return Stop(n_epochs - 1, n_epochs - 1, stopped=False, restore_best=False)
        return replay(row(self.curve, reader.rule.monitor)[:n_epochs], reader.rule)

    def _diverged_epoch(self) -> int | None:
        bad = np.flatnonzero(~np.isfinite(row(self.curve, "running_loss")))
        return int(bad[0]) if bad.size else None

    def _metrics(self, epoch: int) -> Metrics:
        values = {name: float(row(self.curve, name)[epoch]) for name in Metrics.model_fields}
        return Metrics(**{name: value if np.isfinite(value) else None for name, value in values.items()})

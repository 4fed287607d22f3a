import pytest

from search_spaces.datasets import CirclesRef
from tests.trials.executors.cohorts import make_cohort
from trials.early_stopping import StoppingRule
from trials.executors.wire import EVENTS, MAX_MESSAGE_BYTES, REQUESTS, BrokenMessageError, Decoder, encode
from trials.protocol import LaneReport, Metrics, Reader, ReplicateResult, SegmentReport, Verdicts


def test_messages_survive_being_cut_anywhere() -> None:
    verdicts = [Verdicts(cohort_id="a", stop=(1, 2)), Verdicts(cohort_id="b")]
    stream = b"".join(map(encode, verdicts))
    decoder = Decoder()

    bodies = [body for i in range(len(stream)) for body in decoder.feed(stream[i : i + 1])]

    assert [REQUESTS.validate_json(body) for body in bodies] == verdicts


def test_a_cohort_comes_back_equal() -> None:
    cohort = make_cohort({"dropout.rate": 0.0, "augmentation.policy": "shift", "l2.enabled": True, "x.patience": 3})
    lane = cohort.lanes[0].model_copy(update={"readers": (Reader(replicate_id=7, rule=StoppingRule(patience=2)),)})
    cohort = cohort.model_copy(update={"dataset": CirclesRef(noise=0.2), "lanes": (lane,)})

    [body] = Decoder().feed(encode(cohort))
    received = REQUESTS.validate_json(body)

    assert received == cohort
    assert repr(received) == repr(cohort)


def test_a_report_comes_back_equal_with_any_bytes_in_its_curve() -> None:
    result = ReplicateResult(replicate_id=1, state="complete", metrics=Metrics(test_accuracy=1 / 3))
    lane = LaneReport(lane_id=0, n_epochs=5, curve=bytes(range(256)), results=(result,))
    report = SegmentReport(cohort_id="a", lanes=(lane,), seconds=0.1, peak_memory_bytes=1)

    [body] = Decoder().feed(encode(report))

    assert EVENTS.validate_json(body) == report


def test_a_length_beyond_all_bounds_is_refused_before_anything_is_kept() -> None:
    with pytest.raises(BrokenMessageError, match=f"at most {MAX_MESSAGE_BYTES}"):
        Decoder().feed(b"\xff\xff\xff\xff")

"""The pruners a study may ask for. Making the Optuna object is the service's business."""

PRUNERS: dict[str, str] = {
    "none": "every trial trains to its end",
    "median": "stops a trial that is worse than the median of the earlier ones at the same epoch",
    "asha": "asynchronous successive halving: only the best part of the trials reaches the next rung",
}

"""The samplers a study may ask for. Making the Optuna object is the service's business."""

SAMPLERS: dict[str, str] = {
    "grid": "every combination of the listed levels, each exactly once",
    "random": "independent uniform draws",
    "qmc": "quasi-random draws (scrambled Sobol): even coverage, best for reading effects",
    "tpe": "tree-structured Parzen estimator: draws more where validation was good",
}

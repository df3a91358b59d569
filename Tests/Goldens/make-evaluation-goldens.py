#!/usr/bin/env python3
"""Makes Tests/DistillationTests/Goldens/evaluation.json: what scikit-learn and plain NumPy say about small cases.

    python3 Tests/Goldens/make-evaluation-goldens.py      (needs numpy, scipy and scikit-learn)

All inputs are random with fixed seeds, or written out here. The calibration and selective-risk references are written
from the papers' definitions, independently of the Swift code: ECE by masks over np.linspace edges, AURC and AUGRC by
brute force over all prefixes (without ties in confidence), and the temperature by scipy's bounded minimiser.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize_scalar
from scipy.stats import beta
from sklearn.metrics import classification_report, confusion_matrix

warnings.filterwarnings("ignore")
OUT = pathlib.Path(__file__).resolve().parent.parent / "DistillationTests/Goldens/evaluation.json"


def report_case(name, labels, truth, predicted, digits):
    indices = list(range(len(labels)))
    report = classification_report(truth, predicted, labels=indices, target_names=labels, digits=digits)
    return {
        "name": name,
        "labels": labels,
        "truth": [int(x) for x in truth],
        "predicted": [int(x) for x in predicted],
        "digits": digits,
        "text": report,
        "confusion": confusion_matrix(truth, predicted, labels=indices).ravel().tolist(),
    }


def report_cases():
    rng = np.random.default_rng(1)
    five = ["car", "culture", "edu", "game", "sports"]
    truth = rng.integers(0, 5, 300)
    predicted = np.where(rng.random(300) < 0.75, truth, rng.integers(0, 5, 300))
    yield report_case("five labels", five, truth, predicted, 2)
    yield report_case("five labels, four digits", five, truth, predicted, 4)
    yield report_case("a label never predicted", ["a", "b", "c"], [0, 1, 2, 2, 1, 0], [0, 1, 0, 1, 1, 0], 2)
    yield report_case("a label that doesn't occur", ["a", "b", "c"], [0, 1, 1, 0], [0, 2, 1, 0], 2)
    yield report_case("a label neither predicted nor there", ["a", "b", "c"], [0, 1, 1, 0], [0, 1, 1, 1], 3)
    # Not all wrong: then scikit-learn 1.x prints the supports as 2.0, a slip that isn't worth repeating.
    yield report_case("nearly all wrong", ["a", "b"], [0, 1, 0, 0], [1, 0, 1, 0], 2)
    yield report_case("long and Chinese names", ["体育", "a label longer than weighted avg", "科技新闻"],
                      [0, 1, 2, 0, 1, 2, 2], [0, 1, 2, 1, 1, 0, 2], 2)
    yield report_case("ties in rounding", ["x", "y"], [0] * 8 + [1] * 8, [0] * 3 + [1] * 5 + [1] * 8, 2)
    yield report_case("six digits", ["x", "y"], [0, 0, 0, 1, 1], [0, 1, 0, 1, 0], 6)


def ece(confidences, correct, bins=15):
    edges = np.linspace(0, 1, bins + 1)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        mask = (confidences > low) & (confidences <= high)
        if mask.any():
            total += mask.mean() * abs(correct[mask].mean() - confidences[mask].mean())
    return float(total)


def selective_areas(confidences, correct):
    order = np.argsort(-confidences, kind="stable")
    wrong = ~correct[order]
    n = len(wrong)
    aurc = np.mean([wrong[: k + 1].mean() for k in range(n)])
    generalised = [wrong[:k].sum() / n for k in range(n + 1)]
    augrc = np.trapezoid(generalised, np.linspace(0, 1, n + 1))
    return float(aurc), float(augrc)


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def probability_cases():
    for seed, n, labels, sharpness in [(2, 200, 5, 2.5), (3, 57, 2, 1.6), (4, 150, 10, 0.7)]:
        rng = np.random.default_rng(seed)
        logits = rng.normal(size=(n, labels)).astype(np.float32)
        truth = np.array([rng.choice(labels, p=row) for row in softmax(logits.astype(np.float64))])
        logits = (logits * np.float32(sharpness)).astype(np.float32).round(4)
        wide = logits.astype(np.float64)

        def loss(log_temperature):
            probabilities = softmax(wide / np.exp(log_temperature))
            return -np.log(probabilities[np.arange(n), truth]).mean()

        probabilities = softmax(wide)
        confidences = probabilities.max(axis=1)
        correct = probabilities.argmax(axis=1) == truth
        assert len(np.unique(confidences.astype(np.float32))) == n, "the brute force wants no ties"
        one_hot = np.eye(labels)[truth]
        fitted = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-10})
        aurc, augrc = selective_areas(confidences, correct)
        yield {
            "labels": labels,
            "logits": [round(float(x), 4) for x in logits.ravel()],
            "truth": truth.tolist(),
            "ece": ece(confidences, correct),
            "aurc": aurc,
            "augrc": augrc,
            "negative_log_likelihood": float(loss(0.0)),
            "brier": float(((probabilities - one_hot) ** 2).sum(axis=1).mean()),
            "temperature": float(np.exp(fitted.x)),
            "fitted_loss": float(fitted.fun),
        }


def bound_cases():
    for errors, lines, assurance in [(0, 76, 0.9), (1, 129, 0.9), (5, 200, 0.95), (40, 3000, 0.9), (300, 301, 0.99)]:
        yield {
            "errors": errors,
            "lines": lines,
            "assurance": assurance,
            "bound": float(beta.ppf(assurance, errors + 1, lines - errors)),
        }


def main():
    golden = {
        "made_by": "Tests/Goldens/make-evaluation-goldens.py",
        "with": f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}",
        "reports": list(report_cases()),
        "probabilities": list(probability_cases()),
        "binomial_bounds": list(bound_cases()),
    }
    OUT.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{OUT}: {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""Which of several models made a record? A classifier, taught by records that each of them has drawn.

Where no likelihood is at hand, or one is too dear to compute hundreds of times, the probability of a model given a
record can be learnt from simulations: draw parameters from each model's prior, records from the parameters, and teach
a classifier to name the model from summaries of the record (Pudlo, Marin, Estoup, Cornuet, Gautier and Robert 2016,
Bioinformatics 32, 859-866, with random forests). With equally many records of each model, the log of a ratio of its
probabilities estimates the log Bayes factor of the record's summaries.

Here the classifier is multinomial logistic regression on standardised summaries, their squares and, where they are
few, their products, with a ridge penalty chosen by held-out log loss. All that is said of it comes from records that
it was not taught by. Summaries that miss something, or too few records, lose information, and a log loss shows it: the
bits of `information` are a lower bound on what the record holds. What no summary can cure is a world that none of the
models draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundswell.errors import UsageError

PENALTIES = (2.0, 0.5, 0.2, 0.08, 0.03, 0.01, 0.004)
"""Tried in this order, until the held-out loss rises; of the mean log loss, on standardised features."""

FEW = 12
"""Summaries of which all products are features too; of more, only the squares."""

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Classifier:
    """center, spread : (F,) of the summaries, and scale (G,) of the features. weight : (G, K). level : (K,)."""

    center: np.ndarray
    spread: np.ndarray
    scale: tuple[np.ndarray, np.ndarray]
    weight: np.ndarray
    level: np.ndarray

    def log_probability(self, summaries: np.ndarray) -> np.ndarray:
        """(N, K) log probability of each model given summaries (N, F), the models being equally likely before."""
        from scipy.special import log_softmax

        middle, spread = self.scale
        features = (_features((summaries - self.center) / self.spread) - middle) / spread
        return log_softmax(features @ self.weight + self.level, axis=1)


def taught(summaries: np.ndarray, truth: np.ndarray, penalty: float, start: Classifier | None = None) -> Classifier:
    """From summaries (N, F) of records of known models, truth (N,) in [0, K); every model weighs the same.

    Summaries beyond 4 sd of their middle are drawn in, so that a few wild records do not rule the fit. start : taught
    by the same records with another penalty. Cost: some dozens of products with the (N, G) features.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    center, spread = _standard(summaries)
    features = _features((summaries - center) / spread)
    middle, scale = _standard(features)
    features = (features - middle) / scale
    kinds = int(truth.max()) + 1
    share = 1.0 / np.bincount(truth, minlength=kinds)[truth] / kinds
    hit = np.eye(kinds)[truth]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight = flat.reshape(-1, kinds)
        logs = log_softmax(features @ weight[1:] + weight[0], axis=1)
        value = -float(share @ (logs * hit).sum(axis=1)) + 0.5 * penalty * float((weight[1:] ** 2).sum())
        apart = share[:, None] * (np.exp(logs) - hit)
        slope = np.vstack([apart.sum(axis=0), features.T @ apart + penalty * weight[1:]])
        return value, slope.ravel()

    begin = np.zeros((features.shape[1] + 1, kinds)) if start is None else np.vstack([start.level, start.weight])
    # a loss is not known to a thousandth of a nat from some hundred records; the fit need not be
    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-6})
    weight = found.x.reshape(-1, kinds)
    return Classifier(center, spread, (middle, scale), weight[1:], weight[0])


def held_out(summaries: np.ndarray, truth: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """((N, K) log probabilities of each record by a classifier that has not seen it, the penalty chosen).

    Five folds. UsageError with fewer than ten records of a model: nothing could be learnt or said.
    """
    if (fewest := np.bincount(truth).min()) < 2 * FOLDS:
        raise UsageError(
            f"{fewest} records of a model; a classifier needs {2 * FOLDS} of each, and hundreds to be good."
        )
    fold = np.empty(len(truth), dtype=int)
    for kind in range(int(truth.max()) + 1):  # as many of each model in every fold
        rows = rng.permutation(np.flatnonzero(truth == kind))
        fold[rows] = np.arange(len(rows)) % FOLDS
    best, chosen, lowest = np.empty(0), 0.0, np.inf
    found: list[Classifier | None] = [None] * FOLDS
    for penalty in PENALTIES:
        logs = np.empty((len(truth), int(truth.max()) + 1))
        for k in range(FOLDS):
            found[k] = one = taught(summaries[fold != k], truth[fold != k], penalty, found[k])
            logs[fold == k] = one.log_probability(summaries[fold == k])
        loss = float(losses(logs, truth).mean())
        if loss >= lowest:
            break
        lowest, best, chosen = loss, logs, penalty
    return best, chosen


def losses(logs: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) log loss of each record in nats, weighted so that every model counts the same in their mean."""
    count = np.bincount(truth)
    return -logs[np.arange(len(truth)), truth] * len(truth) / (len(count) * count[truth])


def information(logs: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """(bits, Monte Carlo error): how much a record tells, on average, of which of the K models made it.

    log2 K minus the mean held-out log loss: 0 tells nothing, log2 K (1 bit for two models) tells it surely. A lower
    bound on the mutual information, which a better classifier could raise; noise can put it below 0.
    """
    each = losses(logs, truth) / np.log(2)
    return float(np.log2(logs.shape[1]) - each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))


def reliability(logs: np.ndarray, truth: np.ndarray, bins: int = 10) -> list[dict[str, float]]:
    """Claimed probability against frequency: a row a bin of all N K statements "this model made it".

    claimed : mean probability in the bin. came : share in which the model had made the record. low, high : 95 %
    interval of that share (Wilson 1927, Journal of the American Statistical Association 22, 209-212). count : of
    statements; those of one record are not independent, so that the intervals are a little short.
    """
    claimed = np.exp(logs).ravel()
    came = np.eye(logs.shape[1])[truth].ravel()
    weight = (1.0 / np.bincount(truth)[truth]).repeat(logs.shape[1])
    at = np.minimum((claimed * bins).astype(int), bins - 1)
    rows = []
    for k in range(bins):
        inside = at == k
        if not (count := int(inside.sum())):
            continue
        share = float(weight[inside] @ came[inside] / weight[inside].sum())
        low, high = wilson(share, count)
        rows.append(
            {"claimed": float(weight[inside] @ claimed[inside] / weight[inside].sum()), "came": share, "low": low,
             "high": high, "count": count}
        )  # fmt: skip
    return rows


def wilson(share: float, count: float, z: float = 1.96) -> tuple[float, float]:
    """Interval of a probability that was seen as a share of `count` trials; never beyond 0 and 1."""
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def _features(x: np.ndarray) -> np.ndarray:
    """(N, G) standardised summaries, drawn in at 4 sd, with their squares or all their products."""
    x = 4 * np.tanh(x / 4)
    if x.shape[1] > FEW:
        return np.hstack([x, x**2])
    first, second = np.triu_indices(x.shape[1])
    return np.hstack([x, x[:, first] * x[:, second]])


def _standard(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and spread of each column; what does not vary has an infinite one, and so tells nothing."""
    spread = values.std(axis=0)
    middle = values.mean(axis=0)
    return middle, np.where(spread > 1e-9 * np.maximum(np.abs(middle), 1.0), spread, np.inf)

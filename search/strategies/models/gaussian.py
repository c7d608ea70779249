"""Gaussian processes whose kernel is a sum of terms, each over a matrix of its own.

scikit-learn's regressor takes vectors; distances between architectures come as matrices, several at a time
(by genes, by cost), so the few lines of algebra stand here.

| symbol | shape | meaning                                                                  |
|--------|-------|--------------------------------------------------------------------------|
| y      | n     | what was observed, standardised                                          |
| D_t    | n, n  | what term t is a function of: distances, or inner products               |
| K      | n, n  | sum over the terms of amplitude_t * shape_t(D_t / length_t) + 1           |
| noise  |       | variance of an observation around the function                           |
| theta  |       | logarithms of all amplitudes, lengths and the noise                      |

theta maximises log p(y | theta) + log p(theta): each parameter has a log-normal prior, so that five
observations do not lead it astray.  The constant 1 in K stands for the unknown mean.

Source: Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1 (posterior),
equations 5.8 and 5.9 (marginal likelihood and its gradient), 4.17 (Matern 5/2).  What is added here: the
priors, and the sum over matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = Literal["linear", "matern", "exponential"]

JITTER = 1e-6
_STEPS = 30  # of the optimiser; more hardly change a prediction
_FAR = 20.0  # in the logarithm: no parameter leaves it


@dataclass(frozen=True)
class Prior:
    """Log-normal: `median`, and `spread` as standard deviation of the logarithm."""

    median: float
    spread: float


@dataclass(frozen=True)
class Term:
    """One part of the kernel.

    Attributes:
        shape: "linear" takes inner products; "matern" (5/2) and "exponential" take distances.
        amplitude: prior of its variance, in units of the variance of the observations.
        length: prior of the distance over which it falls off; None for "linear".
    """

    shape: Shape
    amplitude: Prior
    length: Prior | None = None


@dataclass(frozen=True)
class Theta:
    """Parameters of a kernel.

    Attributes:
        amplitudes, lengths: one for each term; the length of a linear term is 1.
        noise: variance.
    """

    amplitudes: tuple[float, ...]
    lengths: tuple[float, ...]
    noise: float


def prior_theta(terms: Sequence[Term], noise: Prior) -> Theta:
    """The medians of the priors: what is used where nothing was fitted."""
    return Theta(
        tuple([term.amplitude.median for term in terms]),
        tuple([term.length.median if term.length else 1.0 for term in terms]),
        noise.median,
    )


def kernel(terms: Sequence[Term], theta: Theta, matrices: Sequence[Array]) -> Array:
    """K between two sets, without noise.

    Args:
        matrices: D_t of each term, all of one shape.
    """
    total: Array = np.ones_like(matrices[0])
    for term, amplitude, length, matrix in zip(terms, theta.amplitudes, theta.lengths, matrices, strict=True):
        total += amplitude * _shape(term.shape, matrix, length)[0]
    return total


def fit(terms: Sequence[Term], noise: Prior, matrices: Sequence[Array], y: Array) -> Theta:
    """The parameters of greatest posterior density.

    Args:
        matrices: (n, n) for each term.
        y: (n,), standardised.
    """
    from scipy.linalg import cho_solve
    from scipy.optimize import minimize

    priors = [term.amplitude for term in terms] + [term.length for term in terms if term.length] + [noise]
    centre = np.log([prior.median for prior in priors])
    spread = np.array([prior.spread for prior in priors])
    identity = np.eye(len(y))

    def loss(point: Array) -> tuple[float, Array]:
        theta = _theta(terms, point)
        total = np.ones_like(matrices[0])
        by_amplitude: list[Array] = []
        by_length: list[Array] = []
        for number, term in enumerate(terms):
            value, slope = _shape(term.shape, matrices[number], theta.lengths[number])
            by_amplitude.append(theta.amplitudes[number] * value)
            if term.length:
                by_length.append(theta.amplitudes[number] * slope)
            total += by_amplitude[-1]
        lower = root(total + theta.noise * identity)
        alpha = cho_solve((lower, True), y)
        inner = np.outer(alpha, alpha) - cho_solve((lower, True), identity)
        slopes = [float(np.sum(inner * matrix)) for matrix in by_amplitude + by_length]
        slopes.append(theta.noise * float(np.trace(inner)))
        away = (point - centre) / spread
        value = 0.5 * y @ alpha + np.log(np.diag(lower)).sum() + 0.5 * away @ away
        return float(value), -0.5 * np.array(slopes) + away / spread

    bounds = [(low - _FAR / 2, low + _FAR / 2) for low in centre]
    done = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
    return _theta(terms, done.x)


class Fitter:
    """Fits, and remembers: parameters are found again only as the number of observations grows by a quarter.

    What is fitted on are the first so many observations, so that parameters follow from what was observed,
    whenever they are asked for.

    Args:
        terms, noise: as `fit`.
        limit: of observations to fit on.
    """

    def __init__(self, terms: Sequence[Term], noise: Prior, limit: int = 150) -> None:
        self.terms, self._noise, self._limit = tuple(terms), noise, limit
        self._known: dict[str, tuple[tuple[object, ...], Theta]] = {}

    def __call__(self, name: str, keys: Sequence[object], matrices: Sequence[Array], values: Array) -> Theta:
        """Parameters for these observations.

        Args:
            name: of what is observed.
            keys: what tells each observation from others, e.g. (architecture, value).
            matrices: (n, n) for each term.
            values: (n,), not standardised.
        """
        size = rungs(min(len(values), self._limit))
        if size < 3:
            return prior_theta(self.terms, self._noise)
        seen = tuple(keys[:size])
        if self._known.get(name, ((), None))[0] != seen:
            centre, scale = standard(values[:size])
            blocks = [matrix[:size, :size] for matrix in matrices]
            self._known[name] = seen, fit(self.terms, self._noise, blocks, (values[:size] - centre) / scale)
        return self._known[name][1]


def rungs(count: int) -> int:
    """The largest of 0, 1, 2, ... 8, 10, 12, 15, ... (a quarter more each) that `count` reaches."""
    size = 0
    while size + max(1, size // 4) <= count:
        size += max(1, size // 4)
    return size


class Posterior:
    """What n observations say of other points.

    Args:
        matrices: (n, n) for each term.
        values: (n,), in any unit.
        theta: for values of mean 0 and deviation 1; they are standardised here.
    """

    def __init__(self, terms: Sequence[Term], theta: Theta, matrices: Sequence[Array], values: Array) -> None:
        from scipy.linalg import cho_solve

        self._terms, self.theta = terms, theta
        self.centre, self.scale = standard(values)
        gram = kernel(terms, theta, matrices)
        gram[np.diag_indices_from(gram)] += theta.noise
        self._lower = root(gram)
        self._alpha = cho_solve((self._lower, True), (values - self.centre) / self.scale)

    def marginals(self, cross: Sequence[Array], own: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation (noise included) at each of N points.

        Args:
            cross: (N, n) for each term: D between the points and what was observed.
            own: (N,): K of each point with itself; see `own_variance`.
        """
        from scipy.linalg import solve_triangular

        between = kernel(self._terms, self.theta, cross)
        reduced = solve_triangular(self._lower, between.T, lower=True, check_finite=False)
        variance = np.maximum(own - np.einsum("ij,ij->j", reduced, reduced), 0.0) + self.theta.noise
        return self.centre + self.scale * (between @ self._alpha), self.scale * np.sqrt(variance)

    def own_variance(self, products: Sequence[Array | None], size: int) -> Array:
        """K of N points with themselves.

        Args:
            products: for each linear term (N,) inner products of the points with themselves; None for others.
        """
        total = np.ones(size)
        for amplitude, product in zip(self.theta.amplitudes, products, strict=True):
            total += amplitude * (1.0 if product is None else product)
        return total

    def sample(self, cross: Sequence[Array], among: Sequence[Array], rng: np.random.Generator) -> Array:
        """One function drawn from the posterior, without noise, at N points.

        Args:
            cross: (N, n) for each term.
            among: (N, N) for each term.
        """
        from scipy.linalg import solve_triangular

        between = kernel(self._terms, self.theta, cross)
        reduced = solve_triangular(self._lower, between.T, lower=True, check_finite=False)
        covariance = kernel(self._terms, self.theta, among) - reduced.T @ reduced
        # By eigenvalues: a covariance of near twins is singular, and rounding makes it slightly indefinite.
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        drawn = vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(len(values)))
        return np.asarray(self.centre + self.scale * (between @ self._alpha + drawn))


def root(gram: Array) -> Array:
    """Lower Cholesky factor.  The exponential of a distance need not be a kernel (an edit distance may break
    a negative eigenvalue off), so as much of the identity is added as it takes."""
    from scipy.linalg import LinAlgError, cholesky

    for jitter in (JITTER, 1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        try:
            return np.asarray(cholesky(gram + jitter * np.eye(len(gram)), lower=True))
        except LinAlgError:
            continue
    # By Gershgorin's theorem, this much makes any matrix positive.
    return np.asarray(cholesky(gram + float(np.abs(gram).sum(axis=1).max()) * np.eye(len(gram)), lower=True))


def standard(values: Array) -> tuple[float, float]:
    """Mean and deviation, the latter never 0."""
    deviation = float(np.std(values))
    return float(np.mean(values)), deviation if deviation > 1e-9 * (1 + abs(float(np.mean(values)))) else 1.0


def _theta(terms: Sequence[Term], point: Array) -> Theta:
    values = np.exp(point)
    lengths = iter(values[len(terms) : -1])
    return Theta(
        tuple(values[: len(terms)].tolist()),
        tuple([float(next(lengths)) if term.length else 1.0 for term in terms]),
        float(values[-1]),
    )


def _shape(shape: Shape, matrix: Array, length: float) -> tuple[Array, Array]:
    """Value, and its derivative by the logarithm of the length."""
    if shape == "linear":
        return matrix, np.zeros(1)
    if shape == "exponential":
        ratio = matrix / length
        value = np.exp(-ratio)
        return value, ratio * value
    ratio = np.sqrt(5.0) / length * matrix
    falling = np.exp(-ratio)
    return (1 + ratio + ratio * ratio / 3) * falling, (1 + ratio) * ratio * ratio / 3 * falling

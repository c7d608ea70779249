"""A small recurrent network that emits decisions one by one, and its gradient, in numpy.

| symbol  | shape            | meaning                                                               |
|---------|------------------|-----------------------------------------------------------------------|
| m       |                  | networks in a batch                                                   |
| t       |                  | decision, from 0 to T - 1; shorter networks are padded                |
| H       |                  | units of each LSTM layer                                              |
| e       | (tokens, H)      | embedding of each token: what goes in after it was emitted            |
| U, u    | (tokens, H), (tokens,) | weights and bias of each token's logit                          |
| W, b    | (2 H, 4 H), (4 H,) | of one LSTM layer: [x, h] W + b = input, forget, output gate, candidate |
| h, c    | (m, H)           | state of one layer                                                    |

A token is a role with a value, e.g. ("b.kernel", 3): it stands for the same in every part of a network.
A softmax over the logits of the offered options gives P(a_t | a_1 ... a_t-1).  Tokens come into being where
they are first seen; their initial weights follow from their name, so the order in which they are met does
not matter.

The loss of a batch, whose negative gradient is the REINFORCE estimate of Zoph and Le 2017, section 3.2 (after
Williams 1992), less `entropy_weight` times the entropy H_t of each softmax:

    L = - 1/m sum_k sum_t ( advantage_k log P(a_t | ...) + entropy_weight H_t )
    dL/dlogit_i = 1/m ( advantage (P_i - [i = a_t]) + entropy_weight P_i (log P_i + H_t) )

The rest is backpropagation through time (Werbos 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from search.space.base import Value

Array = NDArray[np.float64]
SCALE = 0.08  # initial weights are uniform in -SCALE ... SCALE (Zoph and Le 2017, section 4.1)


@dataclass(frozen=True)
class Token:
    """A decision that can be made: role of the gene, and its value."""

    role: str
    value: Value


@dataclass(frozen=True)
class Emitted:
    """One decision of a network: the options that were offered and the index of the one that was taken."""

    options: tuple[Token, ...]
    taken: int


@dataclass
class Memory:
    """State of the LSTM layers between two decisions: h and c of each, shape (layers, H)."""

    h: Array
    c: Array


class Controller:
    """See the module.

    Args:
        units: H.
        layers: of LSTM, one upon the other.
        seed: of the initial weights.

    Attributes:
        weights: name -> what is trained; rows of "embeddings", "logit_weights" and "logit_biases" belong to
            tokens in the order of learning.
    """

    def __init__(self, units: int, layers: int, seed: int) -> None:
        rng = np.random.default_rng((seed, 2))  # 2: not the generator of a proposal or an update
        self._units, self._layers, self._seed = units, layers, seed
        self._rows: dict[Token, int] = {}
        self.weights: dict[str, Array] = {}
        for layer in range(layers):
            self.weights[f"lstm{layer}"] = rng.uniform(-SCALE, SCALE, (2 * units, 4 * units))
            self.weights[f"lstm{layer}_biases"] = np.zeros(4 * units)
        self.weights |= {
            "start": rng.uniform(-SCALE, SCALE, units),
            "embeddings": np.zeros((0, units)),
            "logit_weights": np.zeros((0, units)),
            "logit_biases": np.zeros(0),
        }

    # One network, decision by decision

    def begin(self) -> Memory:
        """The state before the first decision."""
        return Memory(np.zeros((self._layers, self._units)), np.zeros((self._layers, self._units)))

    def probabilities(self, memory: Memory, last: Token | None, options: Sequence[Token]) -> Array:
        """P of each option.

        Args:
            memory: is moved on by one decision.
            last: what was decided before; None at the first decision.

        Returns:
            Shape (options,).
        """
        x = self.weights["start"] if last is None else self._of(last)[0]
        for layer in range(self._layers):
            x, memory.c[layer], _ = self._cell(layer, x, memory.h[layer], memory.c[layer])
            memory.h[layer] = x
        known = [self._of(token) for token in options]
        logits = np.array([float(weights @ x) + bias for _, weights, bias in known])
        shares = np.exp(logits - logits.max())
        return np.asarray(shares / shares.sum())

    # A batch

    def gradients(
        self, batch: Sequence[Sequence[Emitted]], advantages: Array, entropy_weight: float
    ) -> tuple[float, dict[str, Array]]:
        """Loss and its gradient.

        Args:
            batch: the decisions of m networks.
            advantages: by how much each was better than expected; shape (m,).

        Returns:
            The loss, and name -> gradient, shaped as in `weights`.
        """
        for network in batch:
            for emitted in network:
                self._enter(emitted.options)
        rows, offered, taken, active = self._padded(batch)
        gradients = {name: np.zeros_like(value) for name, value in self.weights.items()}
        tapes, outputs, inputs = self._forward(rows, taken, active)
        loss, pulls = self._losses(
            outputs, rows, offered, taken, active, advantages, entropy_weight, gradients
        )
        self._backward(tapes, pulls, inputs, gradients)
        return loss, gradients

    def _forward(
        self, rows: NDArray[np.intp], taken: NDArray[np.intp], active: NDArray[np.bool_]
    ) -> tuple[list[list[_Tape]], Array, NDArray[np.intp]]:
        """Tapes by decision and layer, outputs (T, m, H), and the rows that went in: -1 for the start."""
        steps, m = active.shape
        emitted = np.take_along_axis(rows, taken[..., None], axis=2)[..., 0]
        inputs = np.vstack([np.full((1, m), -1), emitted[:-1]])
        h, c = np.zeros((self._layers, m, self._units)), np.zeros((self._layers, m, self._units))
        tapes: list[list[_Tape]] = []
        outputs = np.zeros((steps, m, self._units))
        for step in range(steps):
            first = (inputs[step] < 0)[:, None]
            x = np.where(first, self.weights["start"], self.weights["embeddings"][inputs[step]])
            tapes.append([])
            for layer in range(self._layers):
                x, c[layer], tape = self._cell(layer, x, h[layer], c[layer])
                h[layer] = x
                tapes[-1].append(tape)
            outputs[step] = x
        return tapes, outputs, inputs

    def _losses(
        self,
        outputs: Array,
        rows: NDArray[np.intp],
        offered: NDArray[np.bool_],
        taken: NDArray[np.intp],
        active: NDArray[np.bool_],
        advantages: Array,
        entropy_weight: float,
        gradients: dict[str, Array],
    ) -> tuple[float, Array]:
        """The loss and its gradient with respect to `outputs`; those of the logits' weights are added up."""
        m = active.shape[1]
        weights, biases = self.weights["logit_weights"][rows], self.weights["logit_biases"][rows]
        logits = np.where(offered, np.einsum("tmkh,tmh->tmk", weights, outputs) + biases, -np.inf)
        logits = logits - logits.max(axis=2, keepdims=True)
        logs = np.where(offered, logits - np.log(np.exp(logits).sum(axis=2, keepdims=True)), 0.0)
        p = np.where(offered, np.exp(logs), 0.0)
        entropy = -(p * logs).sum(axis=2, keepdims=True)
        chosen = np.arange(p.shape[2]) == taken[..., None]
        gain = advantages[None, :, None]
        per_step = (gain * logs * chosen).sum(axis=2) + entropy_weight * entropy[..., 0]
        pull = (gain * (p - chosen) + entropy_weight * p * (logs + entropy)) * active[..., None] / m
        np.add.at(gradients["logit_weights"], rows, pull[..., None] * outputs[:, :, None, :])
        np.add.at(gradients["logit_biases"], rows, pull)
        return -float((per_step * active).sum()) / m, np.einsum("tmk,tmkh->tmh", pull, weights)

    def _backward(
        self,
        tapes: list[list[_Tape]],
        pulls: Array,
        inputs: NDArray[np.intp],
        gradients: dict[str, Array],
    ) -> None:
        m = pulls.shape[1]
        dh, dc = np.zeros((self._layers, m, self._units)), np.zeros((self._layers, m, self._units))
        raws = np.zeros((self._layers, len(tapes), m, 4 * self._units))
        for step in reversed(range(len(tapes))):
            above = pulls[step]
            for layer in reversed(range(self._layers)):
                tape = tapes[step][layer]
                total = dh[layer] + above
                i, f, o, g = tape.gates
                squashed = tape.squashed
                dcell = dc[layer] + total * o * (1 - squashed**2)
                raw = np.concatenate(
                    [
                        dcell * g * i * (1 - i),
                        dcell * tape.before * f * (1 - f),
                        total * squashed * o * (1 - o),
                        dcell * i * (1 - g**2),
                    ],
                    axis=1,
                )
                raws[layer, step] = raw
                back = raw @ self.weights[f"lstm{layer}"].T
                above, dh[layer], dc[layer] = back[:, : self._units], back[:, self._units :], dcell * f
            first = inputs[step] < 0
            gradients["start"] += above[first].sum(axis=0)
            np.add.at(gradients["embeddings"], inputs[step][~first], above[~first])
        for layer in range(self._layers):
            joined = np.concatenate([step[layer].joined for step in tapes])
            gradients[f"lstm{layer}"] = joined.T @ raws[layer].reshape(len(joined), -1)
            gradients[f"lstm{layer}_biases"] = raws[layer].sum(axis=(0, 1))

    # Parts

    def _cell(self, layer: int, x: Array, h: Array, c: Array) -> tuple[Array, Array, _Tape]:
        """One LSTM layer (Hochreiter and Schmidhuber 1997, with a forget gate), for (m, H) or (H,)."""
        joined = np.concatenate([x, h], axis=-1)
        raw = joined @ self.weights[f"lstm{layer}"] + self.weights[f"lstm{layer}_biases"]
        units = self._units
        gates = 1 / (1 + np.exp(-raw[..., : 3 * units]))
        i, f, o = gates[..., :units], gates[..., units : 2 * units], gates[..., 2 * units :]
        g = np.tanh(raw[..., 3 * units :])
        after = f * c + i * g
        squashed = np.tanh(after)
        return o * squashed, after, _Tape(joined, (i, f, o, g), c.copy(), squashed)

    def _padded(
        self, batch: Sequence[Sequence[Emitted]]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp], NDArray[np.bool_]]:
        """Rows of the options (T, m, K), which of them are offered, which is taken (T, m), and whether there
        is a decision (T, m).  What is padded offers one option, so that its softmax is no special case."""
        steps = max(len(network) for network in batch)
        widest = max(len(emitted.options) for network in batch for emitted in network)
        rows = np.zeros((steps, len(batch), widest), dtype=np.intp)
        offered = np.zeros((steps, len(batch), widest), dtype=np.bool_)
        taken = np.zeros((steps, len(batch)), dtype=np.intp)
        active = np.zeros((steps, len(batch)), dtype=np.bool_)
        offered[:, :, 0] = True
        for k, network in enumerate(batch):
            for t, emitted in enumerate(network):
                rows[t, k, : len(emitted.options)] = [self._rows[token] for token in emitted.options]
                offered[t, k, : len(emitted.options)] = True
                taken[t, k], active[t, k] = emitted.taken, True
        return rows, offered, taken, active

    def _of(self, token: Token) -> tuple[Array, Array, float]:
        """Embedding, logit weights and logit bias of a token."""
        row = self._rows.get(token)
        if row is None:
            embedding, weights = self._initial(token)
            return embedding, weights, 0.0
        return (
            self.weights["embeddings"][row],
            self.weights["logit_weights"][row],
            float(self.weights["logit_biases"][row]),
        )

    def _enter(self, tokens: Sequence[Token]) -> None:
        new = [token for token in tokens if token not in self._rows]
        if new:
            made = [self._initial(token) for token in new]
            self._rows |= {token: len(self._rows) + place for place, token in enumerate(new)}
            grown = {
                "embeddings": np.array([embedding for embedding, _ in made]),
                "logit_weights": np.array([weights for _, weights in made]),
                "logit_biases": np.zeros(len(new)),
            }
            for name, rows in grown.items():
                self.weights[name] = np.concatenate([self.weights[name], rows])

    def _initial(self, token: Token) -> tuple[Array, Array]:
        rng = np.random.default_rng((self._seed, crc32(repr(token).encode()), 3))
        both = rng.uniform(-SCALE, SCALE, (2, self._units))
        return both[0], both[1]


@dataclass(frozen=True)
class _Tape:
    """What one layer keeps of one decision for the way back: input [x, h], gates, c before, tanh(c) after."""

    joined: Array
    gates: tuple[Array, Array, Array, Array]
    before: Array
    squashed: Array


class Adam:
    """Kingma and Ba 2015, "Adam", algorithm 1.  Rows that are added to an array later have moments of 0.

    Args:
        learning_rate: alpha of the paper; beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 are its defaults.
    """

    def __init__(self, learning_rate: float) -> None:
        self._rate = learning_rate
        self._steps = 0
        self._moments: dict[str, tuple[Array, Array]] = {}

    def step(self, weights: dict[str, Array], gradients: dict[str, Array]) -> None:
        """Move `weights`, in place, against `gradients`."""
        self._steps += 1
        for name, gradient in gradients.items():
            first, second = [
                _grown(m, gradient) for m in self._moments.get(name, (gradient[:0], gradient[:0]))
            ]
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            self._moments[name] = (first, second)
            unbiased = np.sqrt(second / (1 - 0.999**self._steps))
            weights[name] -= self._rate * first / (1 - 0.9**self._steps) / (unbiased + 1e-8)


def _grown(moment: Array, like: Array) -> Array:
    return np.concatenate([moment, np.zeros((len(like) - len(moment), *like.shape[1:]))])

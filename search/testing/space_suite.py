"""What every space has to do, as pytest tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from search.errors import BadArchitecture
from search.space.base import Architecture, Space
from search.space.cost import INPUT, count, output_shapes


class SpaceSuite:
    """Subclass it, with the fixture `space`; override `samples` where 60 are too many."""

    @pytest.fixture
    def space(self) -> Space:
        raise NotImplementedError("give the space under test")

    @pytest.fixture
    def samples(self, space: Space) -> list[Architecture]:
        rng = np.random.default_rng(7)
        return [space.sample(rng) for _ in range(60)]

    def test_samples_belong_to_the_space(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            assert sample.space == space.name
            assert space.contains(sample)

    def test_samples_follow_from_the_generator(self, space: Space, samples: list[Architecture]) -> None:
        rng = np.random.default_rng(7)
        assert [space.sample(rng) for _ in samples] == samples

    def test_samples_vary(self, samples: list[Architecture]) -> None:
        assert len(set(samples)) > 1

    def test_architectures_survive_storage(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            again = Architecture.from_dict(sample.to_dict())
            assert again == sample
            assert space.layers(again) == space.layers(sample)

    def test_text_is_canonical(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            for variant in (sample.text + " ", " " + sample.text, sample.text.upper()):
                if variant != sample.text:
                    assert not space.contains(Architecture(space.name, variant))

    def test_different_text_is_a_different_network(self, space: Space, samples: list[Architecture]) -> None:
        unique = sorted(set(samples), key=str)
        networks = {(space.layers(s), space.takes(s), space.deployment(s)) for s in unique}
        assert len(networks) == len(unique)

    def test_mutation_leaves_the_parent_and_stays_inside(
        self, space: Space, samples: list[Architecture]
    ) -> None:
        rng = np.random.default_rng(8)
        for parent in samples:
            child = space.mutate(parent, rng)
            assert space.contains(child)
            assert child != parent

    def test_mutation_is_a_small_step(self, space: Space, samples: list[Architecture]) -> None:
        rng = np.random.default_rng(8)
        steps = [space.distance(parent, space.mutate(parent, rng)) for parent in samples]
        pairs = [space.distance(a, b) for a, b in itertools.pairwise(samples)]
        assert np.mean(steps) < np.mean(pairs)

    def test_mutation_follows_from_the_generator(self, space: Space, samples: list[Architecture]) -> None:
        children = [space.mutate(parent, np.random.default_rng(9)) for parent in samples]
        assert children == [space.mutate(parent, np.random.default_rng(9)) for parent in samples]

    def test_crossover_stays_inside(self, space: Space, samples: list[Architecture]) -> None:
        rng = np.random.default_rng(10)
        for a, b in itertools.pairwise(samples):
            assert space.contains(space.crossover(a, b, rng))

    def test_crossover_of_equals_with_equals_can_give_the_parents(
        self, space: Space, samples: list[Architecture]
    ) -> None:
        a, b = samples[0], next(sample for sample in samples if sample != samples[0])
        rng = np.random.default_rng(11)
        children = {space.crossover(a, b, rng) for _ in range(200)}
        assert len(children) > 1

    def test_distance_is_a_metric(self, space: Space, samples: list[Architecture]) -> None:
        for a, b, c in itertools.combinations(samples[:16], 3):
            ab, bc, ac = space.distance(a, b), space.distance(b, c), space.distance(a, c)
            assert (ab == 0) == (a == b)
            assert ab >= 0
            assert ab == pytest.approx(space.distance(b, a))
            assert ac <= ab + bc + 1e-9
        assert all(space.distance(sample, sample) == 0 for sample in samples)

    def test_no_neighbour_is_at_distance_nothing(self, space: Space, samples: list[Architecture]) -> None:
        rng = np.random.default_rng(12)
        for parent in samples:
            children = {space.mutate(parent, rng) for _ in range(8)}
            assert all(space.distance(parent, child) > 0 for child in children)

    def test_an_architecture_is_the_end_of_its_path(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            path = space.path(sample)
            assert space.follow(path) == sample
            assert space.choice(path) is None

    def test_every_path_ends_at_an_architecture_of_the_space(self, space: Space) -> None:
        rng = np.random.default_rng(13)
        for _ in range(20):
            path: tuple[int, ...] = ()
            genes = []
            while (choice := space.choice(path)) is not None:
                assert len(set(choice.options)) == len(choice.options) > 1
                genes.append(choice.gene)
                path = (*path, int(rng.integers(len(choice.options))))
            found = space.follow(path)
            assert space.contains(found)
            assert space.path(found) == path
            assert len(set(genes)) == len(genes)

    def test_a_path_that_is_none_is_refused(self, space: Space, samples: list[Architecture]) -> None:
        path = space.path(samples[0])
        for wrong in ((*path, 0), path[:-1], (*path[:-1], 10_000), (-1,)):
            with pytest.raises(BadArchitecture):
                space.follow(wrong)

    def test_it_says_what_it_takes(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            shape = space.takes(sample)
            assert len(shape) == 3
            assert all(0 < side <= whole for side, whole in zip(shape, space.input_shape, strict=True))

    def test_layers_are_in_order_of_execution(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            known = {INPUT}
            for layer in space.layers(sample):
                assert layer.name not in known
                assert set(layer.inputs) <= known
                known.add(layer.name)

    def test_every_layer_but_the_last_is_read(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            layers = space.layers(sample)
            read = {name for layer in layers for name in layer.inputs}
            assert {layer.name for layer in layers} - read == {layers[-1].name}

    def test_shapes_agree(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            shapes = output_shapes(space.layers(sample), space.takes(sample))
            assert all(min(shape) >= 1 for shape in shapes.values())

    def test_all_networks_give_the_same_kind_of_output(
        self, space: Space, samples: list[Architecture]
    ) -> None:
        outputs = set()
        for sample in samples:
            layers = space.layers(sample)
            outputs.add(output_shapes(layers, space.takes(sample))[layers[-1].name])
        assert len(outputs) == 1

    def test_cost_is_that_of_the_layers(self, space: Space, samples: list[Architecture]) -> None:
        for sample in samples:
            cost = space.cost(sample)
            assert cost == count(space.layers(sample), space.takes(sample))
            assert min(cost.parameters, cost.macs, cost.weight_bytes) > 0
            assert cost.peak_activation_bytes >= np.prod(space.takes(sample))

    @pytest.mark.parametrize("text", ["", "?", "no such network"])
    def test_text_that_is_no_architecture_is_refused(self, space: Space, text: str) -> None:
        stranger = Architecture(space.name, text)
        assert not space.contains(stranger)
        with pytest.raises(BadArchitecture):
            space.layers(stranger)

    def test_architecture_of_another_space_is_refused(
        self, space: Space, samples: list[Architecture]
    ) -> None:
        stranger = Architecture(space.name + "_other", samples[0].text)
        assert not space.contains(stranger)
        with pytest.raises(BadArchitecture, match=space.name):
            space.layers(stranger)

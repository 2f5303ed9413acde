"""A model whose input is a rectangle: from the film to a bundle, and its maps back onto the film."""

import io

import numpy as np

from cxrbench.compare import Settings, bundle
from cxrbench.compare.run import collect, compare
from cxrbench.models import ModelSpec
from cxrbench.models.build import assemble
from cxrbench.preprocess import Preprocessing


def test_maps_of_a_rectangle_are_stored_and_laid_over_the_film(image: np.ndarray) -> None:
    preprocessing = Preprocessing(
        size=(64, 96), mean=0.0, std=1.0, interpolation="area", fit="letterbox"
    )  # the film of 80 × 100 fills 64 × 80 of it
    labels = ("Cardiomegaly", "Edema")
    model = assemble(
        ModelSpec("wide", "efficientnet_b0", labels, preprocessing, (0.5, 0.5), channels=3), seed=3
    )
    settings = Settings(models=("wide",), methods=("grad_cam", "integrated_gradients"), steps=2)
    found = collect(
        compare(image, settings, models={"wide": model}), image=image, settings=settings, source="a" * 64
    )
    buffer = io.BytesIO()
    bundle.save(found, buffer)
    again = bundle.load(buffer.getvalue())
    assert found.heat_maps["wide", "grad_cam"].maps.shape == (2, *model.resolution())
    assert found.heat_maps["wide", "integrated_gradients"].maps.shape == (2, 64, 96)
    for key, heat in found.heat_maps.items():
        assert again.heat_maps[key].preprocessing == preprocessing
        on_film = heat.on_film(heat.maps, (80, 100))
        assert on_film.shape == (2, 80, 100)
        assert np.isfinite(on_film).all()  # all of the film is seen
        np.testing.assert_array_equal(again.heat_maps[key].on_film(heat.maps, (80, 100)), on_film)

"""Evaluation of a classifier on test data."""

import torch

from sandbox.core.rng import Rng
from sandbox.evaluate.confusion import confusion
from sandbox.evaluate.figures import Result, finite
from sandbox.evaluate.generators import reconstruction_error
from sandbox.interfaces.capabilities import HasClassifier, HasReconstruction
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.dataset import DataSet

_BATCH_SIZE = 500


def evaluate_classifier(classifier: Classifier, data: DataSet, rng: Rng, images: int) -> Result:
    """Measure the predictions on a random choice of test images.

    Args:
        classifier: The classifier.
        data: The data set that it was trained on.
        rng: Random streams; the same seed chooses the same test images.
        images: Maximum number of test images.

    Returns:
        A dict of metrics.

        * Always: `images`, the number of test images.
        * For classes: `error`, the fraction of misclassified images, and `error_ci95`.
        * For numbers: `explained`, the mean fraction of their variance that the predictions explain, and for each
          number `explained_I`.
        * HasReconstruction: `reconstruction_error`, the mean squared error per pixel.
    """
    chooser = torch.Generator().manual_seed(rng.integer("evaluate/images"))
    rows = torch.randperm(len(data.test), generator=chooser)[:images]
    test = data.test[rows]
    result: Result = {"images": len(test)}
    predicted = torch.cat([classifier.predict(x).cpu() for x in torch.split(test, _BATCH_SIZE)])
    if data.test_numbers is not None and predicted.shape[1] == data.test_numbers.shape[1]:
        result |= _explained(predicted, data.test_numbers[rows])
    elif data.test_labels is not None and isinstance(classifier, HasClassifier):
        found = confusion(classifier, test, data.test_labels[rows])
        result |= {"error": found.error, "error_ci95": found.error_ci95}
    if isinstance(classifier, HasReconstruction):
        result["reconstruction_error"] = reconstruction_error(classifier, test)
    return finite(result)


def _explained(predicted: torch.Tensor, numbers: torch.Tensor) -> Result:
    """Return 1 - squared error / variance of each number, 0 for one that never changes, and the mean."""
    errors = (predicted - numbers).double().square().mean(0)
    variances = numbers.double().var(0, correction=0)
    shares = torch.where(variances > 0, 1 - errors / variances.clamp(min=1e-12), torch.zeros_like(errors))
    return {"explained": float(shares.mean()), **{f"explained_{i}": float(x) for i, x in enumerate(shares)}}

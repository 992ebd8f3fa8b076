"""Capabilities of generators beyond sampling; a generator names each capability that it has among its base classes.

Image arguments are [B, C, H, W], bytes or floats in [0, 1]; returned images are floats in [0, 1].
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Estimate:
    """Log-likelihoods of images, and the method that estimated them.

    Attributes:
        kind: Name of the method, such as `exact`, `importance` or `ais`.
        nats: log p of each image, or a lower bound of it, [B].
        low: Nats by which the true value (for a bound, that of the bound) may be lower, the same for every image; None
            if the method gives no error bounds.
        high: Nats by which it may be higher; None likewise.
        density: True for densities of real-valued pixels in [0, 1], which cannot be compared with probabilities of
            binary pixels.
    """

    kind: str
    nats: torch.Tensor
    low: float | None = None
    high: float | None = None
    density: bool = False


class HasPreview(ABC):
    """A generator with preview images, which show the progress of training."""

    @abstractmethod
    def preview(self, count: int) -> torch.Tensor:
        """Generate images [count, C, H, W] from latents that are the same at every call."""


class HasDecoder(ABC):
    """A generator that decodes latent codes."""

    @abstractmethod
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Decode latent codes [B, Z] to images [B, C, H, W]."""


class HasLatents(HasDecoder):
    """A generator whose latents have a known prior, so that one can interpolate between samples."""

    @abstractmethod
    def latents(self, count: int) -> torch.Tensor:
        """Draw latents [count, Z] from the prior."""


class HasEncoder(HasDecoder):
    """A generator that encodes images as latent codes."""

    @abstractmethod
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Encode images [B, C, H, W] as latent codes [B, Z]."""


class HasDecodingLayers(HasEncoder):
    """A generator whose backbone is the encoder, and that decodes the backbone's features by sigmoid layers."""

    @abstractmethod
    def decoding_layers(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return the weights [inputs, outputs] and biases of the layers, from the features to the pixels.

        Raises:
            UntrainedError: If a layer has not begun to learn.
        """


class CanStartDecoder(ABC):
    """A generator whose decoder mirrors its backbone, and can start with the weights of a `HasDecodingLayers`."""

    @abstractmethod
    def start_decoder(self, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Copy `decoding_layers` of a generator with the same backbone into the decoder's layers above the code."""


class HasReconstruction(ABC):
    """A generator that reconstructs images from their latents."""

    @abstractmethod
    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstruct images; the result has the same shape."""


class ClassConditional(ABC):
    """A generator that samples images of a given class, or of a category that it has learned without labels."""

    @abstractmethod
    def num_classes(self) -> int:
        """Return the number of classes."""

    @abstractmethod
    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Sample one image of each of the classes `labels` [B] int64; return [B, C, H, W]."""


class HasLabeledDecoder(HasLatents, ClassConditional):
    """A generator that decodes latent codes to images of given classes."""

    @abstractmethod
    def decode_as(self, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Decode latent codes [B, Z] to images [B, C, H, W] of the classes `labels` [B] int64."""


class HasLatentCodes(ClassConditional):
    """A generator with a few learned codes, each in [-1, 1], in addition to the category."""

    @abstractmethod
    def num_codes(self) -> int:
        """Return the number of codes."""

    @abstractmethod
    def steer(self, labels: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Generate images [B, C, H, W] of categories `labels` [B] and codes [B, N], all from the same noise."""


class HasCapsules(ABC):
    """A generator or classifier that describes an image by a vector of D dimensions, the capsule of its class."""

    @abstractmethod
    def perturbed(self, image: torch.Tensor, changes: torch.Tensor) -> torch.Tensor:
        """Reconstruct an image [C, H, W] with each of `changes` [S] added to each dimension, [D, S, C, H, W]."""


class HasClusters(ABC):
    """A generator that clusters images without labels; a cluster corresponds to no class until it is given a name."""

    @abstractmethod
    def cluster(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability of each cluster, [B, K]."""


class HasClassifier(ABC):
    """A generator that has also learned to classify images."""

    @abstractmethod
    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class, [B, K]."""


class HasLikelihood(ABC):
    """A generator that computes or estimates the log-likelihood of images."""

    @abstractmethod
    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Estimate the log-likelihood of images, of any number: the generator splits them into batches itself."""

    def is_density(self) -> bool:
        """Return whether the likelihood is a density of real-valued pixels, so that gray images have one."""
        return False


class HasBound(ABC):
    """A generator with a lower bound of the log-likelihood."""

    @abstractmethod
    def bound(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the evidence lower bound (ELBO) and the KL divergence in it, in nats, [B] each."""


class HasPseudoLikelihood(ABC):
    """A generator that computes the probability of each pixel given all other pixels."""

    @abstractmethod
    def pseudo_log_likelihood(self, images: torch.Tensor) -> torch.Tensor:
        """Return sum_i log p(x_i | all other pixels of x) in nats, [B]."""


class HasFilters(ABC):
    """A generator whose hidden units have one weight for each pixel, or for each pixel of a window."""

    @abstractmethod
    def filters(self, count: int) -> torch.Tensor:
        """Return the weights of at most `count` units, [count, C, H, W] of image or window; they may be negative."""


class HasGibbsChain(ABC):
    """A generator that samples by Gibbs sampling."""

    @abstractmethod
    def gibbs_chain(self, count: int) -> Iterator[torch.Tensor]:
        """Run `count` Gibbs chains from random states; yield images [count, C, H, W] after every sweep, endlessly."""


class HasRecall(ABC):
    """An associative memory: restores corrupted images, and completes images of which only some pixels are known."""

    @abstractmethod
    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, then their state after every step; the last one is the result of `recall`.

        Args:
            images: Corrupted images [B, C, H, W], from which recall starts.
            known: True for the pixels that are right and stay as they are, [B, C, H, W] or [C, H, W]; the others are
                inferred from them. None if any pixel may be wrong.
        """

    def recall(self, images: torch.Tensor, known: torch.Tensor | None = None) -> torch.Tensor:
        """Restore corrupted images, or complete them if some pixels are known; arguments as for `recall_steps`."""
        return deque(self.recall_steps(images, known), maxlen=1).pop()


class HasAssociativeMemory(HasRecall):
    """A generator that stores patterns, and restores them from corrupted images."""

    @abstractmethod
    def stored_patterns(self) -> torch.Tensor:
        """Return the stored images [P, C, H, W]."""


class HasTranslation(ABC):
    """A generator that translates source images to images of another domain."""

    @abstractmethod
    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Translate source images [B, C', H, W] to images [B, C, H, W]."""


class HasBackTranslation(ABC):
    """A generator that has also learned the translation from images to source images."""

    @abstractmethod
    def translate_back(self, images: torch.Tensor) -> torch.Tensor:
        """Translate images [B, C, H, W] to source images [B, C', H, W]."""


class HasCorruption(ABC):
    """A generator that makes its own source images, by removing a part of each image."""

    @abstractmethod
    def corrupt(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return source images for `translate`; `generator` chooses the part of each image that is removed."""

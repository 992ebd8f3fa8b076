"""Walks through a generator's latent space, and the images along them."""

import torch

from sandbox.interfaces.capabilities import (
    ClassConditional,
    HasCapsules,
    HasDecoder,
    HasEncoder,
    HasLatentCodes,
    HasLatents,
)


def evenly_spaced(images: torch.Tensor, count: int) -> torch.Tensor:
    """Return `count` of the images, evenly spaced: neighbors in a data set of frames look alike."""
    return images[torch.linspace(0, len(images) - 1, min(count, len(images))).long()]


def along_latents(
    generator: HasEncoder, images: torch.Tensor, count: int, steps: int, reach: float = 3.0
) -> torch.Tensor:
    """Walk from the images' mean code along one latent at a time, for the `count` latents of the largest variance.

    Args:
        generator: A generator that encodes and decodes.
        images: Images [B, C, H, W] whose codes give each latent's mean and standard deviation.
        count: Number of latents; at most all of them.
        steps: Images per walk.
        reach: Ends of the walks, in standard deviations on either side of the mean.

    Returns:
        Images [latents, steps, C, H, W] in [0, 1].
    """
    codes = generator.encode(images)
    mean = codes.mean(0)
    deviation = codes.std(0, correction=0)
    chosen = deviation.topk(min(count, len(mean))).indices
    directions = torch.diag(deviation)[chosen]
    offsets = torch.linspace(-reach, reach, steps, device=codes.device)
    return _decode(generator, mean + offsets[:, None] * directions[:, None])


def along_dimensions(model: HasCapsules, image: torch.Tensor, count: int, steps: int) -> torch.Tensor:
    """Change each dimension of an image's capsule by -0.25 to 0.25, as Sabour et al. 2017 do.

    Args:
        model: A model with capsules.
        image: The image [C, H, W].
        count: Number of dimensions that are changed; at most all of them.
        steps: Images per walk.

    Returns:
        Images [dimensions, steps, C, H, W] in [0, 1].
    """
    return model.perturbed(image, torch.linspace(-0.25, 0.25, steps))[:count].cpu()


def between_images(generator: HasEncoder, images: torch.Tensor, steps: int) -> torch.Tensor:
    """Walk on a straight line from the code of the first image of each pair to the code of the second.

    Args:
        generator: A generator that encodes and decodes.
        images: Images [2 * pairs, C, H, W]; two consecutive images are a pair.
        steps: Images per walk; the first and the last one are reconstructions.

    Returns:
        Images [pairs, steps, C, H, W] in [0, 1].
    """
    starts = generator.encode(images[0::2])[:, None]
    ends = generator.encode(images[1::2])[:, None]
    fractions = torch.linspace(0, 1, steps, device=starts.device)[:, None]
    return _decode(generator, torch.lerp(starts, ends, fractions))


def between_latents(generator: HasLatents, count: int, steps: int) -> torch.Tensor:
    """Walk `count` times on a great circle from one sample of the prior to another.

    Samples of a normal prior lie close to a sphere, and the middle of a straight line between them would be much
    shorter than any sample. Each walk is decoded at the same row of the batch throughout, so it stays in one class if
    the generator decodes its rows as the classes in turn.

    Returns:
        Images [count, steps, C, H, W] in [0, 1].
    """
    starts, ends = generator.latents(2 * count).chunk(2)
    codes = [slerp(starts, ends, step / (steps - 1)) for step in range(steps)]
    return torch.stack([generator.decode(rows) for rows in codes], 1)


def slerp(starts: torch.Tensor, ends: torch.Tensor, fraction: float) -> torch.Tensor:
    """Interpolate spherically from each row of [B, Z] to the same row of another (Shoemake 1985)."""
    cosines = torch.nn.functional.cosine_similarity(starts, ends, dim=1)
    angles = cosines.clamp(-1, 1).acos()[:, None].clamp(min=1e-4)  # the bound makes parallel rows a straight line
    from_start = ((1 - fraction) * angles).sin()
    from_end = (fraction * angles).sin()
    return (from_start * starts + from_end * ends) / angles.sin()


def per_class(generator: ClassConditional, count: int) -> torch.Tensor:
    """Sample `count` images of each class, [classes, count, C, H, W] in [0, 1]."""
    images = generator.sample_of(torch.arange(generator.num_classes()).repeat_interleave(count))
    return images.view(-1, count, *images.shape[1:])


def along_codes(generator: HasLatentCodes, steps: int, reach: float = 1.0) -> torch.Tensor:
    """Vary one code at a time from -reach to reach in each class, with the other codes at 0 and the same noise.

    Returns:
        Images [codes * classes, steps, C, H, W] in [0, 1]: the first code in all classes, then the second one. Without
        codes, one row for each class.
    """
    classes = torch.arange(generator.num_classes())
    offsets = torch.linspace(-reach, reach, steps)
    number = generator.num_codes()
    directions = torch.eye(number) if number else torch.zeros(1, 0)
    codes = directions[:, None, None] * offsets[:, None]  # [codes, 1, steps, codes]
    codes = codes.expand(-1, len(classes), -1, -1)
    images = generator.steer(classes.repeat(len(directions)).repeat_interleave(steps), codes.flatten(0, 2))
    return images.view(-1, steps, *images.shape[1:])


def _decode(generator: HasDecoder, codes: torch.Tensor) -> torch.Tensor:
    """Decode [walks, steps, Z] to images [walks, steps, C, H, W]."""
    images = generator.decode(codes.flatten(0, 1))
    return images.view(*codes.shape[:2], *images.shape[1:])

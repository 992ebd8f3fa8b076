"""Walks through a generator's codes, and what they look like."""

import torch

from sandbox.interfaces.generator import Coder, Conditional, Imagines, Steers


def spread(images: torch.Tensor, count: int) -> torch.Tensor:
    """`count` of the images, evenly spaced: neighbours in a set of frames look alike."""
    return images[torch.linspace(0, len(images) - 1, min(count, len(images))).long()]


def along_latents(coder: Coder, images: torch.Tensor, count: int, steps: int, reach: float = 3.0) -> torch.Tensor:
    """From the images' mean code along one latent at a time: the `count` that differ most from image to image.

    Args:
        coder: what encodes and decodes.
        images: [B, C, H, W]; their codes' means and standard deviations are the measure.
        count: of latents; at most as many as there are.
        steps: images of a walk.
        reach: where walks begin and end, in standard deviations on either side of the mean.

    Returns:
        [latents, steps, C, H, W] in [0, 1].
    """
    codes = coder.encode(images)
    mean, deviation = codes.mean(0), codes.std(0, correction=0)
    chosen = deviation.topk(min(count, len(mean))).indices
    directions = torch.diag(deviation)[chosen]
    offsets = torch.linspace(-reach, reach, steps, device=codes.device)
    return _decoded(coder, mean + offsets[:, None] * directions[:, None])


def between_images(coder: Coder, images: torch.Tensor, steps: int) -> torch.Tensor:
    """On a straight line from the code of each image of a pair to that of the other.

    Args:
        coder: what encodes and decodes.
        images: [2 * pairs, C, H, W]; a pair is two in a row.
        steps: images of a walk; the first and the last are reconstructions.

    Returns:
        [pairs, steps, C, H, W] in [0, 1].
    """
    starts, ends = (coder.encode(half)[:, None] for half in (images[0::2], images[1::2]))
    return _decoded(coder, torch.lerp(starts, ends, torch.linspace(0, 1, steps, device=starts.device)[:, None]))


def between_latents(imagines: Imagines, count: int, steps: int) -> torch.Tensor:
    """On a great circle from one draw of the prior to another, `count` times, [count, steps, C, H, W] in [0, 1].

    Normal latents lie near a sphere: in the middle of a straight line they would be shorter than any that was drawn. A
    walk stays with its class, where rows of what is decoded are of the classes in turn.
    """
    starts, ends = imagines.latents(2 * count).chunk(2)
    codes = [on_sphere(starts, ends, share / (steps - 1)) for share in range(steps)]
    return torch.stack([imagines.decode(rows) for rows in codes], 1)


def on_sphere(starts: torch.Tensor, ends: torch.Tensor, share: float) -> torch.Tensor:
    """`share` of the way from each of [B, Z] to each of [B, Z] by even steps of the angle (Shoemake 1985)."""
    cosines = torch.nn.functional.cosine_similarity(starts, ends, dim=1)
    angles = cosines.clamp(-1, 1).acos()[:, None].clamp(min=1e-4)  # of parallel ones: a straight line
    from_start, from_end = ((1 - share) * angles).sin(), (share * angles).sin()
    return (from_start * starts + from_end * ends) / angles.sin()


def per_class(conditional: Conditional, count: int) -> torch.Tensor:
    """`count` images of each class, [classes, count, C, H, W] in [0, 1]."""
    images = conditional.sample_of(torch.arange(conditional.num_classes()).repeat_interleave(count))
    return images.view(-1, count, *images.shape[1:])


def along_codes(generator: Steers, steps: int, reach: float = 1.0) -> torch.Tensor:
    """One code after another from -reach to reach, the others 0, in each class: all else stays the same.

    Returns:
        [codes * classes, steps, C, H, W] in [0, 1]: all classes of the first code, then of the next. Without codes, a
        row for each class.
    """
    classes, offsets = torch.arange(generator.num_classes()), torch.linspace(-reach, reach, steps)
    number = generator.num_codes()
    directions = torch.eye(number) if number else torch.zeros(1, 0)
    codes = directions[:, None, None] * offsets[:, None]  # [codes, 1, steps, codes]
    codes = codes.expand(-1, len(classes), -1, -1)
    images = generator.steer(classes.repeat(len(directions)).repeat_interleave(steps), codes.flatten(0, 2))
    return images.view(-1, steps, *images.shape[1:])


def _decoded(coder: Coder, codes: torch.Tensor) -> torch.Tensor:
    """[walks, steps, Z] -> [walks, steps, C, H, W]."""
    pictures = coder.decode(codes.flatten(0, 1))
    return pictures.view(*codes.shape[:2], *pictures.shape[1:])

"""Image processing: edges, pyramids, inpainting and structural similarity.

Papers:
    Edges: Rivest, Soille & Beucher 1993, "Morphological gradients".
    Pyramids: Burt & Adelson 1983, "The Laplacian Pyramid as a Compact Image Code"; here the small images are means of
        2x2 pixels, and pixels in between are interpolated linearly.
    Similarity: Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity".
"""

from collections.abc import Sequence

import torch
from torch.nn import functional as F

MISSING = 0.5  # gray value of missing pixels: no byte / 255 is equal to it
_SSIM_WINDOW, _SSIM_DEVIATION = 11, 1.5  # pixels
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2  # for pixels in [0, 1]

# Shifts


def randomly_shifted(images: torch.Tensor, most: int, generator: torch.Generator) -> torch.Tensor:
    """Shift each image by a random distance of up to `most` pixels along both axes; zeros fill the gap.

    Args:
        images: [B, C, H, W].
        most: Largest distance in pixels.
        generator: Source of the distances.
    """
    count, channels, height, width = images.shape
    padded = F.pad(images, (most, most, most, most))
    starts = torch.randint(2 * most + 1, (2, count, 1), generator=generator, device=images.device)
    rows = starts[0] + torch.arange(height, device=images.device)
    columns = starts[1] + torch.arange(width, device=images.device)
    batch = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[batch, channel, rows[:, None, :, None], columns[:, None, None, :]]


# Edges


def edge_map(images: torch.Tensor, threshold: int) -> torch.Tensor:
    """Return 255 where the brightest and the darkest of 3x3 pixels differ by `threshold` of 255 or more, else 0.

    This morphological gradient is dilation minus erosion, here of the channel that changes most.

    Args:
        images: [N, C, H, W] uint8.
        threshold: Smallest difference that is an edge, 0 to 255.

    Returns:
        [N, 1, H, W] uint8.
    """
    x = images.float()
    gradient = F.max_pool2d(x, 3, 1, 1) + F.max_pool2d(-x, 3, 1, 1)
    return (gradient.amax(1, keepdim=True) >= threshold).to(torch.uint8) * 255


# Pyramids


def pyramid_sizes(shape: Sequence[int], least: int = 4) -> list[tuple[int, int]]:
    """Return height and width of each level for images [C, H, W], halved while no side falls below `least`."""
    sizes = [(shape[-2], shape[-1])]
    while min(sizes[-1]) // 2 >= least:
        sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
    return sizes


def downsample(images: torch.Tensor) -> torch.Tensor:
    """Return images of half the size, by the mean of the pixels: [B, C, H, W] -> [B, C, H // 2, W // 2]."""
    return F.adaptive_avg_pool2d(images, (images.shape[-2] // 2, images.shape[-1] // 2))


def upsample(images: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Return images of height and width `size`, interpolated: [B, C, h, w] -> [B, C, *size]."""
    return F.interpolate(images, size=tuple(size), mode="bilinear", align_corners=False)


# Inpainting


def square_masks(corners: torch.Tensor, side: int, height: int, width: int) -> torch.Tensor:
    """Return masks of squares of `side` pixels with upper left corners [B, 2] (row, column): bool [B, 1, H, W]."""
    rows, columns = torch.arange(height, device=corners.device), torch.arange(width, device=corners.device)
    top, left = corners[:, :1], corners[:, 1:]
    in_rows, in_columns = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    return (in_rows[:, :, None] & in_columns[:, None])[:, None]


def with_hole(images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return floats [B, C, H, W] in which the pixels of `mask`, bool [B, 1, H, W], have the value `MISSING`."""
    return images.masked_fill(mask, MISSING)


def missing_mask(sources: torch.Tensor) -> torch.Tensor:
    """Return where floats [B, C, H, W] have the value `MISSING` in all channels: bool [B, 1, H, W]."""
    return (sources == MISSING).all(1, keepdim=True)


def fill_with_mean(sources: torch.Tensor) -> torch.Tensor:
    """Replace missing pixels by the mean of the image's known pixels, in each channel."""
    known = ~missing_mask(sources)
    mean = (sources * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(known, sources, mean)


def fill_smoothly(sources: torch.Tensor, steps: int = 200) -> torch.Tensor:
    """Replace missing pixels by diffusion from the border: `steps` times by the mean of their four neighbors."""
    known, x = ~missing_mask(sources), fill_with_mean(sources)
    for _ in range(steps):
        around = F.pad(x, (1, 1, 1, 1), mode="replicate")
        neighbors = around[:, :, :-2, 1:-1] + around[:, :, 2:, 1:-1] + around[:, :, 1:-1, :-2] + around[:, :, 1:-1, 2:]
        x = torch.where(known, sources, neighbors / 4)
    return x


# Structural similarity


def structural_similarity(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the SSIM of images [B, C, H, W] in [0, 1] and others: [B] in [-1, 1]; 1 for equal images.

    It is the mean over channels and places of (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2)), with
    means and covariances under a Gaussian window of 11 x 11 pixels (deviation 1.5) entirely within the image. Smaller
    images have the largest odd window that fits, and images of one row or column a window of 1 pixel.
    """
    side = min(_SSIM_WINDOW, (min(x.shape[2:]) - 1) // 2 * 2 + 1)
    places = torch.arange(side, dtype=torch.float64) - side // 2
    line = torch.exp(-places.square() / (2 * _SSIM_DEVIATION**2))
    window = torch.outer(line, line)
    weights = (window / window.sum()).view(1, 1, side, side).expand(x.shape[1], -1, -1, -1)

    def local_mean(values: torch.Tensor) -> torch.Tensor:
        return F.conv2d(values, weights, groups=x.shape[1])

    a, b = x.detach().cpu().double(), y.detach().cpu().double()
    mean_a, mean_b = local_mean(a), local_mean(b)
    variance_a, variance_b = local_mean(a * a) - mean_a.square(), local_mean(b * b) - mean_b.square()
    covariance = local_mean(a * b) - mean_a * mean_b
    numerator = (2 * mean_a * mean_b + _SSIM_C1) * (2 * covariance + _SSIM_C2)
    denominator = (mean_a.square() + mean_b.square() + _SSIM_C1) * (variance_a + variance_b + _SSIM_C2)
    return (numerator / denominator).flatten(1).mean(1)

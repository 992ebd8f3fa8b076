"""Image processing: edges, pyramids, inpainting and structural similarity.

Papers: Burt & Adelson 1983, "The Laplacian Pyramid as a Compact Image Code" (here the small images are means of 2x2
pixels, and pixels in between are interpolated linearly); Wang et al. 2004, "Image Quality Assessment: From Error
Visibility to Structural Similarity".
"""

from collections.abc import Sequence

import torch
from torch.nn import functional as F


def edges(images: torch.Tensor, threshold: int) -> torch.Tensor:
    """[N, C, H, W] uint8 -> [N, 1, H, W] uint8, 255 where the brightest and the darkest of 3x3 pixels lie apart.

    Rivest, Soille & Beucher 1993, "Morphological gradients": dilation minus erosion, here of the channel that changes
    most, and 255 from `threshold` of 255 on.
    """
    x = images.float()
    gradient = F.max_pool2d(x, 3, 1, 1) + F.max_pool2d(-x, 3, 1, 1)
    return (gradient.amax(1, keepdim=True) >= threshold).to(torch.uint8) * 255


def sides_of(shape: Sequence[int], least: int = 4) -> list[tuple[int, int]]:
    """Height and width of each level of images [C, H, W], largest first, halved while none gets less than `least`."""
    sides = [(shape[-2], shape[-1])]
    while min(sides[-1]) // 2 >= least:
        sides.append((sides[-1][0] // 2, sides[-1][1] // 2))
    return sides


def halved(images: torch.Tensor) -> torch.Tensor:
    """[B, C, H, W] -> [B, C, H // 2, W // 2], means of what lies under each pixel."""
    return F.adaptive_avg_pool2d(images, (images.shape[-2] // 2, images.shape[-1] // 2))


def enlarged(images: torch.Tensor, sides: Sequence[int]) -> torch.Tensor:
    """[B, C, h, w] -> [B, C, *sides], interpolated."""
    return F.interpolate(images, size=tuple(sides), mode="bilinear", align_corners=False)


MISSING = 0.5  # a grey that no byte / 255 is, so that what is missing can be told from what is grey


def missing(sources: torch.Tensor) -> torch.Tensor:
    """Where floats [B, C, H, W] have the grey of what is missing in all channels: bool [B, 1, H, W]."""
    return (sources == MISSING).all(1, keepdim=True)


def without(images: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Floats [B, C, H, W] with the grey of what is missing where bool [B, 1, H, W] says."""
    return images.masked_fill(where, MISSING)


def squares(corners: torch.Tensor, side: int, height: int, width: int) -> torch.Tensor:
    """Squares of `side` with upper left corners [B, 2] (row, column): bool [B, 1, height, width]."""
    rows, columns = torch.arange(height, device=corners.device), torch.arange(width, device=corners.device)
    top, left = corners[:, :1], corners[:, 1:]
    down, right = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    return (down[:, :, None] & right[:, None])[:, None]


def surrounding_mean(sources: torch.Tensor) -> torch.Tensor:
    """What is missing becomes its image's mean known pixel, a channel at a time."""
    known = ~missing(sources)
    mean = (sources * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(known, sources, mean)


def blurred(sources: torch.Tensor, steps: int = 200) -> torch.Tensor:
    """What is missing becomes smooth between its borders: so many times the mean of its four neighbours."""
    known, x = ~missing(sources), surrounding_mean(sources)
    for _ in range(steps):
        around = F.pad(x, (1, 1, 1, 1), mode="replicate")
        neighbours = around[:, :, :-2, 1:-1] + around[:, :, 2:, 1:-1] + around[:, :, 1:-1, :-2] + around[:, :, 1:-1, 2:]
        x = torch.where(known, sources, neighbours / 4)
    return x


_WINDOW, _DEVIATION = 11, 1.5  # pixels


_C1, _C2 = 0.01**2, 0.03**2  # for pixels in [0, 1]


def structural_similarity(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """SSIM of Wang et al. 2004, "Image Quality Assessment": [B, C, H, W] in [0, 1] twice -> [B] in [-1, 1], 1 is equal.

    The mean over channels and places of (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2)): means and
    covariances under a Gaussian window of 11 x 11 pixels (deviation 1.5) that lies wholly in the image. Smaller images
    have the largest odd window that fits, and images of one row or column a window of 1 pixel.
    """
    side = min(_WINDOW, (min(x.shape[2:]) - 1) // 2 * 2 + 1)
    places = torch.arange(side, dtype=torch.float64) - side // 2
    line = torch.exp(-places.square() / (2 * _DEVIATION**2))
    window = torch.outer(line, line)
    weights = (window / window.sum()).view(1, 1, side, side).expand(x.shape[1], -1, -1, -1)

    def local(values: torch.Tensor) -> torch.Tensor:
        return F.conv2d(values, weights, groups=x.shape[1])

    a, b = x.detach().cpu().double(), y.detach().cpu().double()
    mean_a, mean_b = local(a), local(b)
    variance_a, variance_b = local(a * a) - mean_a.square(), local(b * b) - mean_b.square()
    covariance = local(a * b) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    most = (mean_a.square() + mean_b.square() + _C1) * (variance_a + variance_b + _C2)
    return (alike / most).flatten(1).mean(1)

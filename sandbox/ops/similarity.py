"""How alike two images are to people, who see structure rather than pixels."""

import torch
from torch.nn import functional as F

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

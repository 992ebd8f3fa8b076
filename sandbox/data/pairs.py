"""Pairs of images of your own: a folder of source images, and a folder of images with the same names."""

from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._content_split import in_test_set
from sandbox.data._image_files import read_images
from sandbox.data._image_folder import image_files
from sandbox.data._roots import Root, existing
from sandbox.data._square_images import Color, Size, White, note_if_dark, to_bytes
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

_MAX_NAMED = 5  # files that a message names


class PairsConfig(DataConfig):
    """Options of pairs of images in two folders; a model learns to translate a source image into its image."""

    name: Literal["pairs"] = "pairs"
    root: Root = Field(description="folder that has the folders `sources` and `images`")
    sources: str = Field("sources", description="name of the folder of source images in `root`")
    images: str = Field("images", description="name of the folder of images in `root`, named like their sources")
    size: Size = 32
    color: Color = "rgb"
    source_color: Color = "rgb"
    test_fraction: float = Field(
        0.1,
        gt=0.0,
        lt=1.0,
        description="share of the pairs in the test set, chosen by the content of the source images: pairs that are "
        "added move no others",
    )
    white: White = None

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [N, 1 or 3, size, size] and source images of the same size.

        Raises:
            UserError: For a folder that is missing, for images without a partner, for fewer than two pairs, and for
                files that cannot be read, which are named.
        """
        root = existing(self.root)
        pairs = _pairs(root, self.sources, self.images)
        read_sources = read_images([source for source, _ in pairs], self.size, self.source_color, self.white)
        read_targets = read_images([image for _, image in pairs], self.size, self.color, self.white)
        sources = torch.from_numpy(to_bytes([image.square for image in read_sources], self.white))
        images = torch.from_numpy(to_bytes([image.square for image in read_targets], self.white))
        note_if_dark(int(sources.max()), root / self.sources)
        note_if_dark(int(images.max()), root / self.images)
        digests = [image.digest for image in read_sources]
        test = torch.from_numpy(in_test_set(digests, self.test_fraction, rng.integer("pairs/split")))
        return DataSet(images[~test], images[test], train_sources=sources[~test], test_sources=sources[test])


def _pairs(root: Path, sources: str, images: str) -> list[tuple[Path, Path]]:
    """Return the files with the same name, without their endings, in both folders, in alphabetical order.

    Raises:
        UserError: If a folder is missing, a file has no partner or several, or there are fewer than two pairs.
    """
    files = []
    for option, name in (("sources", sources), ("images", images)):
        folder = root / name
        if not folder.is_dir():
            raise UserError(
                f"data.root={root} has no folder {name} (looked in {Path.cwd()}). Set data.root to the folder that "
                f"has it, or data.{option} to the name of the folder of {'source images' if name == sources else name}."
            )
        found: dict[Path, Path] = {}
        for file in image_files(folder):
            stem = file.relative_to(folder).with_suffix("")
            if stem in found:
                raise UserError(f"{found[stem]} and {file} have one name, so their partner is not clear: remove one.")
            found[stem] = file
        files.append(found)
    left, right = files
    if lonely := [str((left | right)[stem]) for stem in sorted(left.keys() ^ right.keys())]:
        more = f" and {len(lonely) - _MAX_NAMED} more" if len(lonely) > _MAX_NAMED else ""
        raise UserError(
            f"data.root={root} has images without a partner of the same name: {', '.join(lonely[:_MAX_NAMED])}{more}. "
            f"Each image in {images} needs a source image in {sources}; add or remove some."
        )
    if len(left) < 2:
        raise UserError(
            f"data.root={root} has {len(left)} pairs of images; at least 2 are needed, one of them to test."
        )
    return [(left[stem], right[stem]) for stem in sorted(left)]

"""A folder of images of any format and size; its subfolders, if there are any, are the classes."""

from typing import Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, own_images
from sandbox.data._content_split import in_test_set
from sandbox.data._image_files import read_images
from sandbox.data._image_folder import folder_images
from sandbox.data._labels import classes_of
from sandbox.data._roots import Root, existing
from sandbox.data._square_images import Color, Size, White, to_bytes
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class ImagesConfig(DataConfig):
    """Options of a folder of images."""

    name: Literal["images"] = "images"
    root: Root = Field(description="folder with the images, or with a subfolder of images for each class")
    size: Size = 32
    color: Color = "rgb"
    test_fraction: float = Field(
        0.1,
        gt=0.0,
        lt=1.0,
        description="share of the images in the test set, chosen by their content: images that are added move no "
        "others; without effect if `root` has folders train and test",
    )
    white: White = None
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [N, 1 or 3, size, size]; classes are the subfolders in alphabetical order.

        Raises:
            UserError: For a folder that is missing or has fewer than two images, for images next to subfolders with
                images, and for files that cannot be read, which are named.
        """
        root = existing(self.root)
        files = folder_images(root)
        read = read_images([file.path for file in files], self.size, self.color, self.white)
        pixels = torch.from_numpy(to_bytes([image.square for image in read], self.white))
        if files[0].side is None:
            is_test = in_test_set([image.digest for image in read], self.test_fraction, rng.integer("images/split"))
        else:
            is_test = np.array([file.side == "test" for file in files])
        train, test = (~is_test).nonzero()[0], is_test.nonzero()[0]
        generator = rng.torch("images/binarize", torch.device("cpu"))
        data = own_images(pixels[train], pixels[test], self.binarize, self.threshold, generator, root)
        if files[0].label is None:
            return data
        names = [file.label or "" for file in files]
        return data.labeled(*classes_of([names[i] for i in train], [names[i] for i in test], f"data.root={root}"))

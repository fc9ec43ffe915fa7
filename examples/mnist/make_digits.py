"""Writes the four .gz files beside it: the 1,797 digits that come with scikit-learn, in the form in which MNIST is handed out.

    python make_digits.py

An image has 8 × 8 pixels of 0 to 16. Each becomes a square of 3 × 3 pixels of 0 to 255, with a margin of 2 around them all: 28 × 28, as
MNIST has them. The first 1,500 are for training, the others for the test. The files hold no times: running this again writes the same.
"""
import gzip
import pathlib

import numpy
from sklearn.datasets import load_digits

FOLDER = pathlib.Path(__file__).resolve().parent
TRAINING = 1500
BYTES = 8  # the code of IDX for elements that are bytes


def enlarged(images):
    squares = images.repeat(3, axis=1).repeat(3, axis=2)
    bright = numpy.minimum(squares * 16, 255).astype(numpy.uint8)
    return numpy.pad(bright, ((0, 0), (2, 2), (2, 2)))


def write_idx(name, array):
    """Magic number, then the sizes, four bytes each and the highest first, then the elements."""
    head = numpy.array([BYTES << 8 | array.ndim, *array.shape], ">u4")
    (FOLDER / name).write_bytes(gzip.compress(head.tobytes() + array.astype(numpy.uint8).tobytes(), mtime=0))


def main():
    digits = load_digits()
    images = enlarged(digits.images)
    for part, rows in (("train", slice(TRAINING)), ("t10k", slice(TRAINING, None))):
        write_idx(f"{part}-images-idx3-ubyte.gz", images[rows])
        write_idx(f"{part}-labels-idx1-ubyte.gz", digits.target[rows])


main()

"""Steps mnist_train and mnist_test: images and labels from two files in the form of MNIST (IDX, compressed with gzip).

In scope: images and labels, the two files, open.
"""
import gzip

import numpy


def read_idx(file):
    """The fourth byte says how many dimensions there are; their sizes follow, four bytes each and the highest first, then the elements."""
    content = gzip.decompress(file.read())
    start = 4 + 4 * content[3]
    return numpy.frombuffer(content, numpy.uint8, offset=start).reshape(numpy.frombuffer(content[4:start], ">u4"))


response = {"images": read_idx(images).astype(numpy.float32) / 255, "labels": read_idx(labels)}

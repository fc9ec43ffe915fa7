"""Step imdb_clean: reviews without markup and punctuation, in small letters, their emoticons at the end.

In scope: texts and labels, two columns as pandas Series.
"""
import re

import pandas

TAG = re.compile(r"<[^>]*>")
EMOTICON = re.compile(r"[:;=]-?[()DP]")
NO_WORD = re.compile(r"[^\w]+")


def clean(text):
    text = TAG.sub(" ", text)
    emoticons = [each.replace("-", "") for each in EMOTICON.findall(text)]
    return " ".join([NO_WORD.sub(" ", text).lower().strip(), *emoticons])


response = pandas.DataFrame({"text": texts.map(clean), "label": labels.astype(int)})

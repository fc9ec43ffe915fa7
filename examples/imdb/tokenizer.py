"""Step imdb_tokenizer: a function that gives the words of a text, each reduced to its stem by Porter's rules.

A function is a result like any other. The vectorizer of the next step holds it, wherever that one goes.
"""
from nltk.stem import PorterStemmer

stemmer = PorterStemmer()


def stems(text):
    return [stemmer.stem(word) for word in text.split()]


response = stems

"""Step mnist_history: loss and accuracy of each epoch, as a table.

In scope: model, trained.
"""
import pandas

response = pandas.DataFrame(model.history.history)

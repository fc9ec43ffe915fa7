"""The names of the client of 2021 (`learning-orchestra-client` 2.2.3), on the client of today."""

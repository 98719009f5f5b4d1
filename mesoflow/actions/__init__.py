"""The catalogue: what a step can do, one family a file, each a pure generator of effects."""

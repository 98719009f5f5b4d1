"""One family of rails a file: a rail is a pure function from order and facts to a verdict line."""

"""Effects, programs and the interpreter: without I/O, a function of its inputs in their order."""

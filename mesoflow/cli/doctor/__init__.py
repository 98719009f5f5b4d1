"""`mesoflow doctor`: what a hub answers, against what we believe of it. It reads; it changes and trades nothing."""

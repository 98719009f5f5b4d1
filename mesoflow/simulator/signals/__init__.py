"""Signals: what a definition says about when to enter, adjust and leave, evaluated at one moment. Nothing is executed."""

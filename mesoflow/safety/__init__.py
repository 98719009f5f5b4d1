"""What must not happen: limits, rails and verdicts; pure."""

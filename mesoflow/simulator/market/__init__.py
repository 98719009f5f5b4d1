"""The market: what every instrument costs at any simulated time, as a function of the seed and that time."""

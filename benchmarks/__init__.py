"""What things cost: medians and ratios against something measured in the same run. Never timed tests."""

"""Values and arithmetic of the trade: orders, quotes, ticks, combos, amounts, moments, sessions."""

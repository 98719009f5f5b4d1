"""The hubs by hand: what people may ask of a hub from the shell, and how its answers are shown. Nothing here can trade."""

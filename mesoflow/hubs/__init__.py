"""The wire: contract, models, encodings, transport, connection, and the three hubs."""

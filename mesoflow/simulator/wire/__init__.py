"""The simulator's SignalR endpoint: one port for negotiation, websockets and the clock; knows nothing of markets."""

"""mesoflow: declarative options-trading playbooks, run step by step against MesoLive's three SignalR hubs."""

"""A MesoLive to practise on: hub server, world, market, broker, faults. It knows nothing of runs."""

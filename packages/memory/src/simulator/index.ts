// The network simulator.

"""The Python face of the kernels: fit, sweep, minimize, replay; and the recording of curves."""

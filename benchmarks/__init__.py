"""Benchmarks of speed, memory and convergence quality, run by asv (``make asv``).

asv imports this file before any benchmark, hence before NumPy and Numba read these settings: one thread, so that a
number depends on the code and not on what else the machine is doing.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

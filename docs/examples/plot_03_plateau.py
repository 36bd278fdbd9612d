"""
The plateau follows the rate
============================

At a constant rate single steps circle the minimum. A tenth of the rate lowers the plateau about tenfold; it is reached about ten
times later.
"""

import matplotlib.pyplot as plt

import gdbench as gd

problem = gd.load_problem("regression")
sweep = gd.sweep(problem, learning_rates=[1e-2, 1e-3, 1e-4], variant="stochastic", epochs=50, record=100)
for rate, fit in zip(sweep.learning_rates, sweep.fits, strict=True):
    plt.loglog(fit.curve["samples"] + 1, fit.curve["objective"] - problem.optimum.value, label=f"{rate:g}")
plt.xlabel("samples + 1")
plt.ylabel("gap")
plt.legend(title="learning rate")
plt.show()

"""
Too low, right, too high
========================

A grid of learning rates takes one pass over the data; a rate that diverges is a result, not an error.
"""

import matplotlib.pyplot as plt

import gdbench as gd

problem = gd.load_problem("diabetes")
sweep = gd.sweep(problem, learning_rates=[1e-4, 1e-3, 1e-2, 1e-1, 1.0], variant="batch", epochs=100)

for rate, fit in zip(sweep.learning_rates, sweep.fits, strict=True):
    plt.loglog(fit.curve["epoch"] + 1, fit.curve["objective"] - problem.optimum.value, label=f"{rate:g}: {fit.status}")
plt.xlabel("epochs + 1")
plt.ylabel("gap")
plt.ylim(1e-6, 10)
plt.legend(title="learning rate")
plt.show()

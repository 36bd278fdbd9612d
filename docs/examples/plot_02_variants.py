"""
Batch, stochastic, mini-batch
=============================

An epoch is one step of batch descent and as many steps as rows of stochastic descent, which leads early and then circles.
"""

import matplotlib.pyplot as plt

import gdbench as gd

problem = gd.load_problem("diabetes")
for variant, rate in {"batch": 0.3, "mini-batch": 0.05, "stochastic": 0.005}.items():
    fit = gd.fit(problem, variant=variant, learning_rate=rate, epochs=200, record=80)
    gap = fit.curve["objective"] - problem.optimum.value
    plt.loglog(fit.curve["samples"] + 1, gap / gap[0], label=variant)
plt.xlabel("samples + 1")
plt.ylabel("relative gap")
plt.legend()
plt.show()

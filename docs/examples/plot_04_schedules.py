"""
Schedules
=========

A rate that falls removes the plateau. Left the schedules, right what they do to a stochastic descent.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

problem = gd.load_problem("diabetes")
schedules = {
    "constant": gd.schedules.Constant(0.01),
    "invscaling": gd.schedules.InvScaling(0.05, power_t=0.5),
    "step": gd.schedules.Step(0.01),
    "cosine": gd.schedules.Cosine(0.01),
}
_, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for name, schedule in schedules.items():
    fit = gd.fit(problem, variant="stochastic", learning_rate=schedule, epochs=100, record=100)
    right.loglog(fit.curve["epoch"] + 1e-2, fit.curve["objective"] - problem.optimum.value, label=name)
    # the walk on f(x) = x is the sum of the rates
    walk = gd.replay("gd", [0.0], np.ones((1000, 1)), schedule).ravel()
    left.plot(-np.diff(walk), label=name)
left.set(xlabel="step", ylabel="learning rate", yscale="log")
right.set(xlabel="epochs", ylabel="gap")
right.legend()
plt.show()

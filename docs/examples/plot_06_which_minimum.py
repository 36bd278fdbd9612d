"""
Which minimum
=============

Where descent on Himmelblau's function ends depends on where it starts; `path.reached` names it.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

x, y = np.meshgrid(np.linspace(-5, 5, 200), np.linspace(-5, 5, 200))
plt.contour(x, y, (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, levels=np.geomspace(1, 900, 14), colors="0.8")
for start in [(0.0, 0.0), (-4.0, 0.5), (-1.0, -4.5), (4.5, -0.5), (0.0, 4.5)]:
    path = gd.minimize("himmelblau", start, "gd", learning_rate=0.005, steps=500)
    plt.plot(*path.x.T, ".-", label=path.reached)
plt.legend(fontsize="small")
plt.show()

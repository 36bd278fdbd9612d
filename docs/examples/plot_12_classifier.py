"""
Handwritten digits, instead of SGDClassifier
============================================

GDClassifier takes the parameters of SGDClassifier, and every optimizer besides.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gdbench as gd

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
for rule, rate in {"gd": 0.5, "momentum": 0.05, "adam": 0.02}.items():
    model = gd.GDClassifier(
        "log_loss", optimizer=rule, eta0=rate, learning_rate="constant", batch_size=32, max_iter=30, tol=None, random_state=0
    )
    model.fit(X_train, y_train)
    plt.plot(np.arange(1, 31), model.loss_curve_, label=f"{rule}: {model.score(X_test, y_test):.3f} right")
plt.xlabel("epoch")
plt.ylabel("training loss")
plt.legend()
plt.show()

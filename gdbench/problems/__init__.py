"""Problems: from a catalog entry or a file to data, objective and certified optimum."""

from gdbench.problems.problem import Problem, load_problem

__all__ = ["Problem", "load_problem"]

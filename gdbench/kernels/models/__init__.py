"""Models: from a row to its margins, and from the losses' derivatives back to the weights. One file each.

Weights are (K, P): K outputs (one; or classes; or the lanes of a sweep; or lanes × classes) with P parameters each, the
penalised ones first. The methods that the loops call:

``group()``
    How many outputs belong to one model.
``side_by_side()``
    Whether neighbours in memory are outputs, not parameters (False by default).
``margins(data, i, w, z)``
    The margins of row i: a scalar, or the array z, filled.
``margins_and_prefetch(task, visited, r, w, z)``
    The same of row visited[r]; what the plan of the data says for that place is prefetched meanwhile, or before by default.
``stride(task, w, at, c, factor, eta, z, keep)``
    A step of plain descent at the rates factor·eta with row at[0], whose losses' derivatives are c, and in the same pass the
    margins of row at[1], as ``margins`` returns them; row at[2] is prefetched. At a factor of 0 no weight moves. For dense rows.
    The arrays c and keep, of shape (K,), are overwritten.
``derive(loss, z, y, c)``
    The losses' derivatives with respect to them: a scalar, or the array c, filled.
``gather(z)``
    The margins as ``margins`` would return them, from the array z.
``pick(c, k)``
    Output k's derivative.
``array_end(w, begin)``
    Where the array of weights that begins at a parameter ends: a linear model is one array.
``outputs(w)``, ``penalised(w)``, ``parameters(w)``
    K; how many parameters the penalty applies to; how many are learnt.
``accumulate(task, visited, first, end, w, g, z, c, losses)``
    Add the gradients of the losses of the rows visited[first:end] to g, which is zero on entry, and count the losses if they are
    ``Counted``; what the plan of the data says is prefetched meanwhile.
``curvatures(task, i, w, z, out)``
    Write the second derivatives of row i's loss to out[i] (a softmax: its probabilities).
"""

from gdbench.kernels.compile.tags import operation
from gdbench.kernels.task import prefetch_rows

margins = operation("margins")


def _one_then_the_other(model, task, visited, r, w, z):
    prefetch_rows(task.data, task.target, task.weighting, visited, r)
    return margins(model, task.data, visited[r], w, z)


margins_and_prefetch = operation("margins_and_prefetch", _one_then_the_other)
stride = operation("stride")
derive = operation("derive")
pick = operation("pick")
gather = operation("gather")
outputs = operation("outputs")
penalised = operation("penalised")
parameters = operation("parameters")
accumulate = operation("accumulate")


def _one_array(model, w, begin):
    return parameters(model, w)


array_end = operation("array_end", _one_array)


def _a_number_an_output(model, w, rows):
    return w.shape[0]


#: The length of the scratch array z for that many rows at a time.
scratch = operation("scratch", _a_number_an_output)
curvatures = operation("curvatures")
classes = operation("group")


def _one_after_the_other(model):
    return False


#: Whether neighbours in memory are outputs, not parameters: the loops then go through the outputs innermost.
side_by_side = operation("side_by_side", _one_after_the_other)

"""From a user's words and arrays, checked once and early, to a task for the kernels."""

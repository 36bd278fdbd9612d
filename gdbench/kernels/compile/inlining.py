"""How a body that is only ever inlined is compiled: as far as the form in which it is inlined, and no further.

Numba optimises each function that a kernel calls and turns it into machine code, for itself, before the kernel is. For a
function that is inlined wherever it is called nobody runs that code, and the kernel that holds it is optimised once more.
Function by function it is still tidied up: without that, small batches over 100 columns ran a third slower.

All of this rests on private names of Numba. Kernels work without it, and take longer to compile: what is missing at import
is left out by ``jit.py``, and ``GDBENCH_PLAIN_NUMBA=1`` leaves it out where it fails later. What would break it:

- ``JITCodeLibrary._optimize_final_module`` and ``_finalize_final_module``, the two steps that are left out, and
  ``_finalize_dynamic_globals`` and ``_finalized``, of which the second consists but for the machine code. Under other names the
  steps are taken again: slower, and right.
- ``NativeLowering.run_pass``, that it uses a library found in the state, and that ``no_compile`` in the flags ends it before the
  code is made callable: otherwise the compiler reports an unfinished library.
- ``state.targetctx.insert_user_function``, ``state["cr"].fndesc`` and ``_replace``, which tell callers where the body is, and
  ``library.enable_object_caching``, without which a kernel that holds the body cannot be stored.
- ``DefaultPassBuilder.define_nopython_pipeline`` and its list ``passes`` of pairs, in which the last step is replaced; with
  another way of lowering nothing is replaced, and the body is compiled as usual.
"""

from __future__ import annotations

import re
from typing import Any

import llvmlite.binding as llvm
from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

#: What reads a part of an array or a tuple, in Numba's own code.
INDEXING = ("getitem", "static_getitem", "typed_getitem")

#: A line that counts a reference to an array; as a call of no value, it may be left out.
COUNTING = re.compile(r"^ *(?:tail )?call void @\"?NRT_(?:in|de)cref\"?\(.*\)\n", re.MULTILINE)


def lends(signature: Any) -> bool:
    """Whether indexing gives a view, or what a tuple holds, and not a copy."""
    index = signature.args[1:] or (types.intp,)
    parts = index[0].types if isinstance(index[0], types.BaseTuple) else index[:1]
    return all(isinstance(part, types.Integer | types.SliceType | types.EllipsisType) for part in parts)


def borrows(state: Any) -> bool:
    """Whether a function returns no array, makes none, and gets none from the functions that it calls."""
    manager = state.targetctx.data_model_manager

    def counts(kind: Any) -> bool:
        return kind is not None and manager[kind].contains_nrt_meminfo()

    def owns(node: Any, signature: Any) -> bool:
        return counts(signature.return_type) and not (getattr(node, "op", "") in INDEXING and lends(signature))

    return not counts(state.return_type) and not any(owns(*pair) for pair in state.calltypes.items() if pair[1] is not None)


class Body(JITCodeLibrary):
    """Code to link into a caller's: tidied up function by function, but not optimised as a whole nor made machine code of."""

    #: Whether nothing in the code outlives it but what its caller holds: references then need not be counted.
    is_borrower = False

    def add_ir_module(self, ir_module: Any) -> None:
        text = str(ir_module)
        if self.is_borrower:
            text = COUNTING.sub("", text)
        self.add_llvm_module(llvm.parse_assembly(text))

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class BodyLowering(NativeLowering):
    """Numba's last step but for what would follow in it."""

    _name = "body_lowering"

    def run_pass(self, state: Any) -> bool:
        state["library"] = library = Body(state.targetctx.codegen(), state.func_id.func_qualname)
        library.is_borrower = borrows(state)
        library.enable_object_caching()
        state.flags.no_compile = True
        super().run_pass(state)
        library.finalize()
        # What callers know the function by: Numba asks for a built-in one, each its own, and calls none of them.
        known_by = [library].append
        state.targetctx.insert_user_function(known_by, state["cr"].fndesc, [library])
        state["cr"] = state["cr"]._replace(cfunc=known_by)
        return True


class Inlined(CompilerBase):
    """Numba's compiler with that last step: the ``pipeline_class`` of every body that is inlined."""

    def define_pipelines(self) -> list:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(BodyLowering if kind is NativeLowering else kind, why) for kind, why in passes.passes]
        passes.finalize()
        return [passes]

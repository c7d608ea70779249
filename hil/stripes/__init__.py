"""Patch-based execution: the first, memory-bound operators of a network run stripe by stripe.

    plans = all_plans(read("model.tflite"), Target.of(board))     arena against work, before anything is built
    plan = fit(read("model.tflite"), target, 24 * 1024)           the least work whose arena fits
    program = compile_plan(plan, target)

The idea is that of MCUNetV2 (Lin et al. 2021, "MCUNetV2: Memory-Efficient Patch-based Inference for Tiny Deep
Learning", section 3.1): where the first maps are what makes the arena large, compute the last of them a part
at a time, so that of those before it only a part exists.  Neighbouring parts need some of the same inputs and
compute them anew: RAM is paid for with time.  Patches are stripes of rows here, because the rows of a tensor
lie one after the other: to cut and to join costs nothing.
"""

from hil.stripes.cut import cut
from hil.stripes.plans import StripePlan, all_plans, compile_plan, fit
from hil.stripes.stage import Stage, stages

__all__ = ["Stage", "StripePlan", "all_plans", "compile_plan", "cut", "fit", "stages"]

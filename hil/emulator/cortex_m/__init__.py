"""What every ARMv7-M core has beside its instructions.

Exceptions, NVIC, system control space, cycle counter.
"""

"""A board that fails on purpose: the emulator behind a pseudo-terminal, in a process of its own, with faults.

    with VirtualBoard(load_board("nrf52840_dk")) as virtual:
        virtual.plan(FaultPlan(seed=1, rate=0.05))  # from now on 5 % of all operations go wrong
        device = virtual.device()                   # handled like any board on USB
        ...
        print(virtual.tally().faults)

    host -> port -> requests, damaged -> chip -> replies, damaged -> port -> host

What each fault looks like from the host, and what the host does about it: docs/faults.md.
"""

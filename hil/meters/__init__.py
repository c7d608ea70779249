"""Energy meters: what stands between the supply and the board, and how its samples become microjoules.

docs/energy.md tells how each is wired; docs/add-a-meter.md how another one is added.
"""

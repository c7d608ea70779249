"""What strategies that learn a model of the trials share.

gaussian: Gaussian processes over kernels that are sums of terms.  records: what was told, metric by metric.
describe: architectures as numbers.  candidates: what may be proposed.  improvement: what a candidate adds to
the hypervolume.
"""

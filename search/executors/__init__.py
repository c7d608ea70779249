"""Executors: where the parts of a trial are done.

`InProcess` does one after the other in this process, `WorkerPool` many at once in processes of their own.
The study hands jobs in and takes them back in the same way from both.
"""

from search.executors.base import Done, Executor, Job
from search.executors.in_process import InProcess
from search.executors.pool import WorkerPool

__all__ = ["Done", "Executor", "InProcess", "Job", "WorkerPool"]

"""One thread per test process: small tensors on shared cores wait for each other otherwise."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

"""One file per family of kernels; hil/codegen/registry.py lists them."""

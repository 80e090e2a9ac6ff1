"""What is measured on a GPU: `benchmarks/on_gpu.sh` runs the parts one after the other."""

"""What makes a training on a CUDA device fast."""

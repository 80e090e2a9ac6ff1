"""What makes a training on a CPU fast."""

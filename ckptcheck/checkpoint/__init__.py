"""Which checkpoint a restore would load, what it holds, whether it is whole. No TensorFlow."""

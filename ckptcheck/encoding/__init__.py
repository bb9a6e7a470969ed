"""How TensorFlow encodes what it writes: protobuf's two formats and the dtypes. No TensorFlow."""

"""Decodes protobuf's binary and text formats and TensorFlow's dtypes, without TensorFlow."""

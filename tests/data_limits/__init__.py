"""Models whose run after a restore raises only for some data, and runs of the real Estimator."""

"""Models whose run after a restore raises with some data only, and the real Estimator on them."""

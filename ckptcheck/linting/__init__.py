"""The command ``lint``: rules on the syntax trees of Estimator code. Imports none of it."""

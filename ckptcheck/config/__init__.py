"""The configuration of a project: ``[tool.ckptcheck]`` in pyproject.toml, or ckptcheck.toml."""

"""Rules about model_dirs: code that is right or may be right, and similar code that is not."""

from typing import List

import pytest

from .linted import rules


# --- temporary-model-dir ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["RunConfig()", "c.replace(tf_random_seed=1)"], True),
        (["RunConfig()", "c.replace(tf_random_seed=1)", "c.replace(log_step_count_steps=1)"], True),
        (["RunConfig(None)"], True),
        (["RunConfig('runs/a')", "c.replace(tf_random_seed=1)"], False),
        (["RunConfig(folder)"], False),
        (["RunConfig()", "c.replace(model_dir='runs/a')"], False),
        (["RunConfig()", "c.replace(**options)"], False),
        (["RunConfig()", "c.replace(tf_random_seed=1)", "change(c)"], False),
    ],
)
def test_configs_that_replace_another(lines: List[str], expected: bool) -> None:
    code = "".join(f"c = {line}\n" for line in lines)
    code = "from tensorflow.estimator import RunConfig\n" + code
    code += "e = tf.estimator.Estimator(model_fn, config=c)\ne.train(f)\n"
    assert rules(code) == ["temporary-model-dir"] * expected

"""Tests which keys of the params the code of a module names."""

import pytest

from ckptcheck.tracer.named_keys import names_in


@pytest.mark.parametrize(
    "code",
    [
        'params["key"]',
        "params.get('key', 3)",
        'x = {"key": 1}',
        "params.key",
        "self.hparams.key",
        "params.data.key",
        "params.data.key.value",
        "run(f'{params[\"key\"]} of them')",
        'flags.DEFINE_integer("key", 1, "help")',
        "def f(x='key'):\n    pass",
        "x = 1 if params['key'] else 2",
        "f(*['a', b'b', 'key'])",
        'def f():\n    """Reads it."""\n    return params["key"]',
        "x = " + "1 + " * 500 + "params['key']",
    ],
)
def test_code_names_a_key(code: str) -> None:
    assert names_in(code.encode(), {"key", "other"}) == {"key"}


@pytest.mark.parametrize("key", ["learning rate", "-x", "größe", "öl", "a.b", "params", " "])
def test_a_key_may_have_any_characters(key: str) -> None:
    assert names_in(f"params['{key}']".encode(), {key, "other"}) == {key}


@pytest.mark.parametrize(
    "code",
    [
        "# params['key']",
        "x = 1  # 'key', params.key",
        '"key"',
        "'''Reads params['key'].'''",
        'def f(x):\n    """Reads "key"."""\n    return x',
        'class C:\n    """key"""',
        "async def f():\n    'key'",
        "x = 'keys', 'a key', 'see \"key\"'",
        "key = 1",
        "data.key",
        "params.data['keys'].key",
        "x = b'key'",
        "params['key'",
        "x = 'key\0'",
        "",
    ],
)
def test_code_does_not_name_a_key(code: str) -> None:
    assert names_in(code.encode(), {"key"}) == set()

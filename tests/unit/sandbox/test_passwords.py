from sandbox import passwords


async def test_a_password_matches_its_own_hash_alone() -> None:
    stored = await passwords.hashed("correct horse battery")
    assert await passwords.matches("correct horse battery", stored)
    assert not await passwords.matches("correct horse", stored)


async def test_equal_passwords_have_different_hashes_and_neither_shows_them() -> None:
    first, second = await passwords.hashed("密码密码密码"), await passwords.hashed("密码密码密码")
    assert first != second
    assert "密码" not in first


async def test_nobody_has_a_password_that_was_never_set() -> None:
    assert not await passwords.matches("", None)
    assert not await passwords.matches("anything", None)

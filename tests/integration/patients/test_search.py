from tests.integration.patients import making


def test_a(house):
    p = making.registered(house, family_name="Smith", given_name="John")
    assert making.found(house, text="jhon smit") == [p["id"]]

from app.decoding.members import members_of


def test_places_by_key_in_the_order_of_their_first_ones() -> None:
    assert list(members_of("babab").items()) == [("b", [0, 2, 4]), ("a", [1, 3])]


def test_nothing_has_no_members() -> None:
    assert members_of([]) == {}

"""What the torture draws from a seed."""

from tests.torture.draw import plan_house


def test_a_seed_decides_everything() -> None:
    assert plan_house("7", 3) == plan_house("7", 3)
    assert plan_house("7", 3) != plan_house("8", 3)


def test_every_few_houses_some_modules_share_a_valve_and_its_faults() -> None:
    plans = [plan_house("shared", number) for number in range(20)]
    sharers = [item for house in plans for item in house.modules if item.shares]
    assert len(sharers) > 5
    for house in plans:
        by_name = {item.name: item for item in house.modules}
        for item in house.modules:
            if item.shares is not None:
                owner = by_name[item.shares]
                assert owner.shares is None
                assert owner.valve == item.valve
                kept = owner.options["restore_conditions"]
                assert item.options["restore_conditions"] == kept

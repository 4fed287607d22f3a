from trials.engine.lane_count import MAX_AT_ONCE, MAX_IN_TURN, lanes_at_once, lanes_in_turn

MEBIBYTE = 2**20


def test_lanes_in_turn_are_bounded_by_their_states() -> None:
    assert lanes_in_turn(1000) == MAX_IN_TURN
    assert lanes_in_turn(64 * MEBIBYTE) == 4
    assert lanes_in_turn(10_000 * MEBIBYTE) == 1


def test_lanes_at_once_fill_the_memory_that_the_probe_finds_free() -> None:
    def temporary_bytes(n_slots: int) -> int:
        return (100 + 30 * n_slots) * MEBIBYTE

    # 0.8 of 1,000 MiB, less what is shared, for lanes of 30 MiB and twice their state of 5
    assert lanes_at_once(5 * MEBIBYTE, 1000 * MEBIBYTE, temporary_bytes) == (800 - 100) // 40


def test_there_is_always_one_lane_and_never_more_than_the_most() -> None:
    assert lanes_at_once(MEBIBYTE, 10, lambda n_slots: n_slots * MEBIBYTE) == 1
    assert lanes_at_once(10, 10**12, lambda n_slots: 10 * n_slots) == MAX_AT_ONCE

import threading

from service.recent import Recent


def test_what_was_not_asked_for_longest_goes_first() -> None:
    recent: Recent[str] = Recent(2)
    recent.keep("a", "1")
    recent.keep("b", "2")
    assert recent.get("a") == "1"
    recent.keep("c", "3")
    assert [recent.get(key) for key in "abc"] == ["1", None, "3"]


def test_of_many_who_ask_at_once_one_makes_the_answer() -> None:
    recent: Recent[int] = Recent(2)
    gate, made, answers = threading.Barrier(4), [], []

    def make() -> int:
        made.append(1)
        return len(made)

    def ask() -> None:
        gate.wait()
        answers.append(recent.get_or_make("key", make))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, made) == ([1, 1, 1, 1], [1])

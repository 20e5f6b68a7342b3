"""The lock around the account's state."""

import threading

from local.emulated_aws.account import AccountLock

WAIT_SECONDS = 30


def test_the_lock_is_exclusive_and_fair() -> None:
    lock, order = AccountLock(), list[int]()
    with lock:
        waiting = []
        for number in range(5):
            before = len(lock._waiting)

            def take(number: int = number) -> None:
                with lock:
                    order.append(number)

            thread = threading.Thread(target=take)
            thread.start()
            while len(lock._waiting) == before:  # It is in the queue then.
                pass
            waiting.append(thread)
        assert order == []
        lock.yield_turn()
        assert order == [0, 1, 2, 3, 4]
    for thread in waiting:
        thread.join()


def test_others_have_it_while_it_is_let_go_of() -> None:
    lock, had = AccountLock(), threading.Event()

    def take() -> None:
        with lock:
            had.set()

    with lock:
        with lock.released():
            thread = threading.Thread(target=take)
            thread.start()
            assert had.wait(WAIT_SECONDS)
        thread.join()

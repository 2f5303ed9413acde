"""The number of threads of one test is not that of the next: two tests, in this order, in one process."""

from threading import Thread

import torch


def test_a_worker_thread_changes_what_later_threads_get() -> None:
    worker = Thread(target=torch.set_num_threads, args=(1,))
    worker.start()
    worker.join()
    assert threads_of_a_new_thread() == 1


def test_after_it_new_threads_get_as_many_as_this_one_has() -> None:
    assert threads_of_a_new_thread() == torch.get_num_threads()


def threads_of_a_new_thread() -> int:
    counts: list[int] = []

    def count() -> None:
        torch.ones(9).sum()  # PyTorch sets a thread's number when it first works there
        counts.append(torch.get_num_threads())

    thread = Thread(target=count)
    thread.start()
    thread.join()
    return counts[0]

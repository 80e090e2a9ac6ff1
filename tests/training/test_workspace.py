from __future__ import annotations

import mmap

import torch

from pytest_modelcompare.training.cpu.workspace import Workspace


def taken(work, *sizes):
    return [work.empty(size, dtype=torch.float32) for size in sizes]


def test_what_did_not_fit_fits_after_clearing():
    work = Workspace(4096)
    work.clear()
    assert all(one.numel() for one in taken(work, 1000, 500))
    work.clear()
    first, second = (one.data_ptr() - work.memory.data_ptr() for one in taken(work, 1000, 500))
    assert (first, second) == (0, 4032)  # 4,000 bytes, aligned to 64


def test_the_same_memory_is_taken_again():
    work = Workspace()
    work.clear()
    (before,) = taken(work, 999)
    work.clear()
    (after,) = taken(work, 1000)
    assert before.data_ptr() == after.data_ptr()


def test_tensors_do_not_overlap():
    work = Workspace()
    for _ in range(2):
        work.clear()
        tensors = [one.fill_(number) for number, one in enumerate(taken(work, 3, 100, 7))]
    assert [one.unique().tolist() for one in tensors] == [[0], [1], [2]]


def test_what_is_passing_makes_room():
    work = Workspace()
    for _ in range(2):
        work.clear()
        with work.scratch():
            (inside,) = taken(work, 10)
        (outside,) = taken(work, 10)
    assert inside.data_ptr() == outside.data_ptr()


def test_a_cast_is_a_copy():
    tensor = torch.ones(3)
    assert Workspace().cast(tensor, torch.float32).zero_().tolist() == [0, 0, 0]
    assert tensor.tolist() == [1, 1, 1]


def test_without_a_mapping_the_general_allocator_serves(monkeypatch):
    def refuse(*_, **__):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", refuse)
    work = Workspace()
    for _ in range(2):
        work.clear()
        tensors = [one.fill_(number) for number, one in enumerate(taken(work, 3, 100))]
    assert [one.unique().tolist() for one in tensors] == [[0], [1]]


def test_where_the_first_mapping_is_refused_a_smaller_one_is_made(monkeypatch):
    real = mmap.mmap

    def small(number, size, **named):
        if size > 100_000:
            raise OSError(12, "Cannot allocate memory")
        return real(number, size, **named)

    monkeypatch.setattr(mmap, "mmap", small)
    work = Workspace()
    for expected in (0, 4000):
        work.clear()
        assert len(work.memory) == expected
        taken(work, 1000)

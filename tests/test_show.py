"""The sheets of people and of units."""

from __future__ import annotations

import numpy as np
import pytest

from headform import show
from headform.errors import BadInput
from headform.head import load_default


def test_the_same_seed_draws_the_same_people_and_another_draws_others():
    first, again, other = show.people(1, 0, 48), show.people(1, 0, 48), show.people(1, 5, 48)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_sheet_holds_faces_on_paper():
    sheet = show.people(1, 0, 96)
    assert tuple(sheet[0, 0]) == show.PAPER
    assert (np.abs(sheet.astype(int) - show.PAPER).sum(2) > 60).mean() > 0.2


def test_people_of_a_sheet_differ_in_shape():
    head = load_default()
    betas = [show.draw_person(head, seed).beta for seed in range(6)]
    shapes = [head.rest(beta) for beta in betas]
    for one in range(6):
        for other in range(one):
            apart = np.linalg.norm(shapes[one] - shapes[other], axis=1).mean()
            assert apart > 0.002


def test_every_unit_is_on_the_sheet():
    sheet = show.units(32)
    rows = -(-52 // 9)
    assert sheet.shape[1] == 9 * 36 + 4
    assert sheet.shape[0] >= rows * 36


@pytest.mark.parametrize("call", [lambda: show.people(0), lambda: show.people(1, 0, 5), lambda: show.units(9999)])
def test_sheets_that_cannot_be_drawn_are_refused(call):
    with pytest.raises(BadInput):
        call()

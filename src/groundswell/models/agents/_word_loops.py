"""Compiled lists of who stands in each cell of a grid, as words: what a turn asks of an agent lies in its cell.

`first` (cells,) holds the word of the first in each cell, NOBODY where it is empty; `following` (N,) the word of the
next in the list, by the number of the one before, where its word says MORE. Lists of more than one are rare.
"""

from __future__ import annotations

from numba import njit

from groundswell.models._compiling import BORROWS

WHO, DARES = (1 << 28) - 1, 28
ACTIVE, JAILED, TURN, MORE = 1 << 44, 1 << 45, 1 << 46, 1 << 47
NOBODY, SIGN = -1, -(1 << 63)
"""A word: number in 28 bits, how much it dares in 16, flags. TURN turns over with each turn, so that nobody has two in
a step; MORE says that the list goes on. The jailed are in a list only where they block or serve in their own turn."""


@njit(cache=True, inline="always")
def following_word(following, word):
    """The next word in a list, NOBODY at its end."""
    return following[word & WHO] if word & MORE else NOBODY


@njit(**BORROWS)
def word_of(first, following, cell, agent):
    """The word of an agent in a cell, NOBODY if it is not there."""
    word = first[cell]
    while word >= 0 and word & WHO != agent:
        word = following_word(following, word)
    return word


@njit(**BORROWS)
def rewrite(first, following, cell, agent, word):
    """Put another word where an agent's is: its own with other flags, or the next in the list, to take it out."""
    at = first[cell]
    if at & WHO == agent:
        first[cell] = word
        return
    while at & WHO != agent:
        before = at & WHO
        at = following[before]
    following[before] = word


@njit(cache=True, inline="always")
def arrive(first, following, cell, word):
    """Put an agent at the head of a list."""
    if first[cell] < 0:
        first[cell] = word & ~MORE
    else:
        following[word & WHO] = first[cell]
        first[cell] = word | MORE


@njit(cache=True, inline="always")
def walk(first, following, word, old, new):
    """Take a free agent from cell to cell, without what others see of it."""
    if first[old] == word & ~MORE:
        first[old] = NOBODY
    else:
        rewrite(first, following, old, word & WHO, following_word(following, word))
    arrive(first, following, new, word)


@njit(cache=True, inline="always")
def _waits(word, turn):
    """Whether there is someone who has not had a turn in this step."""
    return (word >= 0) & (word & TURN != turn)


@njit(cache=True, inline="always")
def _more(word):
    """Whether there is someone, and the list goes on."""
    return word & (MORE | SIGN) == MORE


@njit(**BORROWS)
def waiting(first, following, torus, turn, tile):
    """How many in a tile have not had their turn in this step."""
    count, right = 0, min(tile[1] + tile[3], torus.columns)
    for i in range(tile[2]):
        row = (tile[0] + i) % torus.rows * torus.columns
        for begin, end in ((tile[1], right), (0, tile[1] + tile[3] - right)):
            for cell in range(row + begin, row + end):
                word = first[cell]
                count += _waits(word, turn)
                while _more(word):
                    word = following[word & WHO]
                    count += _waits(word, turn)
    return count


@njit(**BORROWS)
def gather(first, following, torus, turn, tile, cell_of, agent_of):
    """List those of a tile who have not had their turn in this step, and turn their flags.

    No branch asks whether a cell is empty, which cannot be foretold: an entry of nobody is written over by the next,
    so the lists have one place more than there are entries.
    """
    count, right = 0, min(tile[1] + tile[3], torus.columns)
    for i in range(tile[2]):
        row = (tile[0] + i) % torus.rows * torus.columns
        for begin, end in ((tile[1], right), (0, tile[1] + tile[3] - right)):
            for cell in range(row + begin, row + end):
                word = first[cell]
                waits = _waits(word, turn)
                cell_of[count], agent_of[count] = cell, word & WHO
                count += waits
                first[cell] = word ^ (TURN * waits)
                while _more(word):
                    before, word = word & WHO, following[word & WHO]
                    waits = _waits(word, turn)
                    cell_of[count], agent_of[count] = cell, word & WHO
                    count += waits
                    following[before] = word ^ (TURN * waits)

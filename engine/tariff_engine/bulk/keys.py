"""Numbers by key, found for many keys at once: arrays with open addressing, since a dictionary takes its keys one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

UNMET = -2
_EMPTY = -1  # keys are at least 0
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits spread evenly: neighbouring keys fall far apart
_FIRST = 12  # bits of the number of places at first


class Numbering:
    """Gives each different key the number that is made for it where it is first met: any but `UNMET`."""

    def __init__(self) -> None:
        """Begin with no key."""
        self.forget()

    def forget(self) -> None:
        """Let go of every key."""
        self._make_room(_FIRST)
        self._count = 0

    def __len__(self) -> int:
        """Return how many keys were met."""
        return self._count

    def numbers(self, keys: Numbers, make: Callable[[Numbers], Numbers]) -> Numbers:
        """Return the number of each key. `make` returns the numbers of those not met, given the places at which they stand first."""
        found = self.get(keys)
        missing = np.flatnonzero(found == UNMET)
        if len(missing):
            new, first, inverse = np.unique(keys[missing], return_index=True, return_inverse=True)
            made = np.asarray(make(missing[first]), dtype=np.int64)
            self._put(new, made)
            found[missing] = made[inverse]
        return found

    def put(self, keys: Numbers, numbers: Numbers) -> None:
        """Give some different keys their numbers, but for those that have one."""
        new = np.flatnonzero(self.get(keys) == UNMET)
        self._put(keys[new], numbers[new])

    def _make_room(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        self._keys = np.full(1 << bits, _EMPTY, dtype=np.int64)
        self._values = np.zeros(1 << bits, dtype=np.int32)

    def _places(self, keys: Numbers) -> Numbers:
        found: Numbers = ((keys.view(np.uint64) * _SPREAD) >> self._shift).astype(np.int64)
        return found

    def get(self, keys: Numbers) -> Numbers:
        """Return the number of each key, `UNMET` where it has none."""
        places = self._places(keys)
        met = self._keys[places]
        found = self._values[places].astype(np.int64)
        wrong = np.flatnonzero(met != keys)
        while len(wrong):
            absent = met[wrong] == _EMPTY
            found[wrong[absent]] = UNMET
            wrong = wrong[~absent]
            places[wrong] = (places[wrong] + 1) & self._mask
            met[wrong] = self._keys[places[wrong]]
            same = met[wrong] == keys[wrong]
            found[wrong[same]] = self._values[places[wrong[same]]]
            wrong = wrong[~same]
        return found

    def _put(self, keys: Numbers, values: Numbers) -> None:
        """Keep new keys, each of which stands there once."""
        if 2 * (self._count + len(keys)) > len(self._keys):
            bits = int(self._count + len(keys)).bit_length() + 1
            kept = self._keys != _EMPTY
            old_keys, old_values = self._keys[kept], self._values[kept]
            self._make_room(bits)
            self._count = 0
            self._put(old_keys, old_values)
        self._count += len(keys)
        places, left = self._places(keys), np.arange(len(keys))
        while len(left):
            at = places[left]
            free = self._keys[at] == _EMPTY
            self._keys[at[free]] = keys[left[free]]  # of several that want one place, the last one has it
            mine = self._keys[at] == keys[left]
            self._values[at[mine]] = values[left[mine]]
            left = left[~mine]
            places[left] = (places[left] + 1) & self._mask

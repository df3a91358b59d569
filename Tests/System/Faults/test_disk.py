#!/usr/bin/env python3
"""Tests of the disk model, and of the recorder with a program written for it."""
import os
import random
import unittest

import disk
from disk import CREATE, DIRECTORY, MAKE_DIRECTORY, PAGE, RENAME, SYNC, SYNC_DIRECTORY, TRUNCATE, UNLINK, WRITE

ROOT = "/r"


def draws(records, image=None, count=300):
    """The set of possible images after these records: {path: content}."""
    found = []
    for seed in range(count):
        model = disk.Disk(ROOT, {ROOT: (DIRECTORY, b""), **(image or {})})
        for record in records:
            model.replay(record)
        drawn = model.draw(random.Random(seed), lambda inode: None)
        found.append({path: content for path, (inode, content) in drawn.items() if inode != DIRECTORY})
    return found


def record(kind, inode=0, offset=0, path="", data=b""):
    return (kind, inode, offset, path, data)


class DiskTests(unittest.TestCase):
    def test_what_was_forced_is_there(self):
        """A file whose content and name were synced has both in every state."""
        made = [record(CREATE, 7, path="/r/a"), record(WRITE, 7, 0, data=b"x" * 5000), record(SYNC, 7),
                record(SYNC_DIRECTORY, path="/r")]
        for state in draws(made):
            self.assertEqual(state, {"/r/a": b"x" * 5000})

    def test_pages_and_sizes_are_lost_apart(self):
        """After the last fsync, pages and sizes vary independently; the synced content before that stays."""
        made = [record(CREATE, 7, path="/r/a"), record(WRITE, 7, 0, data=b"a" * PAGE), record(SYNC, 7),
                record(SYNC_DIRECTORY, path="/r"), record(WRITE, 7, PAGE, data=b"b" * PAGE),
                record(WRITE, 7, 2 * PAGE, data=b"c" * PAGE)]
        found = {state["/r/a"] for state in draws(made)}
        self.assertTrue(all(content.startswith(b"a" * PAGE) for content in found))
        first, second, zeros = b"b" * PAGE, b"c" * PAGE, bytes(PAGE)
        for rest in (b"", first, first + second, zeros + second, first + zeros, zeros + zeros, zeros):
            self.assertIn(b"a" * PAGE + rest, found)

    def test_a_cut_may_be_undone(self):
        """A truncation that wasn't synced may be on the disk or not."""
        image = {"/r/a": (7, b"a" * 6000)}
        found = {state["/r/a"] for state in draws([record(TRUNCATE, 7, 100)], image)}
        self.assertIn(b"a" * 6000, found)
        self.assertIn(b"a" * 100, found)

    def test_names_without_a_forced_directory(self):
        """A new name, a rename and an unlink may each be on the disk or not; a rename is never half there."""
        image = {"/r/old": (1, b"1"), "/r/gone": (2, b"2")}
        made = [record(CREATE, 7, path="/r/new"), record(RENAME, 1, path="/r/old", data=b"/r/moved"),
                record(UNLINK, 2, path="/r/gone")]
        found = [frozenset(state) for state in draws(made, image)]
        self.assertEqual(len(set(found)), 8)
        for state in found:
            self.assertEqual(len(state & {"/r/old", "/r/moved"}), 1)

    def test_a_name_needs_its_directory(self):
        """A file in a new directory isn't on the disk without it; syncing only the inner directory isn't enough."""
        made = [record(MAKE_DIRECTORY, path="/r/d"), record(CREATE, 7, path="/r/d/a"),
                record(SYNC_DIRECTORY, path="/r/d")]
        found = {frozenset(state) for state in draws(made)}
        self.assertEqual(found, {frozenset(), frozenset({"/r/d/a"})})
        for state in draws(made + [record(SYNC_DIRECTORY, path="/r")]):
            self.assertIn("/r/d/a", state)

    def test_changes_of_one_name_keep_their_order(self):
        """Of several changes of a name, the disk has a prefix."""
        image = {"/r/a": (1, b"1")}
        made = [record(UNLINK, 1, path="/r/a"), record(CREATE, 2, path="/r/a"),
                record(RENAME, 2, path="/r/a", data=b"/r/b")]
        found = {tuple(sorted(state)) for state in draws(made, image)}
        self.assertEqual(found, {("/r/a",), (), ("/r/b",)})


if __name__ == "__main__":
    unittest.main(verbosity=2 if os.environ.get("VERBOSE") else 1)

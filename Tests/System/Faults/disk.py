"""Computes the possible contents of a disk after a power loss from the journal of `disk.c`. README.md has the model."""
import os
import random
import struct

RECORD = struct.Struct("<IIIIQQ")
CREATE, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY, RENAME, UNLINK, LINK, MAKE_DIRECTORY, REMOVE_DIRECTORY, MAP = range(1, 12)
PAGE = 4096
#: Used instead of an inode for a directory.
DIRECTORY = 0


def records(path):
    """The records of a journal, in order; an incomplete last record is left out."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:  # killed before the first record
        return []
    found, at = [], 0
    while at + RECORD.size <= len(data):
        kind, path_bytes, data_bytes, _, inode, offset = RECORD.unpack_from(data, at)
        begin = at + RECORD.size
        at = begin + path_bytes + data_bytes
        if at > len(data):
            break
        found.append((kind, inode, offset, data[begin:begin + path_bytes].decode(), data[begin + path_bytes:at]))
    return found


class Content:
    """One file: its durable content, and the changes since."""

    def __init__(self, durable=b""):
        self.durable = bytearray(durable)
        self.changes = []
        self.is_mapped = False

    @staticmethod
    def apply(content, change):
        """Makes a change; returns the pages that it touches."""
        offset, data = change
        if data is None:  # a truncation or an extension
            old = len(content)
            if offset < old:
                del content[offset:]
                return range(offset // PAGE, (old - 1) // PAGE + 1)
            content.extend(bytes(offset - old))
            return range(0)
        if offset > len(content):
            content.extend(bytes(offset - len(content)))
        content[offset:offset + len(data)] = data
        return range(offset // PAGE, (offset + len(data) - 1) // PAGE + 1)

    def sync(self):
        for change in self.changes:
            self.apply(self.durable, change)
        self.changes = []

    def draw(self, chance, share, mapped):
        """One possible content on the disk. `share`: the probability of the last version of a page or size.

        `mapped`: for a file with a writable mapping, its content in memory at the end.
        """
        changes = self.changes
        if self.is_mapped and mapped is not None:
            changes = changes + [(len(mapped), None), (0, mapped)]
        if not changes:
            return bytes(self.durable)
        content = bytearray(self.durable)
        versions = {}
        sizes = [len(content)]
        for change in changes:
            before = {}
            offset, data = change
            touched_end = max(len(content), offset + len(data or b""))
            for page in range(min(offset, len(content)) // PAGE, (touched_end + PAGE - 1) // PAGE):
                if page not in versions:
                    before[page] = self._page(content, page)
            for page in self.apply(content, change):
                if page in before:
                    versions[page] = [before[page]]
                versions[page].append(self._page(content, page))
            sizes.append(len(content))

        def choose(options):
            if chance.random() < share:
                return options[-1]
            return options[0] if chance.random() < 0.5 else chance.choice(options)

        size = choose(sizes)
        result = bytearray(self.durable[:size])
        result.extend(bytes(size - len(result)))
        for page, options in versions.items():
            begin = page * PAGE
            if begin < size:
                result[begin:min(begin + PAGE, size)] = choose(options)[:min(PAGE, size - begin)]
        return bytes(result)

    @staticmethod
    def _page(content, page):
        found = bytes(content[page * PAGE:(page + 1) * PAGE])
        return found + bytes(PAGE - len(found))


class NameChange:
    """A change of names that isn't durable: it reaches the disk as a whole or not at all."""

    def __init__(self, effects, removed=False):
        #: Each name with its new inode; None: removed.
        self.effects = effects
        self.names = {name for name, _ in effects}
        self.directories = {os.path.dirname(name) for name in self.names}
        self.removed = removed

    def depends_on(self, earlier):
        """Whether this can't be on the disk without `earlier`: both concern the same name, or a name in a directory and
        the directory itself."""
        return bool(self.names & earlier.names or self.directories & earlier.names
                    or (self.removed and self.names & earlier.directories))

    def apply(self, names):
        for name, inode in self.effects:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode


class Disk:
    """The recorded state of a directory.

    `image` is the durable state before the recording: {path: (inode, content)}, a directory with DIRECTORY.
    """

    def __init__(self, root, image):
        self.root = root
        self.names = {path: inode for path, (inode, _) in image.items()}
        self.current = dict(self.names)
        self.contents = {inode: Content(content) for inode, content in image.values() if inode != DIRECTORY}
        self.pending = []

    def content(self, inode):
        return self.contents.setdefault(inode, Content())

    def replay(self, record):
        kind, inode, offset, path, data = record
        if kind == CREATE:
            self.contents[inode] = Content()
            self._change([(path, inode)])
        elif kind == WRITE:
            self.content(inode).changes.append((offset, data))
        elif kind == TRUNCATE:
            self.content(inode).changes.append((offset, None))
        elif kind == SYNC:
            self.content(inode).sync()
        elif kind == SYNC_DIRECTORY:
            self._sync_directory(path)
        elif kind == RENAME:
            self._change([(path, None), (data.decode(), inode)])
        elif kind == UNLINK:
            self._change([(path, None)])
        elif kind == LINK:
            self._change([(data.decode(), inode)])
        elif kind == MAKE_DIRECTORY:
            self._change([(path, DIRECTORY)])
        elif kind == REMOVE_DIRECTORY:
            self._change([(path, None)], removed=True)
        elif kind == MAP:
            self.content(inode).is_mapped = True
        else:
            raise ValueError(f"a record of kind {kind}")

    def _change(self, effects, removed=False):
        change = NameChange(effects, removed)
        change.apply(self.current)
        self.pending.append(change)

    def _sync_directory(self, path):
        """Makes the changes of names in the directory durable, with those that they need; not its own name."""
        path = os.path.normpath(path)
        wanted = [False] * len(self.pending)
        for index in reversed(range(len(self.pending))):
            change = self.pending[index]
            wanted[index] = path in change.directories or any(
                wanted[later] and self.pending[later].names & change.names
                for later in range(index + 1, len(self.pending)))
        for change, is_durable in zip(self.pending, wanted):
            if is_durable:
                change.apply(self.names)
        self.pending = [change for change, is_durable in zip(self.pending, wanted) if not is_durable]

    def draw(self, chance, memory):
        """A possible image of the disk now. `memory(inode)`: the content of a mapped file in memory, or None."""
        share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        names = dict(self.names)
        absent = []
        for change in self.pending:
            if any(change.depends_on(other) for other in absent) or chance.random() >= share:
                absent.append(change)
            else:
                change.apply(names)
        image = {}
        for path, inode in sorted(names.items()):
            if path != self.root and names.get(os.path.dirname(path)) != DIRECTORY:
                names.pop(path)
                names[path] = None  # below a directory that isn't on the disk
                continue
            if inode == DIRECTORY:
                image[path] = (DIRECTORY, b"")
            else:
                content = self.content(inode)
                mapped = memory(inode) if content.is_mapped else None
                image[path] = (inode, content.draw(chance, share if chance.random() < 0.7 else chance.random(), mapped))
        return image


class Tree:
    """The real directory, with a stash beside it that keeps the inodes of files without a name in it."""

    def __init__(self, root, stash):
        self.root = root
        self.stash = stash

    def places(self):
        """The present path of each inode."""
        found = {}
        for name in os.listdir(self.stash):
            found[int(name)] = f"{self.stash}/{name}"
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = f"{folder}/{name}"
                found[os.lstat(path).st_ino] = path
        return found

    def memory(self, inode):
        path = self.places().get(inode)
        if path is None:
            return None
        with open(path, "rb") as file:
            return file.read()

    def restore(self, image):
        """Makes the directory equal to the image, each file with its inode."""
        for folder, folders, names in os.walk(self.root, topdown=False):
            for name in names:
                path = f"{folder}/{name}"
                status = os.lstat(path)
                kept = f"{self.stash}/{status.st_ino}"
                if os.path.exists(kept):
                    os.unlink(path)
                else:
                    os.rename(path, kept)
            for name in folders:
                if f"{folder}/{name}" not in image:
                    os.rmdir(f"{folder}/{name}")
        for path, (inode, content) in sorted(image.items()):
            if inode == DIRECTORY:
                os.makedirs(path, exist_ok=True)
                continue
            kept = f"{self.stash}/{inode}"
            with open(kept, "r+b") as file:
                if file.read() != content:
                    file.seek(0)
                    file.write(content)
                    file.truncate()
            os.rename(kept, path)


def seeded(*parts):
    return random.Random("/".join(map(str, parts)))

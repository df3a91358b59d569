#!/usr/bin/env python3
"""Write Sources/Text/UnicodeTables.swift: the Unicode properties that tokenizers depend on.

The tables are read out of the installed Hugging Face `tokenizers` by asking it about every code point, so that ids
stay equal to its ids whatever Unicode version the Swift toolchain carries (tokenizers itself mixes several).

    python3 scripts/make-unicode-tables.py
"""
import pathlib
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic, not by table


def bert(**on):
    options = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**(options | on)).normalize_str


def numbers(values):
    """Little-endian base-32 numbers in printable ASCII from `#` on without the backslash; 32 is added to every
    digit but a number's last."""
    out = []
    for value in values:
        while value >= 32:
            out.append(32 + value % 32)
            value //= 32
        out.append(value)
    return "".join(chr(35 + d + (35 + d >= ord("\\"))) for d in out)


def ranges(chosen):
    """[first, last] of every run of neighbours."""
    runs = []
    for c in sorted(chosen):
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    return runs


def encode_ranges(chosen):
    values, end = [], 0
    for first, last in ranges(chosen):
        values += [first - end, last - first]
        end = last + 1
    return numbers(values)


def encode_lowercase(mapping):
    """Runs of (gap, count - 1, step, zigzag distance) with one distance from upper to lower case."""
    values, end, keys, i = [], 0, sorted(mapping), 0
    while i < len(keys):
        step, n = 1, 1
        distance = mapping[keys[i]] - keys[i]
        if i + 1 < len(keys) and mapping[keys[i + 1]] - keys[i + 1] == distance and keys[i + 1] - keys[i] <= 2:
            step = keys[i + 1] - keys[i]
            while i + n < len(keys) and keys[i + n] == keys[i] + n * step and mapping[keys[i + n]] - keys[i + n] == distance:
                n += 1
        values += [keys[i] - end, n - 1, step, distance * 2 if distance >= 0 else -distance * 2 - 1]
        end = keys[i] + (n - 1) * step + 1
        i += n
    return numbers(values)


def encode_classes(classes):
    """Runs of (gap, count - 1, canonical combining class)."""
    values, end, runs = [], 0, []
    for c in sorted(classes):
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == classes[c]:
            runs[-1][1] = c
        else:
            runs.append([c, c, classes[c]])
    for first, last, value in runs:
        values += [first - end, last - first, value]
        end = last + 1
    return numbers(values)


def main():
    clean, strip = bert(clean_text=True), bert(strip_accents=True)
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    words = pre_tokenizers.Whitespace().pre_tokenize_str
    nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
    marks, lower = normalizers.StripAccents().normalize_str, normalizers.Lowercase().normalize_str

    dropped = {c for c in CODE_POINTS if clean("a" + chr(c) + "b") == "ab"}
    pieces = {c: [p for p, _ in split("a" + chr(c) + "b")] for c in CODE_POINTS}
    lowered = {c: lower(chr(c)) for c in CODE_POINTS}
    if {c for c, s in lowered.items() if len(s) > 1} != {0x130}:
        raise SystemExit("more than U+0130 has a lower-case form of several code points")

    def combining_class(c):
        """Python's class where tokenizers orders the mark by it, else 0 (its tables are older)."""
        value = unicodedata.combining(chr(c))
        probes = ["a" + chr(c) + "\u0334", "a\u0345" + chr(c)]
        return value if all(nfd(s) == unicodedata.normalize("NFD", s) for s in probes) else 0

    tables = [
        ("droppedByBert", "Code points that BERT's text cleaning removes (control, format, private use, U+FFFD).",
         encode_ranges(dropped)),
        ("whitespace", "White_Space, as Rust's `char::is_whitespace` has it.",
         encode_ranges(c for c, p in pieces.items() if p == ["a", "b"])),
        ("punctuation", "What BERT's pre-tokenizer splits off: ASCII symbols and general category P.",
         encode_ranges(c for c, p in pieces.items() if len(p) == 3)),
        ("nonspacingMarks", "General category Mn: what BERT's accent stripping removes.",
         encode_ranges(c for c in CODE_POINTS if strip("a" + chr(c)) == "a")),
        ("combiningMarks", "General category M: what the StripAccents normalizer removes.",
         encode_ranges(c for c in CODE_POINTS if marks("a" + chr(c)) == "a")),
        ("wordCharacters", "The regular expression `\\w`.",
         encode_ranges(c for c in CODE_POINTS if len(words("a" + chr(c) + "b")) == 1)),
        ("canonicallyDecomposable", "Code points that NFD changes, but for Hangul syllables.",
         encode_ranges(c for c in CODE_POINTS if nfd(chr(c)) != chr(c) and c not in HANGUL)),
        ("compatibilityDecomposable", "Code points that NFKD changes, but for Hangul syllables.",
         encode_ranges(c for c in CODE_POINTS if nfkd(chr(c)) != chr(c) and c not in HANGUL)),
        ("combiningClasses", "Canonical combining classes other than 0: runs of (gap, count - 1, class).",
         encode_classes({c: k for c in CODE_POINTS if unicodedata.combining(chr(c)) and (k := combining_class(c))})),
        ("lowercase", "Single code point lower-case forms: runs of (gap, count - 1, step, zigzag distance).",
         encode_lowercase({c: ord(s) for c, s in lowered.items() if len(s) == 1 and ord(s) != c})),
    ]
    out = [
        f"// Written by scripts/make-unicode-tables.py from Hugging Face tokenizers {tokenizers.__version__}; don't edit.",
        "",
        "/// Unicode properties as Hugging Face `tokenizers` sees them, independent of the toolchain's Unicode version.",
        "///",
        "/// Each string holds base-32 numbers (`UnicodeTableReader`): pairs of (gap since the last range, count - 1)",
        "/// unless its comment says otherwise.",
        "enum UnicodeTables {",
    ]
    for i, (name, comment, text) in enumerate(tables):
        out += [""] * (i > 0) + [f"    /// {comment}", f"    static let {name}: StaticString = #\"\"\""]
        width = 110
        parts = [text[k:k + width] for k in range(0, len(text), width)]
        out += [f"        {part}\\#" for part in parts[:-1]] + [f"        {parts[-1]}", "        \"\"\"#"]
    out += ["}", ""]
    path = pathlib.Path(__file__).resolve().parent.parent / "Sources/Text/UnicodeTables.swift"
    path.write_text("\n".join(out), encoding="utf-8")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compare `understudy tokenize` with Transformers: over every text of a data folder, over every code point, and over
random strings.

    python3 Tests/Goldens/check-tokenizers.py DATADIR [--model DIR ...] [--binary PATH] [--random N] [--seed N]

DATADIR is searched for .jsonl files with a "text" member and .txt files. Besides the models named, tokenizers of every
supported kind are made from a part of the texts. Exits with 1 if any line differs.
"""
import argparse
import importlib.util
import json
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("goldens", HERE / "make-tokenizer-goldens.py")
goldens = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(goldens)

# Where bugs live: blocks with marks, joiners, spaces, symbols, and the ends of blocks.
BLOCKS = [(0x20, 0x7E), (0x0, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF),
          (0xE00, 0xEFF), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20D0, 0x21FF), (0x2460, 0x24FF),
          (0x3000, 0x30FF), (0x3130, 0x33FF), (0x3400, 0x9FFF), (0xAC00, 0xD7FF), (0xF900, 0xFB4F), (0xFB50, 0xFDFF),
          (0xFE00, 0xFFEF), (0x10000, 0x1FFFF), (0x1F000, 0x1FAFF), (0x20000, 0x3134F), (0xE0000, 0xE01FF), (0x0, 0x10FFFF)]
LITERALS = ["[MASK]", "[SEP]", "[UNK]", "<s>", "</s>", "<mask>", "<unk>", "<tag>", "<TAG>", "word", "<BIG>", "  ", " ",
            "\u2581", "e\u0301", "か\u3099", "\r", "\t", "👩‍👩‍👧", "🇨🇳", "x" * 101]


def read_texts(folder):
    texts = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix == ".jsonl":
            texts += [json.loads(line)["text"] for line in path.open(encoding="utf-8") if line.strip()]
        elif path.suffix == ".txt":
            texts += path.read_text(encoding="utf-8").split("\n")
    return [text.replace("\n", " ") for text in texts]


def scalar(value):
    return chr(value) if value != 0x0A and not 0xD800 <= value < 0xE000 else " "


def random_texts(count, texts, rng):
    made = []
    for _ in range(count):
        parts = []
        block = rng.choice(BLOCKS)
        for _ in range(rng.randrange(1, 24)):
            kind = rng.random()
            if kind < 0.1:
                parts.append(rng.choice(LITERALS))
            elif kind < 0.2:
                text = rng.choice(texts)
                start = rng.randrange(len(text) + 1)
                parts.append(text[start:start + 6])
            else:
                parts.append(scalar(rng.randint(*(block if kind < 0.75 else rng.choice(BLOCKS)))))
        made.append("".join(parts))
    return made


def every_code_point():
    """Each code point between letters, before an accent, and after an ideograph."""
    texts = []
    for first in range(0, 0x110000, 16):
        group = [scalar(c) for c in range(first, first + 16)]
        texts += ["a" + "b ".join(group[:8]) + "c", "a" + "b ".join(group[8:]) + "c", "国".join(group), "".join(group),
                  "\u0301 ".join(group)]
    return texts


def ours(binary, directory, texts):
    run = subprocess.run([binary, "tokenize", "--model", directory], input="".join(t + "\n" for t in texts).encode(),
                         stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--model", nargs="*", default=[])
    parser.add_argument("--binary", default=str(HERE.parent.parent / ".build/release/understudy"))
    parser.add_argument("--random", type=int, default=20000, help="random strings per tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="of the tokenizers made here only these")
    args = parser.parse_args()

    texts = read_texts(args.data)
    rng = random.Random(args.seed)
    sets = {"data": texts, "code points": every_code_point(), "random": random_texts(args.random, texts, rng)}
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        variants = goldens.tokenizer_variants(rng.sample(texts, min(4000, len(texts))), 6000)
        if args.only is not None:
            variants = {name: files for name, files in variants.items() if name in args.only}
        goldens.write_variants(variants, folder)
        for directory in args.model + [f"{folder}/{name}" for name in variants]:
            encode = goldens.encoder(directory)
            for name, lines in sets.items():
                found, wanted = ours(args.binary, directory, lines), encode(lines)
                wrong = [i for i in range(len(lines)) if i >= len(found) or found[i] != wanted[i]]
                failed |= bool(wrong) or len(found) != len(lines)
                print(f"{directory}: {name}: {len(lines) - len(wrong)} of {len(lines)} lines equal", flush=True)
                for i in wrong[:3]:
                    got = found[i] if i < len(found) else None
                    print(f"   {ascii(lines[i])}\n      ours   {got}\n      theirs {wanted[i]}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()

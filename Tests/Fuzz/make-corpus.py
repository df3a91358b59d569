#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets' corpora and their dictionaries: Tests/Fuzz/make-corpus.py

All text is invented. Inputs found by a fuzzer are in the same folders under other names and aren't changed.
"""

import base64
import gzip
import json
import pathlib
import struct
import zlib

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
TEXT = "港口新航线开通，port opens"


def write(target, name, contents):
    folder = FOLDER / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(contents.encode() if isinstance(contents, str) else contents)


def dictionary(target, words):
    folder = FOLDER / "dictionaries"
    folder.mkdir(exist_ok=True)
    lines = []
    for word in words:
        raw = word if isinstance(word, bytes) else word.encode()
        lines.append('"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02x}" for b in raw) + '"')
    (folder / f"{target}.dict").write_text("\n".join(lines) + "\n")


def configuration():
    for path in sorted((ROOT / "Tests/ConfigurationTests/Goldens/bad").glob("*.yaml")):
        if path.stat().st_size < 3000:
            write("configuration", f"bad-{path.stem}", path.read_bytes())
    every = (ROOT / "Tests/ConfigurationTests/Goldens/good/every-option.yaml").read_bytes()
    write("configuration", "every-option", every)
    write("configuration", "least", "sources:\n  - {name: in, kind: stdin}\nsinks:\n  - {name: out, kind: stdout}\n")
    write("configuration", "quoted", "sources: [{\"name\": 'i''n', kind: \"st\\x64in\"}]\nsinks:\n- name: |\n    out\n  kind: >-\n    stdout\n")
    write("configuration", "mark", b"\xef\xbb\xbfsources:\r\n- {name: in, kind: fifo, path: $STATE_DIRECTORY/x}\r\nsinks: []\r\n")
    words = sorted({word.strip(" -").rstrip(":") for line in every.decode().splitlines() for word in [line.split(": ")[0]]
                    if word.strip() and not line.strip().startswith("#")})
    dictionary("configuration", words + ["${EMPTY}", "$$", "&a ", "*a", "!!str ", "|\n", ">-\n", "\u2028", "---\n", "{", "[", "? ", "<<: "])


def lines():
    stream = f"{TEXT}\r\n\n  \u3000\nname\t{TEXT}\tmore\n" + "x" * 230 + "\nlast"
    objects = "\n".join([
        json.dumps({"text": TEXT, "id": 7}), json.dumps({"id": None, "text": TEXT}, ensure_ascii=False),
        '{"text":"\\ud83d\\ude00\\u0041","input_text":[1.5e-3,{"a":[true,false,null]}],"label":"b"}',
        '{"text":"a","text":"b"}', '{"text":1}', "[1]", '{"text":"\\ud800"}', '{"t\\u0065xt":"a\\/b"} '])
    for choice in range(18):
        form, encoding = choice % 3, choice // 3
        contents = objects if form == 1 else stream
        codec = ["utf-8", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be"][encoding]
        write("lines", f"form-{form}-encoding-{encoding}", bytes([choice, 6 + choice]) + contents.encode(codec, "replace"))
    write("lines", "mark", bytes([0, 0]) + b"\xef\xbb\xbf" + TEXT.encode() + b"\r\n\r")
    write("lines", "broken", bytes([0, 3]) + b"a\x00b\n\xff\xfe\n\xed\xa0\x80\n\xc0\x80\n\xf4\x90\x80\x80\n\xe4\xb8")
    dictionary("lines", ['{"text":"', '"}', "\\u0000", "\\ud83d\\ude00", "input_", '"id":', "\r\n", "\n", "\0\n", "\n\0", "\t",
                         b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xe3\x80\x80", b"\x84\x31\xa4\x39", b"\xc7\xf3", b"\xfe\x40"])


def data():
    rows = [{"text": TEXT, "label": "a", "id": "x1"}, {"text": "weather", "label": "b", "id": -7}, {"text": "", "label": None},
            {"other": [1, {"a": 2.5e3}], "text": "\u00e9\U0001f600\n\"\\"}]
    write("training-data", "rows", "\n".join(json.dumps(row) for row in rows) + "\n")
    write("training-data", "plain", b"\xef\xbb\xbf" + json.dumps(rows[0], ensure_ascii=False).encode() + b"\r\n\n")
    for name, row in [("no-text", '{"label":"a"}'), ("cut", '{"text":"a'), ("deep", '{"text":"a","o":' + "[" * 130 + "]" * 130 + "}"),
                      ("half", '{"text":"\\ud800"}'), ("label", '{"text":"a","label":""}'), ("id", '{"text":"a","id":[1]}')]:
        write("training-data", name, row)
    write("human-labels", "labels", '{"id":"00ff","label":"a"}\n\n{"id":"1","label":"\u4f53","more":[1]}\n{"id":"+1","label":"a"}\n')
    write("human-labels", "wrong", '{"id":1}\n{"id":"g","label":"a"}\n{"label":"\\u0000","id":"ffffffffffffffff"}\n[]\n{')
    head = '{"teacher":"t","labels":["a","b"]}\n'
    write("teacher-logits", "two", head + '{"id":"00000000000000ff","logits":[1.5,-2e-3]}\n{"id":"1","logits":[0,0]}\n')
    write("teacher-logits", "torn", head + '{"id":"1","logits":[1,2]}\n{"id":"2","lo')
    write("teacher-logits", "other", '{"teacher":"u","labels":["a","b"]}\n')
    write("teacher-logits", "beyond-float", head + '{"id":"1","logits":[1e300,2]}\n')
    write("teacher-logits", "wrong", head + '{"id":"1","logits":[1e400,2]}\n')
    words = ['{"text":"', '"label":"', '"id":', "null", "\\u", "\\ud83d\\ude00", '","', '"}\n', "[", "{", "1e5"]
    dictionary("training-data", words)
    dictionary("human-labels", words)
    dictionary("teacher-logits", words + ['"logits":[', '{"teacher":"t","labels":["a","b"]}\n', "]}\n"])


JSON_WORDS = ["{", "}", "[", "]", ":", ",", "true", "false", "null", "-", "1e5", "0.5", "\\u0000", "\\ud83d\\ude00", '"', "9223372036854775807"]


def json_documents():
    write("json", "all", json.dumps({"a": [1, -0.5e-7, True, None, {"b": "\u6e2f\n\"\\\u0001"}], "": {}, "\u00e9": []}))
    write("json", "plain", json.dumps([TEXT, 1e300, 12345678901234567890], ensure_ascii=False))
    write("json", "deep", "[" * 70 + "]" * 70)
    write("json", "same", '{"\u00e9":1,"e\u0301":2}')
    dictionary("json", JSON_WORDS)


def tensors(header, body=b"", padding=0):
    text = header if isinstance(header, bytes) else json.dumps(header).encode() + b" " * padding
    return struct.pack("<Q", len(text)) + text + body


def layout(entries):
    """A header and a body for names with types and shapes."""
    width = {"F32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1, "I64": 8, "BOOL": 1}
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, (kind, shape) in entries.items():
        count = 1
        for size in shape:
            count *= size
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + count * width[kind]]}
        body += bytes((7 * i + 1) % 60 for i in range(count * width[kind]))
    return tensors(header, body)


def safetensors():
    write("safetensors", "types", layout({
        "a": ("F32", [2, 3]), "b": ("F16", [4]), "c": ("BF16", [1, 2]), "d": ("I8", [2, 2]), "d.scale": ("F32", [2]),
        "e": ("I64", []), "f": ("BOOL", [0, 5]), "g": ("U8", [3])}))
    write("safetensors", "empty", tensors({}))
    write("safetensors", "large", tensors({"a": {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 0]}}))
    write("safetensors", "long", struct.pack("<Q", 1 << 60) + b"{}")
    write("safetensors", "hole", tensors({"a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}, b"ab"))
    write("safetensors", "infinite", tensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"\0\0\x80\x7f"))
    dictionary("safetensors", JSON_WORDS + ['"dtype":"F32"', '"dtype":"I8"', '"dtype":"F16"', '"dtype":"BF16"', '"shape":[', '"data_offsets":[', '"__metadata__":{', ".scale"])


STUDENT = {"model_type": "understudy-bilstm", "version": "v1", "input": "tokens", "vocab_size": 5, "embedding_size": 4,
           "hidden_size": 2, "dense_size": 3, "pooling": ["last", "max", "mean"], "shortcut_buckets": 8, "maximum_tokens": 16,
           "labels": ["a", "\u4f53"], "precision": "f16", "early_exit": {"threshold": 0.9, "scale": 1.5}, "seed": 7,
           "calibration": {"temperature": 1.5, "deferral_threshold": 0.8, "policy": "margin", "holdout": "x"}}
TEACHER = {"model_type": "bert", "vocab_size": 6, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
           "intermediate_size": 3, "hidden_act": "gelu", "max_position_embeddings": 5, "type_vocab_size": 2,
           "layer_norm_eps": 1e-12, "classifier_pooling": "mean", "id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1},
           "num_labels": 2, "pad_token_id": 0, "calibration": {"temperature": 2.0}}


def model_directory():
    write("model-directory", "student", json.dumps(STUDENT))
    write("model-directory", "teacher", json.dumps(TEACHER))
    base = {key: value for key, value in TEACHER.items() if key not in ("id2label", "label2id", "num_labels")}
    write("model-directory", "base", json.dumps(base))
    small = dict(STUDENT, vocab_size=1, embedding_size=1, hidden_size=1, dense_size=1, pooling=["last"], shortcut_buckets=0,
                 labels=["a"])
    del small["early_exit"]
    names = {"embedding.weight": ("F16", [1, 1]), "dense.weight": ("F32", [1, 2]), "dense.bias": ("F32", [1]),
             "classifier.weight": ("BF16", [1, 1]), "classifier.bias": ("F32", [1])}
    for side in ("forward", "backward"):
        names |= {f"lstm.{side}.weight_ih": ("F32", [4, 1]), f"lstm.{side}.weight_hh": ("F32", [4, 1]), f"lstm.{side}.bias": ("F32", [4])}
    write("model-directory", "student-with-weights", json.dumps(small).encode() + b"\0" + layout(names))
    # Sizes claimed by a file that doesn't have them.
    for key in ("vocab_size", "embedding_size", "hidden_size", "dense_size", "shortcut_buckets", "maximum_tokens"):
        large = dict(small) | {key: {"vocab_size": 4_000_000, "dense_size": 65536, "shortcut_buckets": 1 << 26,
                                     "maximum_tokens": 1_000_000}.get(key, 4096)}
        write("model-directory", f"student-claims-{key}", json.dumps(large).encode() + b"\0" + layout(names))
    tiny = dict(base, hidden_size=1, num_attention_heads=1, vocab_size=1, max_position_embeddings=2, type_vocab_size=1,
                intermediate_size=1)
    parts = {"embeddings.word_embeddings.weight": ("F32", [1, 1]), "embeddings.position_embeddings.weight": ("F32", [2, 1]),
             "embeddings.token_type_embeddings.weight": ("F32", [1, 1]), "encoder.layer.0.intermediate.dense.weight": ("I8", [1, 1])}
    write("model-directory", "teacher-with-weights", json.dumps(tiny).encode() + b"\0" + layout(parts))
    # Wide enough that the attention, which the file lacks, would exhaust the memory.
    wide = dict(tiny, hidden_size=65536)
    parts = {name: (kind, [shape[0], 0]) for name, (kind, shape) in parts.items()}
    write("model-directory", "teacher-claims-width", json.dumps(wide).encode() + b"\0" + layout(parts))
    write("model-directory", "labels", json.dumps(dict(TEACHER, id2label={"0": "a", "2": "b"})))
    dictionary("model-directory", JSON_WORDS + [f'"{key}":' for key in list(STUDENT) + list(TEACHER)] + ["LABEL_0", "65536", "4096"])


def word_piece(**more):
    return {"version": "1.0", "added_tokens": [{"id": 0, "content": "[UNK]", "special": True}],
            "normalizer": {"type": "BertNormalizer", "clean_text": True, "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
            "model": {"type": "WordPiece", "unk_token": "[UNK]",
                      "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "port": 3, "##s": 4, "\u6e2f": 5}}} | more


def unigram(**more):
    pool = b"A\0fi\0"
    units = struct.pack("<256I", *([1 << 10] + [0] * 255))
    charsmap = base64.b64encode(struct.pack("<I", len(units)) + units + pool).decode()
    return {"version": "1.0", "added_tokens": [],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": charsmap}, {"type": "NFKC"}, {"type": "Strip"},
                {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"Regex": "[ a-f\\s]{2,}"}, "content": " "}]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"}]},
            "post_processor": {"type": "TemplateProcessing", "single": [
                {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}], "special_tokens": {"</s>": {"ids": [1]}}},
            "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
                      "vocab": [["<unk>", 0], ["</s>", 0], ["\u2581", -2.5], ["port", -3e0], ["\u6e2f", -4]]}} | more


def replaces(count, content):
    return {"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"String": "a"}, "content": content} for _ in range(count)]}


def tokenizers():
    for name, tokenizer in [
            ("wordpiece", word_piece()), ("unigram", unigram()), ("grows", word_piece(normalizer=replaces(40, "aaaaaaaaaa"))),
            ("many-steps", word_piece(normalizer=replaces(100, "a")))]:
        text = json.dumps(tokenizer)
        write("tokenizer-json", name, text)
        write("tokenizer-directory", name, text + "\0\0\0\0" + TEXT + " aaa")
    write("tokenizer-json", "plain", json.dumps(unigram(), ensure_ascii=False, indent=1))
    write("tokenizer-json", "numbers", '{"model":{"type":"Unigram","unk_id":0,"vocab":[["a",-1.5e-320],["b",123456789012345678901234e-30]]}}')
    vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nport\n##s\n\u6e2f\n"
    write("tokenizer-directory", "vocabulary", "\0" + vocabulary + '\0{"do_lower_case":false,"model_max_length":9}\0{"cls_token":"[CLS]"}\0' + TEXT)
    write("tokenizer-directory", "characters", "\0[PAD]\n[UNK]\n\u6e2f\na\n" + '\0{"tokenizer_class":"CharacterTokenizer"}\0\0' + TEXT)
    write("tokenizer-directory", "xlm", json.dumps(unigram(model={"type": "Unigram", "unk_id": 3, "vocab": [
        ["<s>", 0], ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["\u2581port", -2]]}, normalizer=None, post_processor=None))
        + '\0\0{"tokenizer_class":"XLMRobertaTokenizer","mask_token":null}\0\0' + TEXT)
    write("vocabulary", "bert", vocabulary)
    write("vocabulary", "space", "a \t\r\nb\u3000\n\n\u00a0c\nlast")
    write("vocabulary", "twice", "a\nb\na\n")
    words = JSON_WORDS + [f'"{word}"' for word in (
        "type Sequence normalizers Replace pattern String Regex content Prepend prepend Precompiled precompiled_charsmap Strip "
        "strip_left StripAccents Lowercase NFC NFKD BertNormalizer pre_tokenizer pretokenizers Metaspace replacement prepend_scheme "
        "always first never split Whitespace WhitespaceSplit BertPreTokenizer post_processor TemplateProcessing single SpecialToken "
        "special_tokens ids id RobertaProcessing cls sep model WordPiece Unigram vocab unk_token unk_id byte_fallback added_tokens "
        "special lstrip rstrip normalized single_word continuing_subword_prefix max_input_chars_per_word tokenizer_class "
        "BertTokenizer PreTrainedTokenizerFast do_lower_case model_max_length added_tokens_decoder additional_special_tokens "
        "split_special_tokens truncation_side left").split()] + ["\\\\s", "{2,}", "[^", "a-z", "\\\\x{D800}"]
    dictionary("tokenizer-json", words)
    dictionary("tokenizer-directory", words)
    texts = [TEXT, "Ports, PORTING\u2026 \u212b\u0301e\u0301 \uac00\u1100\u1161\u11a8", "``a''  b\t\u200b\u00ad\ufeff", "\uff21\u2460\ufb01\ufdfa<e> Ab ab [UNK]",
             "a\u0315\u0300\u05ae\u0062", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u304b\u3099", "x" * 300]
    for choice in range(30):
        write("tokenize", f"{choice:02}", bytes([choice, 5 + 8 * choice]) + texts[choice % len(texts)].encode())
    write("tokenize", "not-text", bytes([2, 60]) + bytes(range(256)))
    dictionary("tokenize", ["\u0300", "\u0315", "\u05ae", "\u1161", "\u11a8", "\uac00", "\uff21", "\ufdfa", "\u0130", "\u3099", "\u200d", "\u2581", "[UNK]", "<e>",
                            "##", "\u0344", "\U0001d15e", "\u00ad", "\ufffd", "  ", "''"])


def word_vectors():
    text = "3 2\nport 1.5 -2e-3\n\u7684 0x1p3 4\nother 5 6\n"
    write("word-vectors", "text", text)
    write("word-vectors", "no-head", "port 1 2 3\na\t4\t5\t6 \r\n")
    write("word-vectors", "gzip", gzip.compress(text.encode(), mtime=0))
    write("word-vectors", "claims", "4000000000 65536\nport 1\n")
    write("word-vectors", "only-a-head", "0 5\n")
    write("word-vectors", "wrong", "port nan inf\nport 1 2\n")
    dictionary("word-vectors", ["port ", "\u7684 ", "a ", " 1", "\n", "3 2\n", "nan", "1e40", "0x1p-3", "\t", "\r\n", "\x0b"])


def requests():
    write("http-request", "get", "GET /status?x=1 HTTP/1.1\r\nHost: localhost:9464\r\nAccept: */*\r\n\r\n")
    write("http-request", "bare", "HEAD / HTTP/1.0\nhost: [::1]:80\n\n")
    write("http-request", "two-hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    write("http-request", "folded", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n")
    write("http-request", "part", "GET / HTT")
    write("http-request", "octal", "GET / HTTP/1.1\r\nHost: 127.0.0.1.:\r\n\r\nbody")
    dictionary("http-request", ["GET ", "HEAD ", "/status", "/metrics", " HTTP/1.1\r\n", " HTTP/1.0\n", "Host: ", "localhost", "127.0.0.1", "[::1]", ":9464", "\r\n\r\n", "\n\n", "?"])
    for name, text in [("port", "127.0.0.1:9464"), ("six", "[::1]:0"), ("name", "localhost:80"), ("unix", "unix:/run/x.socket"),
                       ("far", "0.0.0.0:1"), ("signed", "127.0.0.1:+80"), ("brackets", "[127.0.0.1]:1"), ("bare", "::1:80")]:
        write("status-address", name, text)
    dictionary("status-address", ["127.0.0.1", "localhost", "[::1]", "::1", ":9464", "unix:/", "[", "]", "65535", "+"])


ZSTD = [bytes.fromhex(text) for text in (
    "28b52ffd04685501000402706f727420776972650ae6b8afe58fa3e696b0e888aae7babfe5bc80e9809a0a02002d066014ea093bead41e",
    "28b52ffd04588d000050706f727420776972650a0100c8e32f5a51e27271")]


def packed():
    text = (TEXT + "\n").encode() * 9
    one = gzip.compress(text, mtime=0)
    for name, contents in [
            ("one", one), ("two", one + gzip.compress(b"", mtime=0) + one), ("padded", one + bytes(40)), ("cut", one[:-9]),
            ("stored", gzip.compress(text[:50], 0, mtime=0)), ("rest", one + b"rest"), ("flipped", one[:30] + b"\xff" + one[31:]),
            ("named", b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x04\0abcdname\0comment\0" + zlib.compress(b"a")[2:-4] + bytes(8)),
            ("long", gzip.compress(bytes(60_000), mtime=0))]:
        write("gzip", name, bytes([8 + len(name), 3]) + contents)
    magic = struct.pack("<I", 0xFD2FB528)
    raw = magic + b"\x20\x05" + struct.pack("<I", 1 | 5 << 3)[:3] + b"hello"
    repeated = magic + b"\x00\x58" + struct.pack("<I", 1 | 1 << 1 | 900 << 3)[:3] + b"x"
    skipped = struct.pack("<II", 0x184D2A50, 3) + b"abc"
    for name, contents in [
            ("raw", raw), ("repeated", repeated), ("skipped", skipped + raw), ("two", raw + repeated), ("cut", raw[:-2]),
            ("window", magic + b"\x00\xff" + b"\x01\x00\x00"), ("text", ZSTD[0]), ("checked", ZSTD[1]), ("rest", raw + b"rest"),
            ("both", ZSTD[1] + skipped + ZSTD[0])]:
        write("zstd", name, bytes([8 + len(name), 3]) + contents)
    dictionary("gzip", [b"\x1f\x8b\x08\x00", bytes(8)])
    dictionary("zstd", [magic, struct.pack("<I", 0x184D2A50)])


def segment(number, contents):
    return b"\x01" + f"{number:020}.seg".encode() + b"\0" + contents + b"\0"


def checkpoint(inode, offset, line=1, flags=0, more=b""):
    return bytes([flags, inode, offset, line]) + more + bytes([offset])


def spools():
    two = segment(1, b"first\nsecond\n") + segment(2, b"third\n")
    write("spool", "two", two)
    write("spool", "resumed", two + checkpoint(1, 6, 2))
    write("spool", "finished", two + checkpoint(1, 13, 3, flags=2 << 4))
    write("spool", "unanswered", two + checkpoint(1, 13, 3, flags=2, more=b"\x06"))
    write("spool", "gone", two + checkpoint(9, 6, 2) + checkpoint(1, 200, 2))
    write("spool", "last-number", segment(2 ** 64 - 1, b"a\n"))
    write("spool", "greatest-number", segment(2 ** 63 - 1, b"a\n"))
    write("spool", "beyond", segment(2 ** 64, b"a\n"))
    write("spool", "signed", b"\x01+0000000000000000007.seg\0a\n\0")
    write("spool", "foreign", b"\x01notes.txt\0a\n\0" + b"\x0100000000000000000001.seg.damaged\0b\0" + segment(3, b"\n\n"))
    write("spool", "far-checkpoint", two + bytes([4]) + b"\xff" * 32)
    dictionary("spool", [b"\x0100000000000000000001.seg\0", b"\x0100000000000000000002.seg\0", b"\x0118446744073709551615.seg\0", ".damaged", "\n", b"\0"])


def states():
    write("state", "empty", b"\0")
    write("state", "text", b"\0not a database")
    write("state", "page", b"\0SQLite format 3\0" + bytes(84))
    write("state", "log", b"\1" + struct.pack(">IIIIIIII", 0x377F0682, 3007000, 4096, 0, 1, 2, 3, 4) + bytes(60))
    write("state", "whole", b"\2")
    for place in (0, 18, 28, 60, 100, 105, 4096, 4100, 8192, 12300, 20480, 24576, 28672):
        write("state", f"main-{place}", b"\2" + struct.pack(">IB", place, 0x81))
    for place in (0, 8, 16, 32, 40, 56, 4152, 4200, 8300):
        write("state", f"log-{place}", b"\3" + struct.pack(">IB", place, 0x81))
    dictionary("state", ["SQLite format 3", b"\x37\x7f\x06\x82", "CREATE TABLE ", "checkpoint", "sink", "disagreement"])


for make in (configuration, lines, data, json_documents, safetensors, model_directory, tokenizers, word_vectors, requests, packed,
             spools, states):
    make()

#!/usr/bin/env python3
"""Write Tests/TextTests/Goldens: small tokenizers in the Hugging Face layout, texts, and the ids that Transformers
gives them.

    python3 Tests/Goldens/make-tokenizer-goldens.py

Needs transformers and tokenizers. Everything is made from the sentences below, written for this purpose.
`tokenizer_variants` is also used by check-tokenizers.py, on another corpus.
"""
import collections
import json
import math
import pathlib
import shutil
import struct

import tokenizers
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

SENTENCES = """
城东新开的图书馆周末吸引了上千名读者
本市地铁三号线延长段今日开始试运行
主队在加时赛中攻入制胜一球，球迷彻夜庆祝
新款电动汽车续航超过六百公里，售价公布
高校招生办公室提醒考生注意填报时间
博物馆展出一批两千年前的青铜器
游戏公司宣布夏季版本将加入双人模式
老师傅用三十年时间修复古籍三百余册
气象台：今夜到明天有大雨，气温下降８度
ＡＩ芯片需求旺盛，相关公司股价上涨３．５％
The night train to Lhasa leaves at 21:30 from platform 4
Scientists count frogs, toads and newts in the old quarry
iPhone用户可在App Store下载2.0版本
Un café crème à la gare, s’il vous plaît
Über den Fluß führt eine schmale Brücke
Завтра в городе ожидается снег и ветер
Η θάλασσα ήταν ήρεμη χθες το βράδυ
مكتبة جديدة تفتح أبوابها في وسط المدينة
नई रेलगाड़ी कल सुबह दिल्ली से चलेगी
새로운 도서관이 시내에 문을 열었다
図書館は午後八時まで開いています
Hà Nội có mưa lớn vào chiều nay
""".strip().splitlines()

CASES = SENTENCES + [
    "", " ", "   ", "\t", "\u3000\u3000", "  前后 都有 空格  ", "a  b   c    d",
    "Ｆｕｌｌ－ｗｉｄｔｈ　ｔｅｘｔ：１２３，ＡＢＣ！", "～波浪～和〜另一个", "《书名》【括号】「引号」…—·", "①②③ ㈱ ㎏ ℃ Ⅳ ½ ﬁne ﷺ",
    "\u3400\u4db5 \U00020000\U0002a6d6 \U0002a700\U0002b738 \U0002b740\U0002b81d \U0002b820\U0002cea1 "
    "\U0002ceb0\U0002ebe0 \U00030000\U0003134a", "\uf900\ufa0e \U0002f800\U0002fa1d 々〇〆",
    "😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇳🇫🇷 ❤️ 1️⃣ ☺", "赢了😀😀", "cafe\u0301 naïve ÅNGSTRÖM å ﬀ İstanbul ıI ßẞ ΣΑΣ ǅ",
    "e\u0301\u0323 o\u0302\u0301 a\u0315\u0300\u05ae\u0062 q\u0307\u0323", "Việt Nam \u1ea4\u1eb8", "مَكْتَبَة ـــ ١٢٣",
    "क्षत्रिय स्कूल हिंदी ज़", "한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8 ㄱㄴ", "ไทยไม่มีวรรค ພາສາລາວ", "שָׁלוֹם", "𝒜𝓁𝓅𝒽𝒶 𝟙𝟚 ™ ª",
    "zero\u200bwidth\u200cjoin\u200der\u2060\ufeffbom\u00adsoft", "ctrl\u0001\u0002\u007f\u0085\u009f\u000b\u000cend", "nul\u0000byte",
    "tab\there\rcr", "nbsp\u00a0thin\u2009ideographic\u3000line\u2028para\u2029end", "\ufffd replacement \ue000\uf8ff private",
    "x" * 99, "x" * 100, "x" * 101, "国" * 120, "长词" + "abcdefghij" * 15 + "结尾", "1" * 60 + "." + "2" * 60,
    "[MASK]", "今天[MASK]很好", "[CLS] 开头 [SEP] 结尾 [PAD][UNK]", "[mask] [ MASK ] [MASK", "<s>你好</s><mask> <unk>", "<mask>", "  <mask>  好",
    "a<mask>b", "Ab<tag>CD <TAG> <tag>", "wordword word words aword", "it's don't e-mail user@example.com http://a.b/c?d=e#f", "C++ & C# $5 ^_^ `x` |y| ~z",
    "!!!???...", "。，、；：？！", "▁▁underline▁ mark ▁", "a ▁b", "2024年12月31日23:59", "第１００回", "ｶﾀｶﾅ ﾊﾟ ガ か\u3099", "ＡｂＣ ａＢｃ", "\u212b\u2126\u212a",
    "\u0958\u0929 \u09dc", "\U0001d15e \U0001d1bb", "\u1e9b\u0323", "\u0344 \u0374 \u037e \u0387", "\u2000\u2001 \u226e \u2adc", "\u0300leading mark", "a\u0338=\u0338",
    "\U000e0041\U000e007f tags", "\U0010ffff \uffff \ufdd0", "ꙁ Ꙁ ᏸ Ꮳ ა Ა 𐐀 𞤀",
]

META = "\u2581"
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
XLM_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def characters_map(pairs):
    """SentencePiece's precompiled_charsmap: a Darts double array from UTF-8 keys to offsets of replacements."""
    pool, offsets = b"", {}
    for _, value in pairs:
        if value not in offsets:
            offsets[value] = len(pool)
            pool += value.encode() + b"\0"
    trie = {}
    for key, value in pairs:
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = offsets[value]
    units, taken = {}, {0}

    def place(node, position):
        labels = sorted(0 if label is None else label for label in node)
        base = next(b for b in range(1, 1 << 20)
                    if b not in (0, position) and not any((b ^ label) in taken for label in labels))
        offset = base ^ position
        if offset >= 1 << 21:
            raise SystemExit("the map is too large")
        units[position] = units.get(position, 0) | offset << 10 | (None in node) << 8
        taken.update(base ^ label for label in labels)
        for label, child in node.items():
            if label is None:
                units[base] = child | 1 << 31
            else:
                units[base ^ label] = label
                place(child, base ^ label)

    place(trie, 0)
    size = (max(units) // 256 + 1) * 256
    blob = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))
    return struct.pack("<I", len(blob)) + blob + pool


def example_map():
    """Some of what NFKC does, by code point and by cluster, and keys that are prefixes of clusters."""
    pairs = [(chr(c), chr(c - 0xFEE0)) for c in range(0xFF01, 0xFF5E)]
    pairs += [("\u3000", " "), ("\u00a0", " "), ("\t", " "), ("\u200b", " "), ("\u0001", ""), ("\u00ad", "")]
    pairs += [("\u2460", "1"), ("\u210c", "H"), ("\ufb01", "fi"), ("\ufdfa", "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647")]
    pairs += [("e\u0301", "\u00e9"), ("a\u0300", "\u00e0"), ("か\u3099", "が"), ("\u0344", "\u0308\u0301"), ("\r\n", " ")]
    return characters_map(sorted(pairs))


def frequent_parts(words, size, longest=6):
    """The `size` most useful parts of the words (how often times how long), every character among them, with counts.
    The trainers of `tokenizers` break ties at random; this gives the same parts every time."""
    counts = collections.Counter(
        word[i:j] for word in words for i in range(len(word)) for j in range(i + 1, min(i + longest, len(word)) + 1))
    best = sorted(counts, key=lambda part: (len(part) > 1, -counts[part] * len(part), part))
    return [(part, counts[part]) for part in best[:size]]


def word_pieces(corpus, size, lowercase):
    normalize = normalizers.BertNormalizer(lowercase=lowercase).normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    words = [word for text in corpus for word, _ in split(normalize(text))]
    inner = ["##" + part for part, _ in frequent_parts([word[1:] for word in words], size // 3)]
    return BERT_SPECIAL + [part for part, _ in frequent_parts(words, size * 2 // 3)] + inner


def unigram_pieces(corpus, size, normalizer):
    split = pre_tokenizers.Metaspace().pre_tokenize_str
    parts = frequent_parts([word for text in corpus for word, _ in split(normalizer.normalize_str(text))], size)
    total = sum(count for _, count in parts)
    scores = [(part, round(math.log(count / total), 6)) for part, count in parts]
    return [(piece, 0.0) for piece in XLM_SPECIAL] + scores + [("<mask>", 0.0)]


def unigram(pieces, normalizer, pre_tokenizer, processor="template", byte_fallback=False, extra=()):
    if byte_fallback:
        pieces = pieces + [(f"<0x{b:02X}>", -30.0) for b in range(256)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=byte_fallback))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    special = [AddedToken(s, special=True, normalized=False) for s in XLM_SPECIAL]
    tokenizer.add_special_tokens(special + [AddedToken("<mask>", special=True, normalized=False, lstrip=True)])
    tokenizer.add_tokens(list(extra))
    tokenizer.post_processor = {
        "template": processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]),
        "roberta": processors.RobertaProcessing(("</s>", 2), ("<s>", 0)),
        "bert": processors.BertProcessing(("</s>", 2), ("<s>", 0)),
    }[processor]
    return tokenizer.to_str()


def tokenizer_variants(corpus, size):
    """name -> {file name: contents}: directories that AutoTokenizer loads, covering what the Swift side supports."""
    bert = {"config.json": json.dumps({"model_type": "bert", "max_position_embeddings": 128})}
    plain = bert | {"tokenizer_config.json": json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})}
    lower, cased = word_pieces(corpus, size, True), word_pieces(corpus, size, False)
    vocab = {True: "".join(t + "\n" for t in lower), False: "".join(t + "\n" for t in cased)}

    def config(**options):
        return {"tokenizer_config.json": json.dumps({"tokenizer_class": "BertTokenizer"} | options)}

    drop, space = Regex("[\\x{1}-\\x{8}\\x{e}-\\x{1f}\\x{7f}]"), Regex("[\\x{9}\\x{200b}\\x{200c}\\x{2028}]")
    e5 = normalizers.Sequence([
        normalizers.Replace(drop, ""), normalizers.Replace(space, " "), normalizers.Replace("\uff5e", "\ue000"),
        normalizers.NFKC(), normalizers.Replace("\ue000", "\uff5e"), normalizers.Replace(Regex(" {2,}"), " ")])
    charsmap = normalizers.Precompiled(example_map())
    pieces = unigram_pieces(corpus, size, e5)
    metaspace, sequence = pre_tokenizers.Metaspace, pre_tokenizers.Sequence
    tags = [AddedToken("<tag>", normalized=True), AddedToken("word", single_word=True, normalized=False),
            AddedToken("<BIG>", normalized=True, rstrip=True)]

    word_piece_json = Tokenizer(models.WordPiece({t: i for i, t in enumerate(cased)}, unk_token="[UNK]"))
    word_piece_json.normalizer = normalizers.BertNormalizer(lowercase=False)
    word_piece_json.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    word_piece_json.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in BERT_SPECIAL])
    word_piece_json.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))

    return {
        "bert-lower": bert | {"vocab.txt": vocab[True]},
        "bert-cased": bert | {"vocab.txt": vocab[False]} | config(do_lower_case=False, model_max_length=40),
        "bert-cased-strip": bert | {"vocab.txt": vocab[False]} | config(do_lower_case=False, strip_accents=True),
        "bert-lower-accents": bert | {"vocab.txt": vocab[True]} | config(
            strip_accents=False, tokenize_chinese_chars=False, truncation_side="left", model_max_length=16),
        "bert-json": bert | {"tokenizer.json": word_piece_json.to_str()} | config(
            do_lower_case=False, extra_special_tokens=["<tag>"]),
        "plain-wordpiece": plain | {"tokenizer.json": word_piece_json.to_str()},
        "unigram-e5": plain | {"tokenizer.json": unigram(pieces, e5, metaspace(prepend_scheme="always"))},
        "unigram-charsmap": plain | {"tokenizer.json": unigram(
            pieces, normalizers.Sequence([charsmap, normalizers.Replace(Regex(" {2,}"), " ")]),
            sequence([pre_tokenizers.WhitespaceSplit(), metaspace()]), "roberta", byte_fallback=True)},
        "unigram-xlm": bert | {
            "tokenizer.json": unigram(pieces, charsmap, metaspace()),
            "tokenizer_config.json": json.dumps({"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 20})},
        "unigram-bytes": plain | {"tokenizer.json": unigram(
            pieces, normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]),
            metaspace(prepend_scheme="first", split=False), "bert", byte_fallback=True, extra=tags)},
        "unigram-never": plain | {"tokenizer.json": unigram(
            pieces, normalizers.Sequence([normalizers.Strip(), normalizers.NFC(), normalizers.Prepend(META)]),
            metaspace(prepend_scheme="never"), byte_fallback=True, extra=tags)},
        "unigram-words": plain | {"tokenizer.json": unigram(
            pieces, normalizers.Sequence([normalizers.NFKD(), normalizers.BertNormalizer(lowercase=True)]),
            pre_tokenizers.Whitespace(), byte_fallback=True, extra=tags)},
        "unigram-first": plain | {"tokenizer.json": unigram(
            pieces, e5, metaspace(prepend_scheme="first"), byte_fallback=True, extra=tags)},
    }


def n_gram_buckets(text, bits):
    """A plain reading of NGramHasher: folding, marks, order of the n-grams, and the hash."""
    lower = normalizers.Lowercase().normalize_str

    def fold(c):
        return ord(lower(chr(ord(c) - 0xFEE0 if 0xFF01 <= ord(c) <= 0xFF5E else ord(c)))[0])

    def half(a, b):
        return (a * b >> 64) ^ (a * b & (1 << 64) - 1)

    def bucket(*symbols):
        a, b, c = (0x110002,) * (3 - len(symbols)) + symbols
        key = a << 42 & (1 << 64) - 1 | b << 21 | c
        s0, s1 = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
        return half(half(key ^ s0, s1), key ^ s1) >> 64 - bits

    symbols = [0x110000] + [fold(c) for c in text if not c.isspace() or c in "\x1c\x1d\x1e\x1f"] + [0x110001]
    buckets = []
    for i in range(1, len(symbols)):
        if len(symbols) == 2:
            break
        if i < len(symbols) - 1:
            buckets.append(bucket(symbols[i]))
        buckets.append(bucket(*symbols[i - 1:i + 1]))
        if i >= 2:
            buckets.append(bucket(*symbols[i - 2:i + 1]))
    return buckets


def write_variants(variants, folder):
    for name, files in variants.items():
        directory = pathlib.Path(folder, name)
        directory.mkdir(parents=True)
        for file, contents in files.items():
            (directory / file).write_text(contents, encoding="utf-8", newline="")


def encoder(directory):
    """text -> ids, as a model sees them; length: the tokenizer's own limit, else the model's positions."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    positions = json.loads(pathlib.Path(directory, "config.json").read_text()).get("max_position_embeddings", 512)
    limit = min(int(tokenizer.model_max_length), positions)
    return lambda texts: tokenizer(texts, truncation=True, max_length=limit)["input_ids"] if texts else []


def main():
    goldens = pathlib.Path(__file__).resolve().parent.parent / "TextTests/Goldens"
    shutil.rmtree(goldens, ignore_errors=True)
    goldens.mkdir(parents=True)
    variants = tokenizer_variants(SENTENCES, 420)
    write_variants(variants, goldens)
    with open(goldens / "cases.json", "w", encoding="utf-8") as out:
        json.dump(dict(texts=CASES, ids={name: encoder(goldens / name)(CASES) for name in variants}), out,
                  separators=(",", ":"))
        out.write("\n")
    with open(goldens / "ngrams.json", "w", encoding="utf-8") as out:
        json.dump(dict(bits=18, texts=CASES, buckets=[n_gram_buckets(text, 18) for text in CASES]), out,
                  separators=(",", ":"))
        out.write("\n")
    (goldens / "README").write_text(
        "Written by Tests/Goldens/make-tokenizer-goldens.py with transformers "
        f"{transformers.__version__} and tokenizers {tokenizers.__version__}.\n"
        "A folder is a tokenizer; cases.json has texts and, for each tokenizer, the ids that Transformers gives them;\n"
        "ngrams.json has the n-gram buckets of the texts, computed by the script.\n",
        encoding="utf-8")
    size = sum(f.stat().st_size for f in goldens.rglob("*") if f.is_file())
    print(f"{goldens}: {len(variants)} tokenizers, {len(CASES)} texts, {size} bytes")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Write Tests/StreamsTests/Goldens/encodings.json: lines in GB18030 and Big5, and the two-byte codes, with the text
that Python's codecs read in them.

    python3 Tests/Goldens/make-encoding-goldens.py

A two-byte code is written only where Python and the C library's iconv agree (they follow different editions). The
headlines are invented.
"""
import ctypes
import json
import pathlib

LINES = {
    "gb18030": [
        "城东新开的图书馆周末吸引了上千名读者", "气象台：今夜到明天有大雨，气温下降８度", "plain ASCII stays", "镕炉厂旧址开放，堃记老店重张",
        "藏文 བོད་ཡིག 与 emoji 😀 也在其中", "𠮷野家换新招牌", "価格・売り場", "Ünïcödé",
    ],
    "big5": [
        "許功蓋先生成功發表新書", "市長：今天起停車費調漲５元", "plain ASCII stays", "約翰‧史密斯訪台～門票￥３００", "日本の味，快樂のゲーム",
        "①②③號出口關閉", "碁盤名人賽開打，裏千家茶會登場", "歐元€匯率走低", "香港㗎，佢哋話", "深水埗街市翻新",
    ],
}
JSON_LINES = {
    "gb18030": ['{"text":"誠乗俓","n":1}', '{"id":"茊","text":"股市\\n上涨"}'],
    "big5": ['{"text":"許功蓋","編號":7}', '{"作者":"閱餐","text":"\\"蓋\\"了"}'],
}

libc = ctypes.CDLL(None)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] * 5
TABLES = {name: libc.iconv_open(b"UTF-8", name.encode()) for name in ("GB18030", "BIG5", "BIG5-HKSCS")}


def with_iconv(table, code):
    source, target = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(64)
    place, left = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_size_t(len(code))
    out, room = ctypes.c_void_p(ctypes.addressof(target)), ctypes.c_size_t(64)
    libc.iconv(TABLES[table], None, None, None, None)
    if libc.iconv(TABLES[table], *map(ctypes.byref, (place, left, out, room))) == ctypes.c_size_t(-1).value:
        return None
    libc.iconv(TABLES[table], None, None, ctypes.byref(out), ctypes.byref(room))
    return target.raw[: 64 - room.value].decode()


def with_python(codec, code):
    try:
        return code.decode(codec)
    except UnicodeDecodeError:
        return None


def is_supplement(code):
    """Big5 codes that code page 950 has nothing or private characters for."""
    lead, trail = code
    return lead <= 0xA0 or lead in (0xC7, 0xC8) or lead >= 0xFA or (lead == 0xC6 and trail >= 0xA1)


def tables(encoding, code):
    if encoding == "gb18030":
        return "gb18030", "GB18030"
    return ("big5hkscs", "BIG5-HKSCS") if is_supplement(code) else ("cp950", "BIG5")


def codes(encoding):
    """Runs of codes that follow each other: the first in hexadecimal, and a character each."""
    runs, following = [], None
    for lead in range(0x81, 0xFF):
        for trail in [*range(0x40, 0x7F), *range(0x80, 0xFF)]:
            code = bytes([lead, trail])
            codec, table = tables(encoding, code)
            text = with_python(codec, code)
            if text is None or len(text) != 1 or text != with_iconv(table, code):
                following = None
                continue
            if following != code:
                runs.append([code.hex(), ""])
            runs[-1][1] += text
            following = bytes([lead, trail + 1]) if trail < 0xFE else None
    return runs


def encoded(encoding, text):
    """In the bytes that the project reads back as `text`."""
    out = b""
    for character in text:
        for codec in ("gb18030",) if encoding == "gb18030" else ("cp950", "big5hkscs"):
            try:
                code = character.encode(codec)
            except UnicodeEncodeError:
                continue
            if len(code) != 2 or with_python(tables(encoding, code)[0], code) == character:
                out += code
                break
        else:
            raise SystemExit(f"no {encoding} for {character}")
    return out.hex()


golden = {
    encoding: {
        "lines": [[encoded(encoding, line), line] for line in LINES[encoding]],
        "json": [[encoded(encoding, line), line] for line in JSON_LINES[encoding]],
        "codes": codes(encoding),
    }
    for encoding in LINES
}
target = pathlib.Path(__file__).resolve().parent.parent / "StreamsTests/Goldens/encodings.json"
target.write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n")
print(target, target.stat().st_size, "bytes,", {k: sum(len(r[1]) for r in v["codes"]) for k, v in golden.items()})

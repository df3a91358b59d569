import Diagnostics

/// The common frame of all reports: one self-contained HTML page without scripts, fonts or external files.
package enum ReportPage {
    /// `title` is escaped text, `main` HTML.
    package static func html(title: String, main: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(title)</title>
        <style>
        \(ReportStyle.css)
        </style>
        </head>
        <body>
        <main>
        \(main)</main>
        </body>
        </html>

        """
    }

    /// One of the key figures at the top of a page.
    package static func tile(_ style: String, _ what: String, _ value: String, _ note: String) -> String {
        "<div class=\"tile \(style)\"><span class=\"what\">\(what)</span><b>\(value)</b><span>\(note)</span></div>\n"
    }
}

/// The page's style sheet. Colours are defined once for light and once for dark; blue, orange and green-blue are
/// distinguishable for colour-blind readers, and differ in lightness.
enum ReportStyle {
    static let css = """
        :root{color-scheme:light dark;--page:#f6f5f1;--card:#fff;--ink:#1d1f24;--soft:#5c616b;--line:#e3e1da;
        --student:#2f6bd8;--teacher:#c85f0e;--cascade:#0b7f73;--wrong:#b9405a;--shadow:0 1px 2px #0000000d,0 4px 16px #0000000a}
        @media (prefers-color-scheme:dark){:root{--page:#131519;--card:#1c1f25;--ink:#e9e8e4;--soft:#a0a5af;--line:#31353d;
        --student:#7ba7ff;--teacher:#f2a057;--cascade:#4bcdbd;--wrong:#ef7f97;--shadow:none}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
        "Noto Sans","Noto Sans CJK SC",sans-serif;-webkit-text-size-adjust:100%}
        main{max-width:1160px;margin:0 auto;padding:40px 24px 56px}
        h1{font-size:clamp(1.6rem,4vw,2.2rem);line-height:1.2;letter-spacing:-.02em;margin:0 0 6px}
        h2{font-size:1.25rem;letter-spacing:-.01em;margin:44px 0 4px}
        h3{font-size:.9375rem;margin:0 0 10px;display:flex;gap:0 8px;justify-content:space-between;align-items:baseline;
        flex-wrap:wrap}
        h3 span{font-weight:400;color:var(--soft);font-size:.875rem}
        p{margin:0;max-width:88ch}
        .lead,.say{color:var(--soft);overflow-wrap:anywhere}
        .say{margin-bottom:16px}
        .grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr))}
        .grid>*{min-width:0}
        .grid+.grid{margin-top:16px}
        .start{align-items:start}
        .full{grid-template-columns:minmax(0,1fr)}
        .wide{grid-template-columns:minmax(0,1.7fr) minmax(0,1fr)}
        @media (max-width:820px){.wide{grid-template-columns:minmax(0,1fr)}main{padding:24px 14px 40px}}
        .card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px;box-shadow:var(--shadow)}
        .tiles{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(min(100%,156px),1fr));margin-top:24px}
        .tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px;
        box-shadow:var(--shadow);border-top:3px solid var(--tone,var(--line))}
        .tile b{display:block;font-size:1.6rem;line-height:1.25;letter-spacing:-.02em;
        font-variant-numeric:tabular-nums}
        .tile span{display:block;font-size:.8125rem;color:var(--soft);line-height:1.35;overflow-wrap:anywhere}
        .tile .what{color:var(--ink);font-weight:600}
        .student{--tone:var(--student)}.teacher{--tone:var(--teacher)}.cascade{--tone:var(--cascade)}
        .wrong{--tone:var(--wrong)}.before{--tone:var(--soft)}.good{--tone:var(--cascade)}
        .gate td,.gate thead th{text-align:left!important;white-space:normal!important;vertical-align:top}
        .gate b{font-weight:600}.gate .failed{color:var(--wrong)}.gate .passed{color:var(--cascade)}
        .gate small{display:block;color:var(--soft)}
        .lines{list-style:none;margin:10px 0 0;padding:0;font-size:.875rem}
        .lines li{padding:5px 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
        .facts{display:grid;grid-template-columns:minmax(0,12em) minmax(0,1fr);gap:6px 14px;margin:0;font-size:.875rem}
        .facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
        svg{display:block;width:100%;height:auto;max-width:620px;margin:0 auto}
        svg text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
        svg .title{fill:var(--ink)}
        svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}
        svg .fill{fill:var(--tone)}
        svg .gap{fill:none;stroke:var(--wrong);stroke-width:1.2;stroke-dasharray:3 2}
        svg .diagonal{stroke:var(--soft);stroke-dasharray:4 4}
        svg .level{stroke:var(--tone);stroke-width:1.5;stroke-dasharray:6 5}
        svg .curve{fill:none;stroke:var(--tone);stroke-width:2.5;stroke-linejoin:round}
        svg .dot{fill:var(--card);stroke:var(--tone);stroke-width:1.8}
        svg .mark{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:2 3}
        svg .own{fill:var(--ink);stroke:var(--card);stroke-width:2}
        .legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.8125rem;color:var(--soft);margin-top:10px}
        .legend i{display:inline-block;width:14px;height:10px;border-radius:2px;background:var(--tone);margin-right:6px}
        .legend .dash{height:0;border-top:2px dashed var(--tone);background:none;vertical-align:middle}
        .legend .dots{height:10px;width:0;border-left:2px dotted var(--ink);border-radius:0;background:none}
        .legend .box{border:1.5px dashed var(--wrong);background:none}
        .scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
        table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;width:100%}
        th{font-weight:500;text-align:left}
        td,thead th:not(:first-child){text-align:right;white-space:nowrap}
        .plain tbody th{overflow-wrap:anywhere}
        .plain th,.plain td{padding:6px 7px;border-bottom:1px solid var(--line)}
        .plain thead th{color:var(--soft);font-size:.8125rem}
        .plain tr:last-child>*{border-bottom:0}
        .plain .sum>*{border-top:2px solid var(--line)}
        .plain small{color:var(--soft);font-size:.8125rem;font-weight:400}
        .matrix{border-collapse:separate;border-spacing:3px}
        .matrix th{font-size:.8125rem;color:var(--soft);padding:2px 6px;max-width:9em;overflow:hidden;
        text-overflow:ellipsis;white-space:nowrap}
        .matrix thead th:not(:first-child){text-align:center}
        .matrix .corner{font-size:.75rem;white-space:normal;max-width:none}
        .matrix tr>:first-child{position:sticky;left:0;background:var(--card)}
        .matrix td{text-align:center;padding:9px 6px;border-radius:6px;min-width:44px;
        background:color-mix(in srgb,var(--mix) var(--heat),var(--page))}
        .matrix .right{--mix:var(--tone);font-weight:600}.matrix .wrong{--mix:var(--wrong)}
        .matrix .strong{color:var(--card)}
        footer{margin-top:44px;padding-top:16px;border-top:1px solid var(--line);color:var(--soft);font-size:.8125rem}
        footer p{margin-bottom:8px}
        @media (max-width:560px){svg text{font-size:16px}.card{padding:14px}.plain th,.plain td{padding:6px 5px}
        table{font-size:.8125rem}.matrix td{padding:8px 3px;min-width:36px}.matrix th{padding:2px 3px;max-width:6.5em}
        .matrix{border-spacing:2px}}
        @media print{body{background:#fff}.card,.tile{box-shadow:none;break-inside:avoid}}
        """
}

/// Text escaped for HTML, SVG and attribute values in double quotes.
package enum HTMLText {
    /// Escapes markup; control characters and direction marks become U+FFFD, so that a label can't rearrange the page.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(PrintableText.isUnsafe(scalar) ? "\u{fffd}" : scalar)
            }
        }
        return result
    }

    /// As `NumberText.percent`, but without a line break before the sign.
    package static func percent(_ share: Double, digits: Int = 1) -> String {
        NumberText.fixed(share * 100, digits: digits) + "\u{a0}%"
    }

    /// An external name, isolated from the direction of the text around it.
    package static func name(_ text: String) -> String { "<bdi>\(escaped(text))</bdi>" }
}

/// The pages' style sheets: a common one, and one for each kind of page.
enum PageStyle {
    /// Colours of surfaces and text, the font, cards and tables.
    static let base: HTML = """
        :root{--page:#f6f5f1;--card:#fff;--ink:#1d1f24;--soft:#5c616b;--line:#e3e1da}
        @media (prefers-color-scheme:dark){:root{--page:#131519;--card:#1c1f25;--ink:#e9e8e4;--soft:#a0a5af;--line:#31353d}}
        *{box-sizing:border-box}
        body{background:var(--page);color:var(--ink);line-height:1.5;
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC","PingFang SC",sans-serif}
        .card,.tile{background:var(--card);border:1px solid var(--line);border-radius:12px}
        table{width:100%;border-collapse:collapse}
        """

    /// Of reports. Blue, orange and green-blue are distinguishable for colour-blind readers, and differ in lightness.
    static let report: HTML = """
        :root{--student:#2f6bd8;--teacher:#c85f0e;--cascade:#0b7f73;--wrong:#b9405a;--shadow:0 1px 2px #0000000d,0 4px 16px #0000000a}
        @media (prefers-color-scheme:dark){:root{--student:#7ba7ff;--teacher:#f2a057;--cascade:#4bcdbd;--wrong:#ef7f97;--shadow:none}}
        body{margin:0;font-size:16px;-webkit-text-size-adjust:100%}
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
        .card{padding:18px;box-shadow:var(--shadow)}
        .tiles{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(min(100%,156px),1fr));margin-top:24px}
        .tile{padding:14px 16px;box-shadow:var(--shadow);border-top:3px solid var(--tone,var(--line))}
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
        table{font-size:.875rem;font-variant-numeric:tabular-nums}
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

    /// Of the status page: one accent; colour only marks what needs attention.
    static let status: HTML = """
        :root{--accent:#2b6c99;--band:#2b6c9924;--good:#2f8f5b;--busy:#2b6c99;--attention:#b4690e;--bad:#c0362c}
        @media (prefers-color-scheme:dark){:root{--accent:#74b3e0;--band:#74b3e02e;--good:#55c08a;--busy:#74b3e0;--attention:#e3a13b;--bad:#ef7a6d}}
        body{margin:0 auto;max-width:1120px;padding:32px 24px 40px;font-size:15px;\
        font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        h1,h2,p,ul,ol{margin:0;padding:0;font-weight:inherit}
        ul,ol{list-style:none}
        h1{font-size:30px;font-weight:650;line-height:1.25;letter-spacing:-.01em;display:flex;align-items:center;gap:14px}
        h1 i{flex:none;width:16px;height:16px;border-radius:50%;background:var(--mood);\
        box-shadow:0 0 0 6px color-mix(in srgb,var(--mood) 18%,transparent);margin-left:6px}
        .good{--mood:var(--good)}.busy{--mood:var(--busy)}.attention{--mood:var(--attention)}.bad{--mood:var(--bad)}
        h2{font-size:14px;font-weight:600}
        small{font-size:13px;font-weight:400;color:var(--soft)}
        .detail{margin-top:6px;font-size:16px}
        .meta,footer{color:var(--soft);font-size:14px}
        .meta{margin-top:2px}
        .meta span+span::before,footer span+span::before,.said span::before{content:"· ";color:var(--soft)}
        .warnings{margin-top:18px;padding:10px 16px;border-left:4px solid var(--attention);border-radius:4px 10px 10px 4px;\
        background:color-mix(in srgb,var(--attention) 11%,var(--card))}
        .warnings li+li{margin-top:4px}
        main{display:grid;gap:16px;margin-top:24px}
        section{min-width:0}
        .tiles{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(200px,1fr))}
        .charts{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}
        .tile,.card{padding:16px 18px;min-width:0}
        .tile h2{font-weight:400;color:var(--soft)}
        .value{font-size:32px;font-weight:600;line-height:1.3;letter-spacing:-.02em}
        .tile.attention .value,.tile.attention .note{color:var(--attention)}
        .note{font-size:13px;color:var(--soft)}
        .chart{position:relative;height:150px;margin-top:12px}
        .chart svg{display:block;width:100%;height:100%;overflow:visible}
        .chart span{position:absolute;left:0;font-size:12px;line-height:1;color:var(--soft);background:var(--card);padding-right:6px}
        .chart .top{top:-4px}.chart .bottom{bottom:-2px}
        .chart.empty{display:grid;place-items:center;color:var(--soft)}
        svg path,svg rect{vector-effect:non-scaling-stroke}
        .grid{stroke:var(--line);fill:none}
        .line{stroke:var(--accent);stroke-width:2;fill:none;stroke-linejoin:round}
        .area,.band{fill:var(--band)}
        .whisker{stroke:var(--band);stroke-width:10;fill:none}
        .dot{stroke:var(--accent);stroke-width:5;stroke-linecap:round;fill:none}
        .bar{fill:var(--accent)}
        .axis{display:flex;justify-content:space-between;margin-top:4px;font-size:12px;color:var(--soft)}
        .mix{margin-top:10px;display:grid;gap:7px}
        .mix li{display:grid;grid-template-columns:minmax(72px,26%) 1fr 62px;gap:12px;align-items:center}
        .track b{display:block;height:10px;min-width:2px;border-radius:3px;background:var(--accent)}
        .twice{display:grid;gap:2px}.twice i{display:block;height:4px;min-width:2px;border-radius:2px;background:var(--soft)}
        .number{text-align:right;color:var(--soft)}
        .stack{display:grid;gap:16px;grid-template-rows:auto 1fr;min-width:0}
        dl{margin:8px 0 0}
        dl div{display:flex;justify-content:space-between;gap:16px;padding:4px 0}
        dl div+div{border-top:1px solid var(--line)}
        dt{color:var(--soft)}dd{margin:0;text-align:right}
        th,td{padding:5px 0 5px 10px;text-align:right;font-weight:400;overflow-wrap:normal;white-space:nowrap}
        th:first-child{padding-left:0;text-align:left;white-space:normal;overflow-wrap:anywhere}
        thead th{font-size:13px;color:var(--soft)}thead h2{color:var(--ink)}
        tbody tr{border-top:1px solid var(--line)}
        .lines{margin-top:6px}
        .lines li{padding:9px 0;border-top:1px solid var(--line)}
        .lines li:first-child{border-top:0}
        .said{font-size:13px;color:var(--soft)}
        .text{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden}
        .verdict{display:inline-block}
        .verdict q{color:var(--ink);quotes:none;font-weight:600}
        .none{margin-top:10px;color:var(--soft)}
        footer{margin-top:24px}
        a{color:var(--accent)}
        @media (max-width:560px){body{padding:22px 14px 28px}h1{font-size:25px}.tiles{grid-template-columns:1fr 1fr;gap:10px}\
        .tile{padding:12px 13px}.value{font-size:25px}main,.charts,.stack{gap:10px}th,td{padding-left:6px;font-size:14px}\
        .verdict{display:block}.said .verdict::before{content:none}}
        """
}

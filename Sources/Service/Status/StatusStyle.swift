/// How the status page looks: calm, one accent, colour only where something needs attention.
enum StatusStyle {
    static let sheet: HTML = """
        :root{--back:#f6f6f3;--card:#fff;--ink:#1f2326;--soft:#6a7178;--rule:#e4e4df;--accent:#2b6c99;\
        --band:#2b6c9924;--good:#2f8f5b;--busy:#2b6c99;--attention:#b4690e;--bad:#c0362c}
        @media (prefers-color-scheme:dark){:root{--back:#131619;--card:#1b1f23;--ink:#e7e9eb;--soft:#969ea6;\
        --rule:#2b3036;--accent:#74b3e0;--band:#74b3e02e;--good:#55c08a;--busy:#74b3e0;--attention:#e3a13b;--bad:#ef7a6d}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:1120px;padding:32px 24px 40px;background:var(--back);color:var(--ink);\
        font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC","PingFang SC",sans-serif;\
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
        .tile,.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:16px 18px;min-width:0}
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
        .grid{stroke:var(--rule);fill:none}
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
        dl div+div{border-top:1px solid var(--rule)}
        dt{color:var(--soft)}dd{margin:0;text-align:right}
        table{width:100%;border-collapse:collapse}
        th,td{padding:5px 0 5px 10px;text-align:right;font-weight:400;overflow-wrap:normal;white-space:nowrap}
        th:first-child{padding-left:0;text-align:left;white-space:normal;overflow-wrap:anywhere}
        thead th{font-size:13px;color:var(--soft)}thead h2{color:var(--ink)}
        tbody tr{border-top:1px solid var(--rule)}
        .lines{margin-top:6px}
        .lines li{padding:9px 0;border-top:1px solid var(--rule)}
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

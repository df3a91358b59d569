import Pages
import Testing

@Suite struct HTMLTests {
    @Test func escapesStringsAndKeepsMarkup() {
        let name = "<b>\"'&\u{202e}\n"
        let html: HTML = "<p title=\"\(name)\">\(HTML.name(name)) \(7)</p>"
        let escaped = "&lt;b&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}"
        #expect(html.text == "<p title=\"\(escaped)\"><bdi>\(escaped)</bdi> 7</p>")
    }

    @Test func joins() {
        var html = HTML.joined(["<i>", "a"], separator: " ")
        html += "<\("<")"
        #expect((html + "</i>").text == "<i> a<&lt;</i>")
    }

    @Test func aPageLoadsNothing() {
        let pages = [
            PageFrame.report(title: "\("<title>")", main: "<p>x</p>\n"),
            PageFrame.status(title: "t", refreshSeconds: 5, header: "", main: "<p>x</p>", footer: "f"),
        ]
        for page in pages {
            #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"))
            #expect(page.hasSuffix("</body>\n</html>\n"))
            #expect(page.contains("default-src 'none'") && page.contains("<main>\n<p>x</p>\n</main>"))
            for part in ["<script", "http:", "https:", "url(", "@import", "src="] { #expect(!page.contains(part)) }
        }
        #expect(pages[0].contains("<title>&lt;title&gt;</title>"))
        #expect(pages[1].contains("<meta http-equiv=\"refresh\" content=\"5\">"))
    }
}

@Suite struct ChartTests {
    @Test func ticksAreRound() {
        #expect(ChartFrame.ticks(0...1, count: 5) == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
        #expect(ChartFrame.ticks(0...0, count: 5) == [0])
        #expect(ChartFrame.percentTicks(0.98...1, count: 2).map(\.1) == ["98\u{a0}%", "100\u{a0}%"])
        #expect([0, 0.4, 7, 1000, 1001].map(StretchedChart.niceTop) == [1, 0.4, 8, 1000, 1500])
    }

    @Test func drawsInThePlotArea() {
        let frame = ChartFrame(xRange: 0...1, yRange: 0...10)
        #expect(frame.curve([(0, 0), (1, 10)], style: "s").text.contains("points=\"58.0,264.0 416.0,34.0\""))
        #expect(frame.bar(0...0.5, from: 2, to: 2, gap: 1, style: "fill").text.isEmpty)
        #expect(frame.bar(0...0.5, from: 0, to: 10, gap: 1, style: "fill").text.contains("height=\"230.0\"/>"))
    }

    @Test func oneHourIsAWhisker() {
        let one = StretchedChart.band([(300, 60)], upper: [(300, 40)], lower: [(300, 80)]).text
        #expect(one.contains("class=\"whisker\" d=\"M300.0 40.0 V80.0\""))
        let two = StretchedChart.band(
            [(0, 60), (600, 60)], upper: [(0, 40), (600, 40)], lower: [(0, 80), (600, 80)]
        ).text
        #expect(two.contains("class=\"band\" d=\"M0.0 40.0 L600.0 40.0 L600.0 80.0 L0.0 80.0 Z\""))
    }
}

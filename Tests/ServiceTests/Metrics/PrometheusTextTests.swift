import Service
import Testing

@Suite struct PrometheusTextTests {
    @Test func escapesWhatTheFormatAsksFor() {
        var family = MetricFamily(.counter, "a_total", "One\\two\nthree \"four\".")
        family.add(1, ("x", "a\\b\"c\nd\r\ne"), ("y", "体育"))
        #expect(
            PrometheusText.render([family]) == """
                # HELP a_total One\\\\two\\nthree "four".
                # TYPE a_total counter
                a_total{x="a\\\\b\\"c\\nd\r\\ne",y="体育"} 1

                """)
    }

    @Test func writesNumbersThatPrometheusReads() {
        var family = MetricFamily(.gauge, "a", "b")
        for value in [0, -1, 0.25, 1e-9, 9_007_199_254_740_992, 1e300, .infinity, -.infinity, .nan] {
            family.add(value)
        }
        let values = PrometheusText.render([family]).split(separator: "\n").dropFirst(2).map { $0.dropFirst(2) }
        #expect(values == ["0", "-1", "0.25", "1e-09", "9007199254740992.0", "1e+300", "+Inf", "-Inf", "NaN"])
    }

    @Test func histogramsAreCumulative() {
        var histogram = Histogram(bounds: [0.5, 1])
        histogram.add(0.5, times: 2)
        histogram.add(0.7)
        histogram.add(7)
        var family = MetricFamily(.histogram, "h", "b")
        family.add(histogram, ("k", "v"))
        #expect(
            PrometheusText.render([family]) == """
                # HELP h b
                # TYPE h histogram
                h_bucket{k="v",le="0.5"} 2
                h_bucket{k="v",le="1"} 3
                h_bucket{k="v",le="+Inf"} 4
                h_sum{k="v"} 8.7
                h_count{k="v"} 4

                """)
    }

    @Test func familiesWithoutSamplesAreLeftOut() {
        #expect(PrometheusText.render([MetricFamily(.gauge, "a", "b")]).isEmpty)
    }

    @Test func everythingTheDaemonSaysIsWellFormed() throws {
        let metrics = DaemonMetrics(version: "1.2.3", flaws: ["not_utf8", "too_long"])
        let labels = metrics.labels(["体育", "a\"b\\c", "x\ny"])
        for name in ["wire", "来稿", "\"quoted\""] {
            var job = JobMetrics(source: metrics.source(name), labels: labels, flaws: 2)
            job.predictions = [3, 2, 1]
            (job.studentLines, job.studentSeconds) = (6, 0.003)
            job.setConfidences((0..<20).map { [1, 9, 19].contains($0) ? 1 : 0 })
            metrics.record(job)
            metrics.record(metrics.sink(name), SinkMetrics(records: 6, bytes: 600))
        }
        metrics.recordTeacherPass(lines: 3, seconds: 100)
        metrics.setModels(
            student: ModelInfo(version: "v\n1", loadedAt: 0), teacher: ModelInfo(version: "t", loadedAt: 0))
        let exposition = try MetricsExposition(PrometheusText.render(metrics.reading().families))
        #expect(exposition.problems == [])
        #expect(exposition.types.count > 30)
        let outsiders = exposition.types.keys.filter { !$0.hasPrefix("understudy_") && !$0.hasPrefix("process_") }
        #expect(outsiders.isEmpty)
    }

    /// The same counts give the same bytes; series and names are part of what users build on.
    @Test func theNamesStayAsTheyAre() throws {
        let clock = DaemonClock(wall: { 1_764_000_000 }, monotonic: { 5 })
        let metrics = DaemonMetrics(version: "1.2.3", flaws: ["not_utf8"], clock: clock)
        _ = (metrics.source("wire"), metrics.sink("answers"), metrics.labels(["体育"]))
        metrics.setModels(student: ModelInfo(version: "v1", loadedAt: 0), teacher: nil)
        let first = PrometheusText.render(metrics.reading().families)
        let second = PrometheusText.render(metrics.reading().families)
        // What the system says about the process changes from one reading to the next.
        func own(_ text: String) -> String {
            text.split(separator: "\n").filter { !$0.hasPrefix("process_") }.map { $0 + "\n" }.joined()
        }
        #expect(own(first) == own(second))
        try StatusGolden.check(own(first), "metrics.txt")
    }
}

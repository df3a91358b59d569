import Service
import Testing

@Suite struct StatusPageTests {
    @Test func saysWhatMatters() {
        let page = StatusPage.render(StatusSamples.ready())
        for part in [
            "<title>All is well · understudy</title>", "<meta http-equiv=\"refresh\" content=\"5\">", "8.3 %",
            "class=\"good\"", "城南新馆试营业首日迎客三千", "class=\"band\"", "<b style=\"width:100.0%\">", "来稿",
        ] {
            #expect(page.contains(part), "\(part)")
        }
        #expect(!page.contains("<ul class=\"warnings\">"))
        #expect(StatusMarkup.problems(page) == [])
    }

    @Test(arguments: ServicePhase.allCases)
    func everyPhaseHasItsMood(phase: ServicePhase) {
        var status = StatusSamples.ready()
        status.phase = phase
        let mood =
            switch phase {
            case .ready: "good"
            case .starting, .reloading, .draining: "busy"
            case .failed: "bad"
            }
        #expect(StatusPage.render(status).contains("<header class=\"\(mood)\">"))
        status.warnings = ["The disk is full."]
        let page = StatusPage.render(status)
        #expect(page.contains("<li>The disk is full.</li>"))
        #expect(page.contains("<header class=\"\(phase == .ready ? "attention" : mood)\">"))
    }

    @Test func worksBeforeAnythingHappened() {
        let status = ServiceStatus(phase: .starting, since: 0, time: 3, version: "1", pid: 1, uptimeSeconds: 3)
        let page = StatusPage.render(status)
        #expect(StatusMarkup.problems(page) == [])
        #expect(!page.contains("NaN") && !page.contains("nan") && !page.contains("inf"))
    }

    @Test func aSingleHourAndNoTeacherAreDrawn() {
        var status = StatusSamples.ready()
        status.agreement = [AgreementBucket(start: StatusSamples.now - 1800, seconds: 3600, asked: 3, agreed: 3)]
        status.pace.linesPerSecond = [0, 0, 0]
        #expect(StatusPage.render(status).contains("class=\"whisker\""))
        status.teacherModel = nil
        let page = StatusPage.render(status)
        #expect(!page.contains("Agreement"))
        #expect(StatusMarkup.problems(page) == [])
    }

    @Test(arguments: StatusSamples.attacks)
    func nothingBreaksOut(attack: String) {
        let page = StatusPage.render(StatusSamples.hostile(attack))
        #expect(StatusMarkup.problems(page) == [])
        #expect(page.utf8.count < 60_000)
        let forbidden = page.unicodeScalars.filter {
            $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
        }
        #expect(forbidden.isEmpty)
    }

    /// The server's policy forbids scripts and everything from elsewhere; the page has none to begin with.
    @Test func needsNothingFromElsewhere() {
        let page = StatusPage.render(StatusSamples.hostile("x"))
        for part in ["<script", "http://", "https://", "url(", "@import", "src=", "onload"] {
            #expect(!page.contains(part), "\(part)")
        }
    }
}

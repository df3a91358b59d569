import Diagnostics
import Testing

@Suite struct NumberDigitsTests {
    /// As many digits as it takes to tell a value from its limit.
    @Test(
        arguments: [
            (0.2504, 0.25, 2, "0.2504"), (0.26, 0.25, 2, "0.26"), (0.25, 0.25, 2, "0.25"), (0.254999, 0.25, 2, "0.255"),
            (0.24999999, 0.25, 3, "0.24999999"), (.infinity, 0.25, 2, "inf"), (3.0000001, 3, 0, "3.0000001"),
        ] as [(Double, Double, Int, String)])
    func apart(value: Double, limit: Double, digits: Int, text: String) {
        #expect(NumberText.fixed(value, digits: digits, apartFrom: limit) == text)
    }

    @Test func sharesApart() {
        #expect(NumberText.percent(0.0204, apartFrom: 0.02) == "2.04 %")
        #expect(NumberText.percent(0.031, apartFrom: 0.02) == "3.1 %")
    }
}

import Diagnostics
import Service
import Testing

@Suite struct StatusAddressTests {
    @Test(arguments: ["127.0.0.1:9464", "127.8.8.8:1", "[::1]:65535", "unix:/run/understudy/http.sock"])
    func readsWhatItWrites(text: String) throws {
        #expect(try StatusAddress(text).description == text)
    }

    @Test func knowsLocalhost() throws {
        #expect(try StatusAddress("localhost:80") == .port(host: "127.0.0.1", 80))
    }

    @Test(arguments: [
        "0.0.0.0:9464", "192.168.0.1:80", "[::]:80", "[::ffff:127.0.0.1]:80", "example.org:80", ":80", "127.0.0.1",
        "80",
        "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "127.1:80", "unix:", "unix:relative", "",
        "unix:/" + String(repeating: "x", count: 107),
    ])
    func refusesWhatOthersCouldReach(text: String) {
        let error = #expect(throws: UnderstudyError.self) { try StatusAddress(text) }
        #expect(error?.code == .configuration)
    }
}

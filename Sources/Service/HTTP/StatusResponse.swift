/// An answer of the status server.
struct StatusResponse: Sendable {
    enum Code: Int, Sendable {
        case ok = 200
        case badRequest = 400
        case notFound = 404
        case methodNotAllowed = 405
        case misdirected = 421
        case headTooLarge = 431
        case internalError = 500
        case unavailable = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .misdirected: "Misdirected Request"
            case .headTooLarge: "Request Header Fields Too Large"
            case .internalError: "Internal Server Error"
            case .unavailable: "Service Unavailable"
            }
        }
    }

    static let plainText = "text/plain; charset=utf-8"

    /// The page loads nothing from anywhere and runs no script.
    static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    var code: Code
    var contentType: String
    var body: [UInt8]

    init(_ code: Code, _ contentType: String = plainText, _ body: some Sequence<UInt8>) {
        self.code = code
        self.contentType = contentType
        self.body = Array(body)
    }

    /// A plain sentence and a line end.
    init(_ code: Code, _ text: String) {
        self.init(code, Self.plainText, (text + "\n").utf8)
    }

    /// Head and body; the answer to HEAD has the same head, and no body (RFC 9110, section 9.3.2). One request a
    /// connection: clients come every few seconds at most.
    func bytes(withBody: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(code.rawValue) \(code.phrase)\r\nContent-Type: \(contentType)\r\n"
        head += "Content-Length: \(body.count)\r\nConnection: close\r\nCache-Control: no-store\r\n"
        head += "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        head += "Content-Security-Policy: \(Self.policy)\r\n"
        if code == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        return Array((head + "\r\n").utf8) + (withBody ? body : [])
    }
}

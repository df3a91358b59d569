/// Checks that a page's tags are those that the page is made of, and that they close in order.
enum StatusMarkup {
    private static let known: Set<String> = [
        "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "h1", "h2", "p", "i",
        "b",
        "span", "small", "div", "svg", "path", "rect", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody",
        "tr",
        "th", "td", "bdi", "q", "time", "a",
    ]
    private static let attributes: Set<String> = [
        "lang", "charset", "name", "content", "http-equiv", "class", "viewBox", "preserveAspectRatio", "aria-hidden",
        "d",
        "x", "y", "width", "height", "style", "scope", "href",
    ]

    static func problems(_ page: String) -> [String] {
        var problems: [String] = []
        var open: [String] = []
        var rest = page[...]
        guard rest.hasPrefix("<!DOCTYPE html>\n") else { return ["no doctype"] }
        rest = rest.dropFirst("<!DOCTYPE html>\n".count)
        while let start = rest.firstIndex(of: "<") {
            if rest[..<start].contains(">"), open.last != "style" { problems.append("a stray >: \(rest[..<start])") }
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ">") else { return problems + ["a tag without an end"] }
            let tag = rest[..<end]
            rest = rest[rest.index(after: end)...]
            let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
            if !known.contains(name) { problems.append("a strange tag: \(tag)") }
            if tag.hasPrefix("/") {
                if open.popLast() != name { problems.append("closes nothing: \(tag)") }
                continue
            }
            let bare = tag.replacing(/"[^"]*"/, with: "")
            for match in bare.matches(of: /\s([a-zA-Z-]+)/) where !attributes.contains(String(match.1)) {
                problems.append("a strange attribute: \(tag)")
            }
            if name != "meta", !tag.hasSuffix("/") { open.append(name) }
        }
        return open.isEmpty ? problems : problems + ["left open: \(open)"]
    }
}

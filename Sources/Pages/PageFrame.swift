/// The common frame of all pages: self-contained, without scripts, fonts or external files.
package enum PageFrame {
    /// A report about finished work, which is written to a file.
    package static func report(title: HTML, main: HTML) -> String {
        page(title: title, style: PageStyle.report, body: "<main>\n\(main)</main>\n")
    }

    /// The page of a running service, which the browser reloads.
    package static func status(title: HTML, refreshSeconds: Int, header: HTML, main: HTML, footer: HTML) -> String {
        page(
            title: title, head: "<meta http-equiv=\"refresh\" content=\"\(refreshSeconds)\">\n",
            style: PageStyle.status,
            body: "\(header)<main>\n\(main)\n</main>\n<footer>\(footer)</footer>\n")
    }

    private static func page(title: HTML, head: HTML = "", style: HTML, body: HTML) -> String {
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            \(head)<title>\(title)</title>
            <style>
            \(PageStyle.base)
            \(style)
            </style>
            </head>
            <body>
            \(body)</body>
            </html>

            """
        return page.text
    }

    /// One of the key figures at the top of a report.
    package static func reportTile(_ style: String, _ what: String, _ value: String, _ note: String) -> HTML {
        "<div class=\"tile \(style)\"><span class=\"what\">\(what)</span><b>\(value)</b><span>\(note)</span></div>\n"
    }
}

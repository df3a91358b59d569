/// The frame that all reports share: one HTML page that needs nothing else, no scripts, no fonts, no files from elsewhere.
package enum ReportPage {
    /// `title` is escaped text, `main` HTML.
    package static func html(title: String, main: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(title)</title>
        <style>
        \(ReportStyle.css)
        </style>
        </head>
        <body>
        <main>
        \(main)</main>
        </body>
        </html>

        """
    }

    /// One of the figures on top of a page.
    package static func tile(_ style: String, _ what: String, _ value: String, _ note: String) -> String {
        "<div class=\"tile \(style)\"><span class=\"what\">\(what)</span><b>\(value)</b><span>\(note)</span></div>\n"
    }
}

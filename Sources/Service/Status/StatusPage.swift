import Diagnostics

/// The status as one self-contained page: no script, nothing loaded from elsewhere, renewed every few seconds by the
/// browser. Pure.
public enum StatusPage {
    /// Seconds after which the browser asks again.
    static let refreshSeconds = 5

    public static func render(_ status: ServiceStatus) -> String {
        let headline = StatusHeadline(status)
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="refresh" content="\(refreshSeconds)">
            <title>\(headline.title) · understudy</title>
            <style>\(StatusStyle.sheet)</style>
            </head>
            <body>
            <header class="\(headline.mood.rawValue)">
            <h1><i></i>\(headline.title)</h1>
            <p class="detail">\(HTML(foreign: headline.detail, columns: 400))</p>
            <p class="meta">\(StatusSections.life(status))</p>
            </header>
            \(StatusSections.warnings(status))
            <main>
            \(StatusSections.tiles(status))
            \(StatusSections.charts(status))
            \(StatusSections.oversight(status))
            \(StatusSections.flow(status))
            \(StatusSections.disagreements(status))
            </main>
            <footer>\(StatusSections.footer(status))</footer>
            </body>
            </html>

            """
        return page.text
    }
}

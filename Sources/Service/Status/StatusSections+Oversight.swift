import Diagnostics

/// Whether the stream still looks like what the student learnt from, and how the last promotion fares.
extension StatusSections {
    static func oversight(_ status: ServiceStatus) -> HTML {
        guard let oversight = status.oversight,
            oversight.drift.lines > 0 || oversight.promotion != nil || oversight.shadow != nil
        else {
            return ""
        }
        var cards = [card("Drift", "the last \(oversight.drift.windowHours) hours", drift(oversight.drift))]
        if let promotion = oversight.promotion {
            cards.append(card("Last promotion", "", self.promotion(promotion, now: status.time)))
        }
        if let shadow = oversight.shadow {
            cards.append(card("Shadow", "answers unheard", facts(OversightText.shadow(shadow))))
        }
        return "<section class=\"charts\">\(HTML.joined(cards))</section>"
    }

    private static func drift(_ drift: DriftReading) -> HTML {
        let rows = drift.labels.sorted { max($0.reference, $0.now) > max($1.reference, $1.now) }.prefix(12).map {
            label in
            """
            <li><span class="name">\(HTML(foreign: label.label, columns: 40))</span>\
            <span class="track twice"><i style="width:\(width(label.reference))%"></i>\
            <b style="width:\(width(label.now))%"></b></span>\
            <span class="number">\(NumberText.percent(label.now))</span></li>
            """ as HTML
        }
        let mix: HTML = rows.isEmpty ? "" : "<ul class=\"mix\">\(HTML.joined(rows))</ul>"
        let sentences = OversightText.drift(drift).map { "<p class=\"note\">\($0)</p>" as HTML }
        return "\(mix)\(HTML.joined(sentences))"
    }

    private static func width(_ share: Double) -> String { NumberText.fixed(min(1, share) * 100, digits: 1) }

    private static func promotion(_ promotion: PromotionReading, now: Double) -> HTML {
        facts(OversightText.promotion(promotion, now: now))
    }

    private static func facts(_ facts: [(name: String, value: String)]) -> HTML {
        let rows = facts.map { name, value in
            "<div><dt>\(HTML(foreign: name, columns: 60))</dt><dd>\(HTML(foreign: value, columns: 400))</dd></div>"
                as HTML
        }
        return "<dl>\(HTML.joined(rows))</dl>"
    }
}

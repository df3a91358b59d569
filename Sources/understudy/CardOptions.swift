import ArgumentParser
import Models

/// Fields of the model card that only the author can supply.
struct CardOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The model's licence, as an SPDX name, for its card.", valueName: "SPDX"))
    var license: String?

    @Option(help: ArgumentHelp("A sentence about licence and origin, for the card.", valueName: "text"))
    var licenseNote: String?

    @Option(help: ArgumentHelp("The name of the model that this one is made from, for the card.", valueName: "name"))
    var baseModel: String?

    @Option(
        help: ArgumentHelp(
            "A limitation that users should know, for the card; may be given more than once.", valueName: "text"))
    var limitation: [String] = []

    @Option(
        help: ArgumentHelp("A language of the texts, for the card; may be given more than once.", valueName: "code"))
    var language: [String] = []

    func apply(to card: inout ModelCard) {
        if let license { card.license = license }
        if let licenseNote { card.licenseNote = licenseNote }
        if let baseModel { card.baseModel = baseModel }
        card.limitations += limitation
        card.languages += language
    }
}

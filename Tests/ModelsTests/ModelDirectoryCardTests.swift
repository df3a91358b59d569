import Foundation
import Models
import Testing

@Suite struct ModelDirectoryCardTests {
    /// Goldens/model-card.md is what this card looks like, read and approved by eye.
    @Test func looksAsApproved() throws {
        var card = ModelCard(
            title: "Five kinds of headlines", summary: "A small student\nof a BERT teacher.", license: "mit")
        card.licenseNote = "The embedding starts from a model under the same licence."
        card.languages = ["zh", "no"]
        card.tags = ["bilstm", "distillation"]
        card.baseModel = "example/base: \"small\""
        card.labels = ["体育", "A|B", "<b>"]
        card.data = [.init("train", "1,000 lines, SHA-256 abc"), .init("test", "100 lines")]
        card.recipe = [.init("loss", "mse"), .init("λ", "0.5")]
        card.seed = 7
        card.results = [
            .init(title: "Test", columns: ["model", "accuracy"], rows: [["student", "76.5"], ["teacher", "79.0"]])
        ]
        card.limitations = ["Trained on headlines; longer texts are cut."]
        let path = try #require(Bundle.module.resourcePath) + "/Goldens/model-card.md"
        let approved = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
        #expect(card.markdown == approved)
    }

    @Test func aBareCardSaysWhatIsNotKnown() {
        let card = ModelCard(title: "T", summary: "S", license: nil)
        #expect(
            card.markdown == """
                ---
                library_name: understudy
                pipeline_tag: text-classification
                license: "unknown"
                ---

                # T

                S

                ## Licence

                Not stated by those who trained the model.

                """)
    }
}

import Foundation
import Testing

/// The path of a golden file, made by Tests/Goldens/make-safetensors-goldens.py.
func golden(_ name: String) throws -> String {
    try #require(Bundle.module.resourcePath) + "/Goldens/" + name
}

import Diagnostics
import Foundation

extension ServiceStatus {
    /// As JSON with sorted snake_case keys and a line end.
    public func json() throws(UnderstudyError) -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self) + Data("\n".utf8)
        } catch {
            throw UnderstudyError(.internalFailure, "the status can't be written as JSON: \(error)")
        }
    }

    /// Reads what `json()` wrote; the error names no place.
    public init(json: Data) throws(UnderstudyError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(ServiceStatus.self, from: json)
        } catch {
            throw UnderstudyError(
                .invalidData, "the answer is no status of an understudy of this version; is it another program?")
        }
    }
}

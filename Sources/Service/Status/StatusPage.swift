public enum StatusPage {
    public static func render(_ status: ServiceStatus) -> String { "" }
}

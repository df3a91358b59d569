/// `http:`
enum HTTPOptions {
    static let listen = YAMLOption(
        required: "listen", .address, example: "127.0.0.1:9464",
        "`host:port` on the loopback interface, or `unix:` and the path of a socket.")

    static let block = OptionBlock(
        "http", absence: .means("nothing is served"), options: [listen.facts],
        "Where metrics, health and status are served.")
}

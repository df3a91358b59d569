// swift-tools-version: 6.2
import PackageDescription

// Rooms are listed bottom up; each may import only the rooms named in its own line.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// The kernels are written for the optimiser; a debug build of them would make every test crawl.
let kernelSettings: [CSetting] = [
    .unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wall", "-Wextra", "-Werror"])
]

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, resources: [.copy("Goldens")], swiftSettings: swiftSettings)
}

// The Makefile says which commit it builds; `--version` prints it.
let commit = (Context.environment["UNDERSTUDY_COMMIT"] ?? "")
    .filter { $0.isLetter || $0.isNumber || "-._".contains($0) }

// libFuzzer's program exists only where it is asked for (Tests/Fuzz/build.sh): it links with libFuzzer alone.
let fuzzing: [Target] =
    Context.environment["UNDERSTUDY_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "understudy-fuzz", dependencies: ["FuzzTargets", "Diagnostics"], path: "Tests/Fuzz/Program",
            swiftSettings: swiftSettings)
    ]

let package = Package(
    name: "understudy",
    products: [.executable(name: "understudy", targets: ["understudy"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        .target(name: "CKernels", exclude: ["README.md"], cSettings: kernelSettings),
        .target(name: "COneDNN", cSettings: kernelSettings, linkerSettings: [.linkedLibrary("dnnl")]),
        .target(name: "CBuild", cSettings: [.define("UNDERSTUDY_COMMIT", to: "\"\(commit)\"")]),
        .target(name: "CFiles", linkerSettings: [.linkedLibrary("z"), .linkedLibrary("zstd")]),
        .systemLibrary(name: "CYAML"),
        .systemLibrary(name: "CSystemd"),
        room("Diagnostics", []),
        room("Bytes", ["Diagnostics"]),
        room("Pages", ["Diagnostics", "Bytes"]),
        room("Tensors", ["Diagnostics", "Bytes", "CKernels", "COneDNN"]),
        room("Text", ["Diagnostics", "Bytes"]),
        room("Models", ["Diagnostics", "Bytes", "Tensors", "Text", "CKernels", "CFiles"]),
        room("Distillation", ["Diagnostics", "Bytes", "Pages", "Tensors", "Text", "Models", "CKernels"]),
        room("Streams", ["Diagnostics", "Bytes", "CFiles", "CSystemd"]),
        room("Store", ["Diagnostics", "Bytes", "Streams", .product(name: "GRDB", package: "GRDB.swift")]),
        room("Cascade", ["Diagnostics", "Bytes", "Models", "Streams"]),
        room("Configuration", ["Diagnostics", "Bytes", "Streams", "Cascade", "CYAML"]),
        room(
            "Redistillation",
            ["Diagnostics", "Bytes", "Pages", "Configuration", "Tensors", "Text", "Models", "Distillation", "Store"]),
        room(
            "Service",
            [
                "Diagnostics", "Bytes", "Pages", "Configuration", "Tensors", "Models", "Distillation", "Streams",
                "Store", "Cascade", "CSystemd",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "understudy",
            dependencies: [
                "Diagnostics", "Bytes", "Tensors", "Text", "Models", "Distillation", "Streams", "Cascade",
                "Configuration", "Store", "Redistillation", "Service", "CBuild",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["README.md"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "Diagnostics", "Tensors", "Text", "Models", "CKernels",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Library", swiftSettings: swiftSettings),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        tests("DiagnosticsTests", ["Diagnostics"]),
        tests("BytesTests", ["Bytes", "TestSupport"]),
        tests("PagesTests", ["Pages"]),
        tests("TensorsTests", ["Tensors", "Diagnostics", "CKernels", "TestSupport"]),
        tests("TextTests", ["Text", "Diagnostics", "TestSupport"]),
        tests(
            "ModelsTests",
            ["CKernels", "Models", "Tensors", "Text", "Bytes", "Diagnostics", "TestSupport"]),
        tests("DistillationTests", ["Distillation", "Models", "Tensors", "Text", "Bytes", "Diagnostics"]),
        tests("ConfigurationTests", ["Configuration", "Streams", "Cascade", "Diagnostics", "TestSupport"]),
        tests("StreamsTests", ["Streams", "Bytes", "Diagnostics", "CFiles", "TestSupport"]),
        tests("StoreTests", ["Store", "Streams", "Bytes", "Diagnostics", "TestSupport"]),
        tests("CascadeTests", ["Cascade", "Models", "Streams", "Bytes", "Diagnostics", "TestSupport"]),
        tests(
            "ServiceTests",
            [
                "Service", "Models", "Store", "Configuration", "Cascade", "Streams", "Bytes", "Diagnostics",
                "TestSupport",
            ]
        ),
        tests(
            "RedistillationTests",
            [
                "Redistillation", "Configuration", "Store", "Streams", "Distillation", "Models", "Text", "Bytes",
                "Diagnostics",
                "TestSupport",
            ]),
        tests("CommandTests", ["Diagnostics", "TestSupport"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Diagnostics", "Bytes", "Tensors", "Text", "Models", "Distillation", "Configuration", "Streams",
                "Store",
                "Service", "CFiles",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: swiftSettings),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "TestSupport"], swiftSettings: swiftSettings),
    ] + fuzzing,
    cLanguageStandard: .gnu11
)

#!/usr/bin/env bash
# Builds understudy-fuzz with libFuzzer's coverage in a separate folder: Tests/Fuzz/build.sh [options of swift build]
# SANITIZE=address adds AddressSanitizer: slower, but it also detects reads beyond a buffer that don't crash.
set -euo pipefail
cd "$(dirname "$0")/../.."

options=(-Xswiftc -sanitize=fuzzer -Xcc -fsanitize=fuzzer-no-link)
scratch=.build-fuzz
if [[ "${SANITIZE:-}" == address ]]; then
    options+=(-Xswiftc -sanitize=address -Xcc -fsanitize=address)
    scratch=.build-fuzz-address
fi
UNDERSTUDY_FUZZ=1 exec swift build -c release --scratch-path "$scratch" --product understudy-fuzz "${options[@]}" "$@"

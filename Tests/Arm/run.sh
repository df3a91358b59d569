#!/usr/bin/env bash
# Compiles the C kernels for 64-bit Arm with Debian's cross compiler and compares them with plain arithmetic under qemu,
# once on a processor with the dot product of bytes and once on one without. As root it installs what is missing.
#
#     Tests/Arm/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v aarch64-linux-gnu-gcc >/dev/null || ! command -v qemu-aarch64 >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user >/dev/null
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The headers' nullability is Clang's, and so are the pragmas.
aarch64-linux-gnu-gcc -static -O2 -ffp-contract=fast -Wall -Wextra -Werror -Wno-unknown-pragmas -D_Nonnull= -D_Nullable= \
    -ISources/CKernels/include Tests/Arm/kernels.c Sources/CKernels/*.c -lm -o "$folder/kernels"
echo "with the dot product:"
qemu-aarch64 -cpu max "$folder/kernels" 2
echo "without it:"
qemu-aarch64 -cpu cortex-a72 "$folder/kernels" 1

#!/bin/sh
# A Java that Spark 4.1 runs on: the one found, else Debian's, else one clear line.
set -eu
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
if command -v "$java" >/dev/null 2>&1; then
    major=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    case $major in 17 | 21) exit 0 ;; esac
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq >/dev/null 2>&1 || true
    for package in openjdk-17-jre-headless openjdk-21-jre-headless; do
        if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null 2>&1; then exit 0; fi
    done
fi
echo "error[3] no Java 17 or 21 is found; date=-; fix: install one (Debian: apt-get install openjdk-17-jre-headless)" >&2
exit 3

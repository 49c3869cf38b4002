#!/bin/sh
# Makes the namespace TEMPORAL_NAMESPACE, or gives the one that is there this RETENTION. Waits until the server at
# TEMPORAL_ADDRESS is ready for it, 60 s at most.
set -eu

try() {
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION" ||
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
}

tries=60
until try; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || exit 1
  sleep 1
done
# A frontend knows it only some seconds later.
until temporal workflow count --namespace "$TEMPORAL_NAMESPACE"; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || exit 1
  sleep 1
done

#!/usr/bin/env bash
# Everything that is measured on a GPU, at most nine minutes, most valuable first, offline:
#   benchmarks/on_gpu.sh [FOLDER]        one JSON file per part and summary.json, written as they are found
# PYTHON (python3), SHAPES (full; tiny runs it all on a CPU in a minute or two), DATA (a folder with AG News), MINILM
# (a folder with its weights), PARTS and SCALE (of each part's seconds, 1). Needs the extra `benchmarks`.
set -uo pipefail
cd "$(dirname "$0")/.."
OUT=${1:-benchmarks/results/gpu}
SHAPES=${SHAPES:-full}
SCALE=${SCALE:-1}
given=(--out "$OUT" --shapes "$SHAPES")
[ -n "${DATA:-}" ] && given+=(--data "$DATA")
[ -n "${MINILM:-}" ] && given+=(--minilm "$MINILM")
declare -A seconds=([peak]=20 [tests]=110 [training]=190 [techniques]=80 [many]=100 [serving]=35)
export TOKENIZERS_PARALLELISM=${TOKENIZERS_PARALLELISM:-false} HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
mkdir -p "$OUT"
failed=0
for part in ${PARTS:-peak tests training techniques many serving}; do
  limit=$(awk "BEGIN {print int(${seconds[$part]} * $SCALE)}")
  timeout --kill-after=5 "$limit" "${PYTHON:-python3}" -m benchmarks.gpu "$part" "${given[@]}" >"$OUT/$part.log" 2>&1
  code=$?
  if [ "$code" -ne 0 ]; then
    failed=1
    echo "$part: exit $code (124: its $limit s were over)"
    tail -n 5 "$OUT/$part.log"
  fi
done
"${PYTHON:-python3}" -m benchmarks.gpu summary "${given[@]}"
exit "$failed"

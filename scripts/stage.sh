# Sourced: `stage NAME COMMAND…` runs one command (not a function of several steps: `set -e` is off inside) and notes its
# time; a failed one ends the script. The table of times comes
# at the end, however it ends.

STAGE_TIMES=()
STAGE_BEGAN=$SECONDS

stage() {
    local name=$1 began=$SECONDS status=0
    shift
    printf '\n=== %s\n' "$name"
    "$@" || status=$?
    STAGE_TIMES+=("$(printf '%5d s  %s%s' $((SECONDS - began)) "$name" "$([ $status = 0 ] || echo '  FAILED')")")
    [ $status = 0 ] || exit $status
}

stage_times() {
    printf '\n=== times\n'
    printf '%s\n' "${STAGE_TIMES[@]}"
    printf '%5d s  in all\n' $((SECONDS - STAGE_BEGAN))
}
trap stage_times EXIT
